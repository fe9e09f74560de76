import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NEVER, slotAt, take } from '../../../shared/webhook/rate';

const NOW = 1_000_000;

/** When each of so many calls is made that all want to be made at once. */
const made = (count: number, limit: { rate: number; burst?: number }): number[] => {
  let next = NEVER;
  let now = NOW;
  return Array.from({ length: count }, () => {
    now = slotAt(next, limit, now);
    next = take(next, limit, now);
    return now - NOW;
  });
};

describe('a rate', () => {
  test('spaces calls evenly', () => {
    expect(made(4, { rate: 10 })).toEqual([0, 100, 200, 300]);
    expect(made(4, { rate: 3 })).toEqual([0, 334, 668, 1_002]);
    expect(made(3, { rate: 0.5 })).toEqual([0, 2_000, 4_000]);
  });

  test('lets a burst through after a pause, and makes up for it', () => {
    expect(made(6, { rate: 10, burst: 3 })).toEqual([0, 0, 0, 100, 200, 300]);
  });

  test('tells the slot of those further back', () => {
    let next = NEVER;
    for (const ahead of [0, 1, 2, 3])
      expect(slotAt(next, { rate: 10 }, NOW, ahead)).toBe(NOW + ahead * 100);
    next = take(next, { rate: 10 }, NOW);
    expect(slotAt(next, { rate: 10 }, NOW + 30, 2)).toBe(NOW + 300);
    expect(slotAt(next, { rate: 10, burst: 2 }, NOW + 30, 2)).toBe(NOW + 200);
  });

  test('saves nothing up in a pause beyond the burst', () => {
    const next = take(NEVER, { rate: 10 }, NOW);
    const later = NOW + 60_000;
    expect(slotAt(take(next, { rate: 10 }, later), { rate: 10 }, later)).toBe(later + 100);
  });

  test('is kept in every second, whoever comes when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(500), { minLength: 1, maxLength: 200 }),
        (rate, burst, pauses) => {
          let next = NEVER;
          let now = NOW;
          const calls = pauses.map((pause) => {
            now = slotAt(next, { rate, burst }, now + pause);
            next = take(next, { rate, burst }, now);
            return now;
          });
          for (const from of calls) {
            const inSecond = calls.filter((at) => at >= from && at < from + 1_000).length;
            expect(inSecond).toBeLessThanOrEqual(rate + burst - 1);
          }
        },
      ),
    );
  });
});
