// The list of open windows: two to begin with, more on request, kept across reloads.
import { useCallback, useEffect, useState } from 'react';

import type { StoredWindow, WindowStorage } from './window-storage';

export type Windows = {
  list: StoredWindow[];
  add(): number;
  close(number: number): void;
  /** The window's conversation as the server named it, or `undefined` when it is gone and a new one is to be started. */
  setConversation(number: number, conversationId: string | undefined): void;
};

export function useWindows(storage: WindowStorage): Windows {
  const [list, setList] = useState<StoredWindow[]>(() => {
    const stored = storage.load();
    return stored.length > 0 ? stored : [newWindow(1), newWindow(2)];
  });

  useEffect(() => storage.save(list), [list, storage]);

  const add = useCallback(() => {
    const number = lowestFree(list);
    setList([...list, newWindow(number)].sort((a, b) => a.number - b.number));
    return number;
  }, [list]);

  const close = useCallback((number: number) => {
    setList(windows => windows.filter(window => window.number !== number));
  }, []);

  const setConversation = useCallback((number: number, conversationId: string | undefined) => {
    setList(windows => windows.map(window => (window.number === number ? withConversation(window, conversationId) : window)));
  }, []);

  return { list, add, close, setConversation };
}

function withConversation({ number, userId }: StoredWindow, conversationId: string | undefined): StoredWindow {
  return conversationId === undefined ? { number, userId } : { number, userId, conversationId };
}

function newWindow(number: number): StoredWindow {
  return { number, userId: `dl_${crypto.randomUUID()}` };
}

function lowestFree(list: StoredWindow[]): number {
  let number = 1;
  while (list.some(window => window.number === number)) number += 1;
  return number;
}
