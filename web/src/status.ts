// How the outbox is: read at every `reset`, soon after a change, and every few seconds while somebody looks, because pauses and hosts
// that are out of order are no changes of the feed.
import { useCallback, useEffect, useRef, useState } from 'react';

import { getHeld, getStatus, listPauses, type Held, type Status } from './api/outbox';

const EVERY_MS = 5000;
/** Pauses that are read when the status does not name them all. */
const PAUSES = 500;
/** After a change: many that come together are counted once. */
const SOON_MS = 400;

export type OutboxState = { status: Status | undefined; held: Held | null };

export function useStatus() {
  const [state, setState] = useState<OutboxState>({ status: undefined, held: null });
  const reading = useRef(0);
  const soon = useRef<number>();

  const reload = useCallback(async () => {
    const mine = ++reading.current;
    const status = await getStatus();
    if (status.paused > status.pauses.length && status.paused <= PAUSES) status.pauses = await listPauses(PAUSES);
    // What is held is counted only while something is.
    const { held } = status.heldSince === null ? { held: null } : await getHeld();
    if (mine === reading.current) setState({ status, held });
  }, []);

  // A server that is away is told by the header, and its return by the feed.
  const quietly = useCallback(() => void reload().catch((error: unknown) => console.warn('The status could not be read.', error)), [reload]);

  const nudge = useCallback(() => {
    soon.current ??= window.setTimeout(() => {
      soon.current = undefined;
      quietly();
    }, SOON_MS);
  }, [quietly]);

  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') quietly();
    };
    const timer = setInterval(look, EVERY_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      clearTimeout(soon.current);
      document.removeEventListener('visibilitychange', look);
    };
  }, [quietly]);

  return { ...state, reload, quietly, nudge };
}
