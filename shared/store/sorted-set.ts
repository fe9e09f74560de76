/** Keys in the order of their UTF-8 bytes, which is the order of their code points and not of JavaScript's `<`. */

export interface SortedSet {
  /** `key` must not be in it yet. */
  add(key: string): void;
  delete(key: string): void;
  /** The keys from `first` on, and behind `after`. */
  from(first: string, after?: string): Iterable<string>;
}

/** An array kept in order: a binary search and one move of memory for each change. */
export const sortedSet = (): SortedSet => {
  const keys: string[] = [];

  /** The place of the first key that is not before `key`. */
  const placeOf = (key: string): number => {
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(keys[middle] as string, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    add: (key) => void keys.splice(placeOf(key), 0, key),
    delete: (key) => {
      const place = placeOf(key);
      if (keys[place] === key) keys.splice(place, 1);
    },
    *from(first, after) {
      let place = placeOf(first);
      if (after !== undefined && compareKeys(after, first) >= 0) {
        place = placeOf(after);
        if (keys[place] === after) place += 1;
      }
      for (; place < keys.length; place += 1) yield keys[place] as string;
    },
  };
};

/** Below 0 when `a` stands before `b`. */
export const compareKeys = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
};

/** Surrogates stand for code points above all others: they go behind U+E000 to U+FFFF. */
const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
