// What a restored backup holds back: read anew at every `reset`, and its release is one.
import { useCallback, useRef, useState } from 'react';

import { getHeld, type Held } from './api';

export function useHold(): { held: Held | null; reload(): void } {
  const [held, setHeld] = useState<Held | null>(null);
  const reading = useRef(0);
  const reload = useCallback(() => {
    const mine = ++reading.current;
    getHeld()
      .then(({ held }) => {
        if (mine === reading.current) setHeld(held);
      })
      // The feed opens with a reset, so a server that went away in between has it read again.
      .catch((error: unknown) => console.warn('The hold could not be read.', error));
  }, []);
  return { held, reload };
}
