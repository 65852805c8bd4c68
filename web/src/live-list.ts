// A list that was read once, is kept current by changes, and can be read further back.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { Paged } from './api/http';

export type LiveList<T> = {
  items: T[];
  /** Where the older ones begin, or null when there are none. */
  next: string | null;
  loaded: boolean;
};

type Kind<T, K> = {
  read(cursor?: string): Promise<Paged<T>>;
  /** The place of an item: a number that grows, or a text that sorts. */
  order(item: T): K;
  key(item: T): unknown;
  /** Whether it belongs to the list. */
  accepts(item: T): boolean;
};

/** Changes that come together are drawn together. */
const TOGETHER_MS = 50;
/** New items, after which the list is read anew, so that it does not grow for as long as the page is open. */
const NEWCOMERS = 300;
/** A page may be empty and lead on; so many of those are read in one go. */
const EMPTY_PAGES = 10;

const empty = { items: [], next: null, loaded: false };

/** `kind` is the same object for as long as the list is the same; with another one the list is read anew. */
export function useLiveList<T, K extends number | string>(kind: Kind<T, K>) {
  const [list, setList] = useState<LiveList<T>>(empty);
  const reading = useRef(0);
  /** What changed while the list is being read is newer than what is read. */
  const meanwhile = useRef<T[]>();
  const changed = useRef<T[]>([]);
  const timer = useRef<number>();
  const newcomers = useRef(0);
  /** What somebody looks at stays, also when it does not belong here any more. */
  const kept = useRef(new Set<unknown>());

  const merged = useCallback(
    (...parts: T[][]) => put(parts.flat(), kind).filter(item => kind.accepts(item) || kept.current.has(kind.key(item))),
    [kind]
  );

  const reload = useCallback(() => {
    const mine = ++reading.current;
    const since: T[] = [];
    meanwhile.current = since;
    changed.current = [];
    newcomers.current = 0;
    readOn(kind.read)
      .then(({ items, next }) => {
        if (mine !== reading.current) return;
        setList(before => ({ items: merged(before.items.filter(item => kept.current.has(kind.key(item))), items, since), next, loaded: true }));
      })
      // The feed opens with a reset, so a server that went away in between has the list read again.
      .catch((error: unknown) => console.warn('A list could not be read.', error))
      .finally(() => {
        if (mine === reading.current) meanwhile.current = undefined;
      });
  }, [kind, merged]);

  const flush = useCallback(() => {
    timer.current = undefined;
    const items = changed.current.splice(0);
    setList(before => {
      const after = merged(before.items, items);
      newcomers.current += Math.max(0, after.length - before.items.length);
      return { ...before, items: after };
    });
    if (newcomers.current > NEWCOMERS) reload();
  }, [merged, reload]);

  const change = useCallback(
    (item: T) => {
      meanwhile.current?.push(item);
      changed.current.push(item);
      timer.current ??= window.setTimeout(flush, TOGETHER_MS);
    },
    [flush]
  );

  const older = useCallback(async () => {
    if (list.next === null) return;
    const mine = reading.current;
    const { items, next } = await readOn(kind.read, list.next);
    if (mine === reading.current) setList(before => ({ items: merged(items, before.items), next, loaded: true }));
  }, [list.next, kind, merged]);

  const keep = useCallback(
    (item: T, wanted: boolean) => {
      if (wanted) kept.current.add(kind.key(item));
      else kept.current.delete(kind.key(item));
    },
    [kind]
  );

  // Another kind of list: what is there of the old one goes, and changes of then are not of now.
  const known = useRef(kind);
  useEffect(() => {
    if (known.current === kind) return;
    known.current = kind;
    setList(before => ({ ...before, items: merged(before.items), next: null, loaded: false }));
    reload();
  }, [kind, merged, reload]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [flush]
  );

  return { list, change, reload, older, keep };
}

async function readOn<T>(read: (cursor?: string) => Promise<Paged<T>>, cursor?: string): Promise<Paged<T>> {
  let page = await read(cursor);
  for (let pages = 1; page.items.length === 0 && page.next !== null && pages < EMPTY_PAGES; pages += 1) page = await read(page.next);
  return page;
}

/** Each once, as it came last, newest first. */
function put<T, K extends number | string>(items: T[], { order, key }: Kind<T, K>): T[] {
  const byKey = new Map<unknown, T>();
  for (const item of items) byKey.set(key(item), item);
  return [...byKey.values()].sort((a, b) => (order(a) < order(b) ? 1 : order(a) > order(b) ? -1 : 0));
}
