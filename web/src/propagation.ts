// Web Chat's signals to itself (put the focus into the send box, scroll), kept to the window that they come from.
//
// Web Chat sends them with `use-propagate`, which has one list of listeners for the whole page: whoever sent a message in one
// window went on typing in another. This stands in for it (build.mjs), with a list for each window.
import { createContext, useCallback, useContext, useLayoutEffect, useRef } from 'react';

/** What a Web Chat has around it: any object, one for each window. */
export const Signals = createContext<object>({});

export function createPropagation<T>() {
  type Listener = (value: T) => void;
  const byWindow = new WeakMap<object, Set<Listener>>();

  function listeners(window: object): Set<Listener> {
    const known = byWindow.get(window) ?? new Set();
    byWindow.set(window, known);
    return known;
  }

  return {
    useListen(listener: Listener): void {
      const window = useContext(Signals);
      const latest = useRef(listener);
      useLayoutEffect(() => {
        latest.current = listener;
      });
      useLayoutEffect(() => {
        const call = (value: T) => latest.current(value);
        listeners(window).add(call);
        return () => void listeners(window).delete(call);
      }, [window]);
    },
    usePropagate(): Listener {
      const window = useContext(Signals);
      return useCallback(value => [...listeners(window)].forEach(call => call(value)), [window]);
    }
  };
}
