// Which windows are open, kept in the browser so that a reload brings them back.
//
// The first tab owns the list in localStorage and holds a lock while it lives; any further tab keeps a list of its own for as
// long as it is open. One that was opened by a window's link begins with that window's conversation, which both then show.

export type StoredWindow = { number: number; userId: string; conversationId?: string };

export type WindowStorage = {
  load(): StoredWindow[];
  save(windows: StoredWindow[]): void;
};

const KEY = 'proact.windows';
/** A reload asks for the lock while the page before it is still letting go. */
const HANDOVER_MS = 500;

export async function openWindowStorage(): Promise<WindowStorage> {
  const linked = linkedWindow(location.hash);
  const first = !linked && (await ownLock());
  const begin = linked ? [linked] : [];
  let storage: Storage;
  try {
    storage = first ? localStorage : sessionStorage;
  } catch {
    // The browser allows this page to keep nothing: then a reload starts anew.
    return { load: () => begin, save: () => {} };
  }
  return {
    load() {
      const kept = parse(storage.getItem(KEY));
      return kept.length > 0 ? kept : begin;
    },
    save: windows => storage.setItem(KEY, JSON.stringify(windows))
  };
}

/** Where another tab shows this window's conversation. The part after `#` is not sent to the server. */
export function linkTo({ userId, conversationId }: StoredWindow): string | undefined {
  return conversationId && `/#${new URLSearchParams({ conversation: conversationId, user: userId })}`;
}

function linkedWindow(hash: string): StoredWindow | undefined {
  const named = new URLSearchParams(hash.slice(1));
  const [conversationId, userId] = [named.get('conversation'), named.get('user')];
  return conversationId && userId ? { number: 1, userId, conversationId } : undefined;
}

function ownLock(): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise(resolve => {
    navigator.locks
      .request(KEY, { signal: AbortSignal.timeout(HANDOVER_MS) }, () => {
        resolve(true);
        return new Promise(() => {});
      })
      .catch(() => resolve(false));
  });
}

function parse(text: string | null): StoredWindow[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(list) ? list.filter(isStoredWindow) : [];
  } catch {
    return [];
  }
}

function isStoredWindow(value: unknown): value is StoredWindow {
  const entry = value as StoredWindow | null;
  return (
    typeof entry?.number === 'number' &&
    typeof entry.userId === 'string' &&
    (entry.conversationId === undefined || typeof entry.conversationId === 'string')
  );
}
