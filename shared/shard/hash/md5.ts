/** MD5 (RFC 1321) as four numbers of 32 bits: what rings are made of, never a safeguard. Sync, in every runtime. */
import type { Hash32 } from './hash';

// biome-ignore format: the sines of the RFC, four a line
const SINES = Int32Array.of(
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
);
const block = new Int32Array(16);

/** Fills `into` with the four words of the digest, each from its bytes in little-endian order. Below 512 MiB. */
export const md5 = (bytes: Uint8Array, into: Uint32Array): void => {
  into[0] = 0x67452301;
  into[1] = 0xefcdab89;
  into[2] = 0x98badcfe;
  into[3] = 0x10325476;
  const { length } = bytes;
  const blocks = ((length + 8) >>> 6) + 1;
  for (let at = 0; at < blocks; at++) {
    load(bytes, at << 6);
    if (at === blocks - 1) block[14] = length << 3;
    mix(into);
  }
};

/** Behind the end: one bit, then zeros. */
const load = (bytes: Uint8Array, from: number): void => {
  const { length } = bytes;
  block.fill(0);
  for (let i = 0; i < 64; i++) {
    const at = from + i;
    if (at > length) return;
    const byte = at === length ? 0x80 : (bytes[at] as number);
    block[i >> 2] = (block[i >> 2] as number) | (byte << ((i & 3) << 3));
  }
};

/** Each round on its own, four steps at a time: so all turns are constants, and nothing is handed round. */
const mix = (into: Uint32Array): void => {
  let a = (into[0] as number) | 0;
  let b = (into[1] as number) | 0;
  let c = (into[2] as number) | 0;
  let d = (into[3] as number) | 0;
  for (let step = 0; step < 16; step += 4) {
    a = (turned(a + (d ^ (b & (c ^ d))), step, step, 7) + b) | 0;
    d = (turned(d + (c ^ (a & (b ^ c))), step + 1, step + 1, 12) + a) | 0;
    c = (turned(c + (b ^ (d & (a ^ b))), step + 2, step + 2, 17) + d) | 0;
    b = (turned(b + (a ^ (c & (d ^ a))), step + 3, step + 3, 22) + c) | 0;
  }
  for (let step = 16, word = 1; step < 32; step += 4, word += 20) {
    a = (turned(a + (c ^ (d & (b ^ c))), step, word, 5) + b) | 0;
    d = (turned(d + (b ^ (c & (a ^ b))), step + 1, word + 5, 9) + a) | 0;
    c = (turned(c + (a ^ (b & (d ^ a))), step + 2, word + 10, 14) + d) | 0;
    b = (turned(b + (d ^ (a & (c ^ d))), step + 3, word + 15, 20) + c) | 0;
  }
  for (let step = 32, word = 5; step < 48; step += 4, word += 12) {
    a = (turned(a + (b ^ c ^ d), step, word, 4) + b) | 0;
    d = (turned(d + (a ^ b ^ c), step + 1, word + 3, 11) + a) | 0;
    c = (turned(c + (d ^ a ^ b), step + 2, word + 6, 16) + d) | 0;
    b = (turned(b + (c ^ d ^ a), step + 3, word + 9, 23) + c) | 0;
  }
  for (let step = 48, word = 0; step < 64; step += 4, word += 28) {
    a = (turned(a + (c ^ (b | ~d)), step, word, 6) + b) | 0;
    d = (turned(d + (b ^ (a | ~c)), step + 1, word + 7, 10) + a) | 0;
    c = (turned(c + (a ^ (d | ~b)), step + 2, word + 14, 15) + d) | 0;
    b = (turned(b + (d ^ (c | ~a)), step + 3, word + 21, 21) + c) | 0;
  }
  into[0] = (into[0] as number) + a;
  into[1] = (into[1] as number) + b;
  into[2] = (into[2] as number) + c;
  into[3] = (into[3] as number) + d;
};

const turned = (mixed: number, step: number, word: number, by: number): number => {
  const sum = (mixed + (SINES[step] as number) + (block[word & 15] as number)) | 0;
  return (sum << by) | (sum >>> (32 - by));
};

const digest = new Uint32Array(4);

/** The first of the four words: twemproxy's hash of a key by that name. */
export const md5Word: Hash32 = (bytes) => {
  md5(bytes, digest);
  return digest[0] as number;
};
