/**
 * The hash of native mode: MurmurHash3_x86_32 (Austin Appleby, public domain; smhasher, src/MurmurHash3.cpp) of the UTF-8
 * bytes. A text of ASCII is hashed as it stands, which gives what its bytes give.
 */
const { imul } = Math;

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

const encoder = new TextEncoder();

/** From 0 up to 2 ** 32 - 1. A lone surrogate is hashed as U+FFFD, which is what it becomes in UTF-8. */
export const hashText = (text: string, seed = 0): number => {
  const { length } = text;
  const whole = length & ~3;
  let hash = seed;
  let seen = 0;
  for (let i = 0; i < whole; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    hash = mixed(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= whole; i -= 1) {
    const a = text.charCodeAt(i);
    seen |= a;
    tail = (tail << 8) | a;
  }
  return seen > 0x7f ? hashBytes(encoder.encode(text), seed) : finished(hash, tail, length);
};

/** From 0 up to 2 ** 32 - 1. */
export const hashBytes = (bytes: Uint8Array, seed = 0): number => {
  const { length } = bytes;
  const whole = length & ~3;
  let hash = seed;
  for (let i = 0; i < whole; i += 4)
    hash = mixed(
      hash,
      (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24),
    );
  let tail = 0;
  for (let i = length - 1; i >= whole; i -= 1) tail = (tail << 8) | (bytes[i] as number);
  return finished(hash, tail, length);
};

/** Four bytes more. */
const mixed = (hash: number, word: number): number => {
  const h = hash ^ scrambled(word);
  return (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
};

const scrambled = (word: number): number => {
  const k = imul(word, C1);
  return imul((k << 15) | (k >>> 17), C2);
};

/** A tail of no bytes is 0, which changes nothing. */
const finished = (hash: number, tail: number, length: number): number => {
  let h = hash ^ scrambled(tail) ^ length;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};
