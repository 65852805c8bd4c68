// Something a button does at the server: once at a time, with the error in words if there was one.
import { useCallback, useRef, useState } from 'react';

import { words } from './api/http';

export function useAction<A extends unknown[]>(action: (...args: A) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const underWay = useRef(false);
  const latest = useRef(action);
  latest.current = action;
  const run = useCallback(async (...args: A) => {
    // A button that is busy keeps the focus instead of being disabled, so it can be pressed.
    if (underWay.current) return;
    underWay.current = true;
    setBusy(true);
    setError(undefined);
    await latest.current(...args).catch((reason: unknown) => setError(words(reason)));
    underWay.current = false;
    setBusy(false);
  }, []);
  return { busy, error, run };
}
