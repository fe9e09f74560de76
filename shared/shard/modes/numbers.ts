/** Keys that are numbers: decimal digits and nothing else. */
import type { Word } from '../hash/hash';

const ZERO = 48;

/** What is left of the number by a divisor, however long it is; -1: the key is none. */
export const remainderOf = (key: Uint8Array, by: number): number => {
  if (key.length === 0) return -1;
  let rest = 0;
  for (let i = 0; i < key.length; i++) {
    const digit = (key[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    rest = (rest * 10 + digit) % by;
  }
  return rest;
};

/** The number in 64 bits; false: the key is none, or too large. */
export const readNumber = (key: Uint8Array, into: Word): boolean => {
  let low = 0;
  let high = 0;
  for (let i = 0; i < key.length; i++) {
    const digit = (key[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return false;
    low = low * 10 + digit;
    high = high * 10 + Math.floor(low / 2 ** 32);
    low %= 2 ** 32;
    if (high >= 2 ** 32) return false;
  }
  into[0] = low;
  into[1] = high;
  return key.length > 0;
};
