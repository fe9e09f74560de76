/** Austin Appleby's MurmurHash2: into 32 bits as twemproxy seeds it, into 64 (64A) as Envoy does. */
import type { Hash32, Hash64, Word } from './hash';
import { foldRight, multiply } from './word';

const M = 0x5bd1e995;

/** twemproxy's: the seed grows with the length. */
export const murmur: Hash32 = (bytes) => {
  const { length } = bytes;
  const end = length & ~3;
  let hash = Math.imul(0xdeadbeef, length) ^ length;
  for (let at = 0; at < end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    const mixed = Math.imul(word, M);
    hash = Math.imul(hash, M) ^ Math.imul(mixed ^ (mixed >>> 24), M);
  }
  if (end < length) {
    for (let at = end; at < length; at++) hash ^= (bytes[at] as number) << ((at - end) * 8);
    hash = Math.imul(hash, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return (hash ^ (hash >>> 15)) >>> 0;
};

const M_HIGH = 0xc6a4a793;
const M_LOW = 0x5bd1e995;
/** libstdc++'s seed of `std::hash`, which Envoy keeps. */
const SEED = 0xc70f6907;

const word: Word = new Int32Array(2);

/** Envoy's `MURMUR_HASH_2`. */
export const murmur64: Hash64 = (bytes, into) => {
  const { length } = bytes;
  const end = length & ~7;
  into[0] = length;
  into[1] = 0;
  multiply(into, M_HIGH, M_LOW);
  into[0] = (into[0] as number) ^ SEED;
  for (let at = 0; at < end; at += 8) {
    word[0] = quarter(bytes, at);
    word[1] = quarter(bytes, at + 4);
    multiply(word, M_HIGH, M_LOW);
    foldRight(word, 47);
    multiply(word, M_HIGH, M_LOW);
    into[0] = (into[0] as number) ^ (word[0] as number);
    into[1] = (into[1] as number) ^ (word[1] as number);
    multiply(into, M_HIGH, M_LOW);
  }
  if (end < length) {
    for (let at = end; at < length; at++) {
      const half = (at - end) >>> 2;
      into[half] = (into[half] as number) ^ ((bytes[at] as number) << (((at - end) & 3) * 8));
    }
    multiply(into, M_HIGH, M_LOW);
  }
  foldRight(into, 47);
  multiply(into, M_HIGH, M_LOW);
  foldRight(into, 47);
};

const quarter = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);
