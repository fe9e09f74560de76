import { describe, expect, test } from '@jest/globals';
import { type ZipfLoad, zipfLoad } from './zipf-load';

/** 10,000 keys by Zipf's law, 10 shards, 200 requests in flight: hashed alone, then with a bound of 1.25. */
const LOAD = { shards: 10, keys: 10_000, exponent: 1.1, inFlight: 200, requests: 40_000 } as const;
const SETS = [1, 2, 3, 4, 5] as const;
const median = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] as number;

describe.each(['native', 'nginx-consistent'] as const)('hot keys in mode %s', (mode) => {
  const countsOf = (more: Partial<ZipfLoad> = {}) =>
    SETS.map((seed) => zipfLoad({ mode, seed, ...LOAD, ...more }));
  const plain = countsOf();
  const bounded = countsOf({ bound: 1.25 });

  test('load one shard with twice its part or more when every key goes to its owner', () => {
    expect(median(plain.map(({ maxByMean }) => maxByMean))).toBeGreaterThan(2);
    for (const { off } of plain) expect(off).toBe(0);
  });

  test('load none with more than 1.25 times its part when that is the bound, at no moment', () => {
    for (const { maxByMean, peak } of bounded) {
      expect(maxByMean).toBeLessThanOrEqual(1.25);
      expect(peak).toBeLessThanOrEqual(1.25);
    }
  });

  test('send at most 22 % of the requests to another shard than their own, and little more than must go', () => {
    expect(median(bounded.map(({ off }) => off))).toBeLessThanOrEqual(0.22);
    for (const [set, { off }] of bounded.entries())
      expect(off - (plain[set]?.above as number)).toBeLessThan(0.06);
  });
});
