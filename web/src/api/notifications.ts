// Notifications, as docs/http-api.md has them.
import { query, request, type Paged } from './http';
import type { ConversationKey, Scope } from './outbox';

export const STATES = ['waiting', 'sending', 'delivered', 'failed', 'unknown', 'suppressed', 'expired', 'cancelled'] as const;
export const PRIORITIES = ['urgent', 'normal', 'bulk'] as const;

export type Attempt = {
  number: number;
  begunAt: string;
  endedAt: string | null;
  outcome: string | null;
  status: number | null;
  error: string | null;
};

/** One reason why it waits, with what it knows. */
export type Gate = { gate: string; until?: string; scope?: Scope; host?: string; reason?: string };

export type Cause = { type: string; job?: number; notification?: string; edits?: string };

export type Notification = {
  id: string;
  state: string;
  reason: string | null;
  conversation: ConversationKey;
  priority: string;
  policy: string;
  moment: string;
  cause: Cause;
  text: string | null;
  createdAt: string;
  dueAt: string;
  expiresAt?: string;
  settledAt: string | null;
  tries: number;
  collapseKey?: string;
  replayOf?: string;
};

/** What is told of one alone. */
export type Story = Notification & {
  activity?: unknown;
  template?: unknown;
  attempts: Attempt[];
  gates?: Gate[];
  mayHaveArrived: boolean;
};

export type Filter = { state?: string; priority?: string; conversation?: ConversationKey };

export function listNotifications({ state, priority, conversation }: Filter, cursor?: string): Promise<Paged<Notification>> {
  const place = conversation && `${conversation.channelId}/${conversation.id}`;
  return request('GET', `/v1/notifications?${query({ limit: 20, state, priority, conversation: place, cursor })}`);
}

export function getNotification(id: string): Promise<Story> {
  return request('GET', one(id));
}

export function cancel(id: string): Promise<{ mayHaveArrived: boolean }> {
  return request('POST', `${one(id)}/cancel`, {});
}

export function reschedule(id: string, notBefore: string): Promise<{ notBefore: string }> {
  return request('POST', `${one(id)}/reschedule`, { notBefore });
}

export function replay(id: string, key: string): Promise<{ id: string }> {
  return request('POST', `${one(id)}/replay`, {}, key);
}

function one(id: string): string {
  return `/v1/notifications/${encodeURIComponent(id)}`;
}
