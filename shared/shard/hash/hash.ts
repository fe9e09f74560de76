/** What every hash of a key into 32 bits looks like. */

/** Unsigned, 0 to 2^32 - 1. Allocates nothing. */
export type Hash32 = (bytes: Uint8Array) => number;

/**
 * Hashes of 64 bits stay in two halves, since BigInt allocates at every step.
 * `[low, high]`, signed as typed arrays of 32 bits do arithmetic fastest; `>>> 0` makes them unsigned.
 */
export type Word = Int32Array;

export type Hash64 = (bytes: Uint8Array, into: Word) => void;

/** A byte as a C compiler for x86 sees a `char`: from 0x80 on it is negative. */
export const signed = (byte: number): number => (byte << 24) >> 24;

/** As one number, for whoever shows it. */
export const toBigInt = (word: Word): bigint =>
  (BigInt((word[1] as number) >>> 0) << 32n) | BigInt((word[0] as number) >>> 0);
