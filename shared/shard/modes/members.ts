/** Who is in, and who of them can be used. */
import type { Warning } from '../placer';
import type { Shard } from '../topology';

export interface Members {
  /** Indexes of those that are not ejected, in their order. */
  readonly listed: Uint32Array;
  /** By index, 1: neither ejected nor down. */
  readonly usable: Uint8Array;
  readonly usableCount: number;
  /** The only one that can be used: whatever the key and the fallback, it goes there. */
  readonly only: number | undefined;
}

export const membersOf = (shards: readonly Shard[]): Members => {
  const indexes = shards.map((_, index) => index);
  const listed = indexes.filter((index) => !shards[index]?.ejected);
  const used = listed.filter((index) => !shards[index]?.down);
  const usable = new Uint8Array(shards.length);
  for (const index of used) usable[index] = 1;
  return {
    listed: Uint32Array.from(listed),
    usable,
    usableCount: used.length,
    only: used.length === 1 ? used[0] : undefined,
  };
};

/** Those that can be used, each once, in the order of `owners` from one on and around. */
export function* around(
  owners: Uint32Array,
  from: number,
  { usable, usableCount }: Members,
): Generator<number, void> {
  const seen = new Uint8Array(usable.length);
  let left = usableCount;
  for (let step = 0; step < owners.length && left > 0; step++) {
    const owner = owners[(from + step) % owners.length] as number;
    if (usable[owner] === 0 || seen[owner] === 1) continue;
    seen[owner] = 1;
    left--;
    yield owner;
  }
}

/** Where the first owner from here on and around stands that can be used; -1: there is none. */
export const usableFrom = (owners: Uint32Array, from: number, { usable }: Members): number => {
  const { length } = owners;
  for (let step = 0, at = from; step < length; step++) {
    if (usable[owners[at] as number] === 1) return at;
    at = at + 1 === length ? 0 : at + 1;
  }
  return -1;
};

/** `a, b and 3 more`: as many names as one can read. */
export const namesOf = (shards: readonly Shard[], indexes: readonly number[]): string => {
  const names = indexes.slice(0, 5).map((index) => shards[index]?.name);
  const more = indexes.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
};

/** Those that have a weight, but nothing to be found by. */
export const withoutPoints = (
  shards: readonly Shard[],
  { listed }: Members,
  owners: Uint32Array,
): Warning[] => {
  const having = new Uint8Array(shards.length);
  for (let at = 0; at < owners.length; at++) having[owners[at] as number] = 1;
  const none = [...listed].filter((index) => having[index] === 0);
  if (none.length === 0) return [];
  return [
    {
      code: 'zero_points',
      message: `No key goes to ${namesOf(shards, none)}: beside the others the weight is too small for a single point.`,
    },
  ];
};

const FEW = 100;

/** Few points lie unevenly. */
export const fewPoints = (count: number, { listed }: Members, remedy: string): Warning[] => {
  const average = Math.floor(count / listed.length);
  if (listed.length < 2 || average >= FEW) return [];
  return [
    {
      code: 'few_points',
      message: `With ${average} points a shard the keys are spread unevenly: ${remedy}`,
    },
  ];
};

/** In modes that take every shard for as big as the others. */
export const ignoredWeights = (shards: readonly Shard[]): Warning[] =>
  shards.some(({ weight }) => weight !== shards[0]?.weight)
    ? [{ code: 'weights_ignored', message: 'This mode knows no weights.' }]
    : [];
