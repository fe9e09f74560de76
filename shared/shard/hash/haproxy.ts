/** The hashes of keys that HAProxy offers, and its avalanche. */
import type { Hash32 } from './hash';

/** HAProxy's own choice when none is named. */
export const sdbm: Hash32 = (bytes) => {
  let hash = 0;
  for (let i = 0; i < bytes.length; i++)
    hash = ((bytes[i] as number) + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
};

/** Bernstein's, times 33 from 5381 on. */
export const djb2: Hash32 = (bytes) => {
  let hash = 5381;
  for (let i = 0; i < bytes.length; i++) hash = ((hash << 5) + hash + (bytes[i] as number)) | 0;
  return hash >>> 0;
};

/** Willy Tarreau's: two halves that turn each other by what they hold. */
export const wt6: Hash32 = (bytes) => {
  let one = 0xa53c965a;
  let two = 0x5ca6953a;
  let near = 6;
  let far = 18;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    one = ~(one ^ byte);
    two = ~(two + byte);
    const turned = rotate(two, near);
    two = rotate(one, far);
    one = turned;
    const steps = ((one >>> 16) ^ two) & 0xffff;
    near = steps & 31;
    far = steps >>> 11;
  }
  return (one ^ two) >>> 0;
};

/** By 0 to 31: in JavaScript, as on the machine, a shift by 32 is one by 0. */
const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** Spreads every bit over all: Jenkins' integer hash in six steps, times a prime. One to one. */
export const avalanche = (value: number): number => {
  let a = value | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = ((a + 0xd3a2646c) | 0) ^ (a << 9);
  a = (a + 0xfd7046c5 + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  return Math.imul(a, 3221225473) >>> 0;
};
