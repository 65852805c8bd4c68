// A list that was read once, is kept current by changes, and can be read further back.

export type LiveList<T> = {
  items: T[];
  /** Where the older ones begin, or null when there are none. */
  next: string | null;
  loaded: boolean;
};

export function emptyList<T>(): LiveList<T> {
  return { items: [], next: null, loaded: false };
}

/** `items` over what is there, newest first. `order` is the place of an item: a number that grows, or a text that sorts. */
export function put<T, K extends number | string>(items: T[], changed: T[], order: (item: T) => K, key: (item: T) => unknown): T[] {
  const byKey = new Map<unknown, T>();
  for (const item of [...items, ...changed]) byKey.set(key(item), item);
  return [...byKey.values()].sort((a, b) => (order(a) < order(b) ? 1 : order(a) > order(b) ? -1 : 0));
}
