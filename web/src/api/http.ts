// Every request that the page makes for itself (Direct Line's own are in patient-ajax.ts): how it is sent, how a refusal is told,
// and what happens when the server wants to know who is there.

/** What the server answers to a browser that has to sign in, and where it does so. */
const SIGN_IN = { type: 'urn:proact:problem:sign-in-required', page: '/sign-in' };

export type Paged<T> = { items: T[]; next: string | null };

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A request that the server refused, in its own words. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly detail: string | undefined
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }
}

/**
 * Throws a `Problem` when the server answered, and the browser's own error when it did not. `key`: the same request under the
 * same key has its effect once, however often it is sent.
 */
export async function request<T>(method: Method, path: string, body?: unknown, key?: string): Promise<T> {
  const headers = new Headers({ Accept: 'application/json' });
  if (body !== undefined) headers.set('Content-Type', 'application/json');
  if (key !== undefined) headers.set('Idempotency-Key', key);
  const init: RequestInit = { method, headers, cache: 'no-store', credentials: 'same-origin' };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(path, init);
  if (!response.ok) throw await refusal(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** A query without what is not asked for. */
export function query(parts: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value !== undefined) search.set(name, String(value));
  return search.toString();
}

/** What went wrong, for the person who asked. */
export function words(reason: unknown): string {
  // `fetch` rejects with a TypeError when no answer came.
  if (reason instanceof TypeError) return 'The server cannot be reached just now.';
  return reason instanceof Error ? reason.message : String(reason);
}

/** What an answer that is none says. Without a session the page leaves for the form. */
export async function refusal(response: Response): Promise<Problem> {
  const body: Record<string, unknown> = await response.json().catch(() => ({}));
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : undefined);
  const type = text('type') ?? 'about:blank';
  if (response.status === 401 && type === SIGN_IN.type) signIn();
  return new Problem(response.status, type, text('title') ?? `The server answered ${response.status}`, text('detail'));
}

let leaving = false;

/** Once, and back to this very address afterwards. */
function signIn(): void {
  if (leaving) return;
  leaving = true;
  location.assign(`${SIGN_IN.page}?${query({ next: location.pathname + location.search + location.hash })}`);
}
