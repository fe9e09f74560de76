/** Arithmetic modulo 2^64 in two halves, in place: `word[0]` is the lower one. */
import type { Word } from './hash';

export const set = (word: Word, high: number, low: number): void => {
  word[0] = low;
  word[1] = high;
};

export const add = (word: Word, high: number, low: number): void => {
  const sum = ((word[0] as number) >>> 0) + (low >>> 0);
  word[0] = sum;
  word[1] = (word[1] as number) + high + (sum > 0xffffffff ? 1 : 0);
};

export const xor = (word: Word, high: number, low: number): void => {
  word[0] = (word[0] as number) ^ low;
  word[1] = (word[1] as number) ^ high;
};

/** The products of 16 bits each fit where numbers are exact. */
export const multiply = (word: Word, high: number, low: number): void => {
  const own = word[0] as number;
  const a0 = own & 0xffff;
  const a1 = own >>> 16;
  const b0 = low & 0xffff;
  const b1 = low >>> 16;
  const cross = a0 * b1;
  const other = a1 * b0;
  const middle = ((a0 * b0) >>> 16) + (cross & 0xffff) + (other & 0xffff);
  const carried = a1 * b1 + (cross >>> 16) + (other >>> 16) + (middle >>> 16);
  word[1] = carried + Math.imul(word[1] as number, low) + Math.imul(own, high);
  word[0] = Math.imul(own, low);
};

/** To the left, by 1 to 31 bits. */
export const rotate = (word: Word, by: number): void => {
  const low = word[0] as number;
  const high = word[1] as number;
  word[0] = (low << by) | (high >>> (32 - by));
  word[1] = (high << by) | (low >>> (32 - by));
};

/** `word ^= word >>> by`, by 1 to 63 bits but 32. */
export const foldRight = (word: Word, by: number): void => {
  const low = word[0] as number;
  const high = word[1] as number;
  if (by > 32) word[0] = low ^ (high >>> (by - 32));
  else {
    word[0] = low ^ ((low >>> by) | (high << (32 - by)));
    word[1] = high ^ (high >>> by);
  }
};
