/**
 * Jump consistent hash: no table at all, and only the last shard can come or go without moving other keys.
 * Source: J. Lamping and E. Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
 *
 * A key of decimal digits below 2^64 is that number, as in the paper; any other, and each when a hash is named, is
 * hashed, by XXH64 unless another is named. Those that are down keep their place, and the list says who comes next.
 */
import type { Word } from '../hash/hash';
import { toBigInt } from '../hash/hash';
import { hash64 } from '../hash/named';
import { multiply } from '../hash/word';
import type { MakePlacer } from '../placer';
import { around, ignoredWeights, membersOf, usableFrom } from './members';
import { readNumber } from './numbers';

const FACTOR_HIGH = 0x27bb2ee6;
const FACTOR_LOW = 0x87b0b0fd;

export const jump: MakePlacer = ({ shards, hash: name }) => {
  const members = membersOf(shards);
  const { listed, only } = members;
  const hash = hash64(name);
  const word: Word = new Int32Array(2);

  const read = (key: Uint8Array): void => {
    if (name !== undefined || !readNumber(key, word)) hash(key, word);
  };
  const start = (key: Uint8Array): number => {
    read(key);
    return bucket(word, listed.length);
  };
  const find = (key: Uint8Array): number =>
    listed.length === 0 ? -1 : usableFrom(listed, start(key), members);
  return {
    pick: (key) => {
      if (only !== undefined) return only;
      const at = find(key);
      return at < 0 ? undefined : (listed[at] as number);
    },
    candidates: (key) => around(listed, start(key), members),
    trace: (key) => {
      read(key);
      const shown = `${toBigInt(word)}`;
      const at = find(key);
      return { hash: shown, ...(at >= 0 && { point: `${at}` }) };
    },
    warnings: ignoredWeights(shards),
  };
};

/** 0 to `count` - 1; uses `key` up. */
export const bucket = (key: Word, count: number): number => {
  let at = 0;
  for (let next = 0; next < count; ) {
    at = next;
    multiply(key, FACTOR_HIGH, FACTOR_LOW);
    const low = ((key[0] as number) >>> 0) + 1;
    key[0] = low;
    if (low === 2 ** 32) key[1] = (key[1] as number) + 1;
    next = Math.floor((at + 1) * (2 ** 31 / (((key[1] as number) >>> 1) + 1)));
  }
  return at;
};
