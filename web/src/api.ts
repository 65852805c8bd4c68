// The resources of the HTTP API that the page shows, and the requests it makes. The contract is docs/http-api.md.

export type ConversationKey = { channelId: string; id: string };

export type Job = {
  number: number;
  kind: string;
  state: string;
  conversation: ConversationKey;
  createdAt: string;
  completedAt: string | null;
  notificationId: string | null;
  title?: string;
  reason?: string;
  deadline?: string;
  silentAt?: string;
  progress?: JobProgress;
};

export type JobProgress = { percent: number | null; text: string | null; updatedAt: string };

export type Attempt = {
  number: number;
  begunAt: string;
  endedAt: string | null;
  outcome: string | null;
  status: number | null;
  error: string | null;
};

export type Notification = {
  id: string;
  state: string;
  reason: string | null;
  conversation: ConversationKey;
  text: string | null;
  createdAt: string;
  dueAt: string | null;
  settledAt: string | null;
  tries: number;
  attempts?: Attempt[];
};

/** What a restored backup holds back. */
export type Held = { since: string; notifications: number; conversations: number };

export type Paged<T> = { items: T[]; next: string | null };

/** A request that the server refused, in its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | undefined
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }
}

export function listJobs(cursor?: string): Promise<Paged<Job>> {
  return request('GET', `/v1/jobs?limit=20${after(cursor)}`);
}

export function completeJob(number: number): Promise<Job> {
  return request('POST', `/v1/jobs/${number}/complete`, {});
}

export function listNotifications(cursor?: string): Promise<Paged<Notification>> {
  return request('GET', `/v1/notifications?limit=20${after(cursor)}`);
}

export function getNotification(id: string): Promise<Notification> {
  return request('GET', `/v1/notifications/${encodeURIComponent(id)}`);
}

export function getHeld(): Promise<{ held: Held | null }> {
  return request('GET', '/v1/hold?limit=0');
}

/** Throws a `Problem` when the server answered, and the browser's own error when it did not. */
export async function request<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' }, cache: 'no-store' };
  if (body !== undefined) {
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  const response = await fetch(path, init);
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

async function problem(response: Response): Promise<Problem> {
  const body: { title?: unknown; detail?: unknown } = await response.json().catch(() => ({}));
  const title = typeof body.title === 'string' ? body.title : `The server answered ${response.status}`;
  return new Problem(response.status, title, typeof body.detail === 'string' ? body.detail : undefined);
}

function after(cursor: string | undefined): string {
  return cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
}
