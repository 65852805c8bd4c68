// The outbox as a whole, as docs/http-api.md has it: how things are, what is held back, and whom the bot has met.
import { query, request, type Paged } from './http';

export type ConversationKey = { channelId: string; id: string };

export type Scope =
  | { scope: 'all' }
  | { scope: 'channel'; channelId: string }
  | { scope: 'conversation'; conversation: ConversationKey };

export type Pause = Scope & { reason: string | null; at: string };

export type Breaker = { host: string; reason: string; since: string; until: string; failures: number };

export type Status = {
  notifications: Record<string, number>;
  oldestWaiting: string | null;
  oldestDue: string | null;
  underWay: number;
  breakers: Breaker[];
  /** How many there are; `pauses` are the oldest of them. */
  paused: number;
  pauses: Pause[];
  heldSince: string | null;
};

/** What a restored backup holds back. */
export type Held = { since: string; notifications: number; conversations: number };

export function getStatus(): Promise<Status> {
  return request('GET', '/v1/status');
}

/** The oldest pauses, `most` of them and what is left of their page. */
export async function listPauses(most: number): Promise<Pause[]> {
  const pauses: Pause[] = [];
  let next: string | undefined;
  do {
    const page: Paged<Pause> = await request('GET', `/v1/pauses?${query({ limit: 100, cursor: next })}`);
    pauses.push(...page.items);
    next = page.next ?? undefined;
  } while (next !== undefined && pauses.length < most);
  return pauses;
}

export function getHeld(): Promise<{ held: Held | null }> {
  return request('GET', '/v1/hold?limit=0');
}

export function listConversations(): Promise<Paged<{ conversation: ConversationKey }>> {
  return request('GET', '/v1/conversations?limit=100');
}

export function pause(scope: Scope, reason: string): Promise<Pause> {
  return request('PUT', address(scope), reason ? { reason } : {});
}

export function resume(scope: Scope): Promise<void> {
  return request('DELETE', address(scope));
}

export function isSame(one: Scope, other: Scope): boolean {
  return address(one) === address(other);
}

function address(scope: Scope): string {
  const parts = ['/v1/pauses', scope.scope];
  if (scope.scope === 'channel') parts.push(encodeURIComponent(scope.channelId));
  if (scope.scope === 'conversation') {
    parts.push(encodeURIComponent(scope.conversation.channelId), encodeURIComponent(scope.conversation.id));
  }
  return parts.join('/');
}
