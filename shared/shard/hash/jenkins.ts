/** Bob Jenkins' lookup3 and one-at-a-time, as twemproxy has them. */
import { type Hash32, signed } from './hash';

const START = 0xdeadbeef + 13;

/** lookup3, `hashlittle`: twelve bytes a round; an empty key is not mixed at all. */
export const jenkins: Hash32 = (bytes) => {
  let left = bytes.length;
  let a = (START + left) | 0;
  let b = a;
  let c = a;
  let at = 0;
  for (; left > 12; left -= 12, at += 12) {
    a = (a + word(bytes, at)) | 0;
    b = (b + word(bytes, at + 4)) | 0;
    c = (c + word(bytes, at + 8)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  if (left === 0) return c >>> 0;
  a = (a + word(bytes, at)) | 0;
  b = (b + word(bytes, at + 4)) | 0;
  c = (c + word(bytes, at + 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) >>> 0;
};

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** Four bytes, the lowest first; 0 for those behind the end. */
const word = (bytes: Uint8Array, at: number): number =>
  at + 4 <= bytes.length
    ? (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    : byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16);

const byte = (bytes: Uint8Array, at: number): number =>
  at < bytes.length ? (bytes[at] as number) : 0;

export const oneAtATime: Hash32 = (bytes) => {
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    hash = (hash + signed(bytes[i] as number)) | 0;
    hash = (hash + (hash << 10)) | 0;
    hash ^= hash >>> 6;
  }
  hash = (hash + (hash << 3)) | 0;
  hash ^= hash >>> 11;
  return (hash + (hash << 15)) >>> 0;
};
