// Which windows are open, kept in the browser so that a reload brings them back.
//
// A conversation has one stream, so two tabs must not show the same one. The first tab owns the list in localStorage and
// holds a lock while it lives; any further tab keeps a list of its own for as long as it is open.

export type StoredWindow = { number: number; userId: string; conversationId?: string };

export type WindowStorage = {
  load(): StoredWindow[];
  save(windows: StoredWindow[]): void;
};

const KEY = 'proact.windows';
/** A reload asks for the lock while the page before it is still letting go. */
const HANDOVER_MS = 500;

export async function openWindowStorage(): Promise<WindowStorage> {
  const first = await ownLock();
  let storage: Storage;
  try {
    storage = first ? localStorage : sessionStorage;
  } catch {
    // The browser allows this page to keep nothing: then a reload starts anew.
    return { load: () => [], save: () => {} };
  }
  return {
    load: () => parse(storage.getItem(KEY)),
    save: windows => storage.setItem(KEY, JSON.stringify(windows))
  };
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
