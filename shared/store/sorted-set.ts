/** Keys in the order of their UTF-8 bytes, which is the order of their code points and not of JavaScript's `<`. */

export interface SortedSet {
  /** `key` must not be in it yet. */
  add(key: string): void;
  delete(key: string): void;
  /** The keys from `first` on, and behind `after`. */
  from(first: string, after?: string): Iterable<string>;
  clear(): void;
}

/** A block that grows beyond it becomes two: a change moves a block at most, however many keys there are. */
const BLOCK = 512;

/** Blocks of sorted keys, none of them empty. */
export const sortedSet = (): SortedSet => {
  const blocks: string[][] = [];

  /** The block that `key` belongs to: the last one that does not begin behind it. */
  const blockOf = (key: string): number =>
    Math.max(0, partition(blocks, (block) => compareKeys(block[0] as string, key) <= 0) - 1);

  return {
    add: (key) => {
      const at = blockOf(key);
      const block = blocks[at] ?? [];
      if (block.length === 0) blocks.push(block);
      block.splice(placeOf(block, key), 0, key);
      if (block.length > BLOCK) blocks.splice(at + 1, 0, block.splice(BLOCK / 2));
    },
    delete: (key) => {
      const at = blockOf(key);
      const block = blocks[at] ?? [];
      const place = placeOf(block, key);
      if (block[place] !== key) return;
      block.splice(place, 1);
      if (block.length === 0) blocks.splice(at, 1);
    },
    *from(first, after) {
      const start = after !== undefined && compareKeys(after, first) > 0 ? after : first;
      for (let at = blockOf(start), place = placeOf(blocks[at] ?? [], start); ; place += 1) {
        const block = blocks[at];
        if (!block) return;
        const key = block[place];
        if (key === undefined) {
          at += 1;
          place = -1;
        } else if (key !== after) yield key;
      }
    },
    clear: () => {
      blocks.length = 0;
    },
  };
};

/** The place of the first key that is not before `key`. */
const placeOf = (block: readonly string[], key: string): number =>
  partition(block, (other) => compareKeys(other, key) < 0);

/** How many of the first items are; all that are must come before all that are not. */
const partition = <T>(items: readonly T[], is: (item: T) => boolean): number => {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (is(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
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
