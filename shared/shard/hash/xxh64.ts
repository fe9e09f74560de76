/** Yann Collet's XXH64, with a seed, without BigInt. Source: doc/xxhash_spec.md of Cyan4973/xxHash. */
import type { Word } from './hash';
import { add, foldRight, multiply, rotate, set, xor } from './word';

const P1_HIGH = 0x9e3779b1;
const P1_LOW = 0x85ebca87;
const P2_HIGH = 0xc2b2ae3d;
const P2_LOW = 0x27d4eb4f;
const P3_HIGH = 0x165667b1;
const P3_LOW = 0x9e3779f9;
const P4_HIGH = 0x85ebca77;
const P4_LOW = 0xc2b2ae63;
const P5_HIGH = 0x27d4eb2f;
const P5_LOW = 0x165667c5;

const lanes = [0, 1, 2, 3].map((): Word => new Int32Array(2)) as [Word, Word, Word, Word];
const lane: Word = new Int32Array(2);

/** The seed as its two halves; Envoy's is 0, or the hash before when it chains several values. */
export const xxh64 = (bytes: Uint8Array, into: Word, seedHigh = 0, seedLow = 0): void => {
  const { length } = bytes;
  let at = 0;
  if (length >= 32) {
    at = stripes(bytes, into, seedHigh, seedLow);
  } else {
    set(into, seedHigh, seedLow);
    add(into, P5_HIGH, P5_LOW);
  }
  add(into, 0, length);
  for (; at + 8 <= length; at += 8) {
    set(lane, 0, 0);
    take(lane, bytes, at);
    xor(into, lane[1] as number, lane[0] as number);
    rotate(into, 27);
    multiply(into, P1_HIGH, P1_LOW);
    add(into, P4_HIGH, P4_LOW);
  }
  if (at + 4 <= length) {
    set(lane, 0, half(bytes, at));
    multiply(lane, P1_HIGH, P1_LOW);
    xor(into, lane[1] as number, lane[0] as number);
    rotate(into, 23);
    multiply(into, P2_HIGH, P2_LOW);
    add(into, P3_HIGH, P3_LOW);
    at += 4;
  }
  for (; at < length; at++) {
    set(lane, 0, bytes[at] as number);
    multiply(lane, P5_HIGH, P5_LOW);
    xor(into, lane[1] as number, lane[0] as number);
    rotate(into, 11);
    multiply(into, P1_HIGH, P1_LOW);
  }
  foldRight(into, 33);
  multiply(into, P2_HIGH, P2_LOW);
  foldRight(into, 29);
  multiply(into, P3_HIGH, P3_LOW);
  // By 32 the upper half falls right onto the lower one.
  into[0] = (into[0] as number) ^ (into[1] as number);
};

/** Four lanes, 32 bytes a round; gives how far it came. */
const stripes = (bytes: Uint8Array, into: Word, seedHigh: number, seedLow: number): number => {
  const [a, b, c, d] = lanes;
  for (const one of lanes) set(one, seedHigh, seedLow);
  add(a, P1_HIGH, P1_LOW);
  add(a, P2_HIGH, P2_LOW);
  add(b, P2_HIGH, P2_LOW);
  // - P1
  add(d, ~P1_HIGH, -P1_LOW);
  let at = 0;
  for (; at + 32 <= bytes.length; at += 32) {
    take(a, bytes, at);
    take(b, bytes, at + 8);
    take(c, bytes, at + 16);
    take(d, bytes, at + 24);
  }
  set(into, 0, 0);
  merge(into, a, 1);
  merge(into, b, 7);
  merge(into, c, 12);
  merge(into, d, 18);
  for (const one of lanes) {
    multiply(one, P2_HIGH, P2_LOW);
    rotate31(one);
    multiply(one, P1_HIGH, P1_LOW);
    xor(into, one[1] as number, one[0] as number);
    multiply(into, P1_HIGH, P1_LOW);
    add(into, P4_HIGH, P4_LOW);
  }
  return at;
};

const merge = (into: Word, one: Word, by: number): void => {
  set(lane, one[1] as number, one[0] as number);
  rotate(lane, by);
  add(into, lane[1] as number, lane[0] as number);
};

/** One round: eight bytes into a lane. */
const take = (word: Word, bytes: Uint8Array, at: number): void => {
  const low = half(bytes, at);
  const high = half(bytes, at + 4);
  const ownLow = word[0] as number;
  const ownHigh = word[1] as number;
  set(word, high, low);
  multiply(word, P2_HIGH, P2_LOW);
  add(word, ownHigh, ownLow);
  rotate31(word);
  multiply(word, P1_HIGH, P1_LOW);
};

const rotate31 = (word: Word): void => rotate(word, 31);

const half = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24);
