// Waiting for a server that is away: it was stopped, and will come back at the same address.

const PAUSE_MS = 1000;

export function pause(ms = PAUSE_MS): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

/** Runs `work` until it ends without a network error, or until `signal` is aborted. An answer of the server ends it, good or bad. */
export async function whileAway<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      // `fetch` rejects with a TypeError when no answer came, and with nothing else of that kind.
      if (!(error instanceof TypeError)) throw error;
    }
    await pause();
  }
}
