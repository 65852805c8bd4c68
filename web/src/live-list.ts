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
/** So many come on top of what was read; beyond that the newest are kept, and the list is read anew when it is quieter. */
const NEWCOMERS = 300;
const NEWEST = 50;
const QUIETER_MS = 1000;
/** A page may be empty and lead on; so many of those are read in one go. */
const EMPTY_PAGES = 10;

const empty = { items: [], next: null, loaded: false };

/** `kind` is the same object for as long as the list is the same; with another one the list is read anew. */
export function useLiveList<T, K extends number | string>(kind: Kind<T, K>) {
  const [list, setList] = useState<LiveList<T>>(empty);
  const now = useRef<LiveList<T>>(empty);
  /** How many were read, and the place of the last of them: what changes below it is found there when it is read. */
  const base = useRef(0);
  const floor = useRef<K>();
  const reading = useRef(0);
  /** What changed while the list is being read is newer than what is read. */
  const meanwhile = useRef<T[]>();
  const changed = useRef<T[]>([]);
  const flushing = useRef<number>();
  const rereading = useRef<number>();
  /** What somebody looks at stays, also when it does not belong here any more. */
  const kept = useRef(new Set<unknown>());

  const isKept = useCallback((item: T) => kept.current.has(kind.key(item)), [kind]);
  const belongs = useCallback(
    (item: T) => isKept(item) || (kind.accepts(item) && (floor.current === undefined || kind.order(item) >= floor.current)),
    [kind, isKept]
  );

  const show = useCallback(
    (items: T[], next: string | null, loaded: boolean) => {
      let [shown, from] = [put(items, kind).filter(belongs), next];
      if (shown.length > base.current + NEWCOMERS) {
        // Where the older ones begin is not known before the list is read anew.
        rereading.current ??= window.setTimeout(() => {
          rereading.current = undefined;
          reload.current();
        }, QUIETER_MS);
        [base.current, from, floor.current] = [NEWEST, null, kind.order(shown[NEWEST - 1]!)];
        shown = shown.filter(belongs);
      }
      now.current = { items: shown, next: from, loaded };
      setList(now.current);
    },
    [kind, belongs]
  );

  const reload = useRef(() => {});
  reload.current = () => {
    const mine = ++reading.current;
    const since: T[] = [];
    meanwhile.current = since;
    changed.current = [];
    readOn(kind.read)
      .then(({ items, next }) => {
        if (mine !== reading.current) return;
        [base.current, floor.current] = [items.length, lowest(items, next)];
        show([...now.current.items.filter(isKept), ...items, ...since], next, true);
      })
      // The feed opens with a reset, so a server that went away in between has the list read again.
      .catch((error: unknown) => console.warn('A list could not be read.', error))
      .finally(() => {
        if (mine === reading.current) meanwhile.current = undefined;
      });
  };

  /** Without it everything is shown that there is, and what is older can change only there. */
  function lowest(items: T[], next: string | null): K | undefined {
    const last = items.at(-1);
    return next === null || last === undefined ? undefined : kind.order(last);
  }

  const change = useCallback(
    (item: T) => {
      meanwhile.current?.push(item);
      changed.current.push(item);
      flushing.current ??= window.setTimeout(() => {
        flushing.current = undefined;
        show([...now.current.items, ...changed.current.splice(0)], now.current.next, now.current.loaded);
      }, TOGETHER_MS);
    },
    [show]
  );

  const older = async () => {
    const { next: from } = now.current;
    if (from === null) return;
    const mine = reading.current;
    const { items, next } = await readOn(kind.read, from);
    if (mine !== reading.current) return;
    [base.current, floor.current] = [now.current.items.length + items.length, lowest(items, next)];
    show([...items, ...now.current.items], next, true);
  };

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
    [base.current, floor.current] = [0, undefined];
    show(now.current.items, null, false);
    reload.current();
  }, [kind, show]);
  useEffect(
    () => () => {
      clearTimeout(flushing.current);
      clearTimeout(rereading.current);
      flushing.current = rereading.current = undefined;
    },
    [kind]
  );

  return { list, change, reload: () => reload.current(), older, keep };
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
