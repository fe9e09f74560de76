import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  add,
  alive,
  lifeOf,
  SLOTS,
  type Slots,
  subtract,
  sum,
  waitFor,
} from '../../../shared/limits/window';

const DURATION = 3_600_000;
const LIMIT = { points: 10, duration: DURATION };

describe('a sliding window', () => {
  const step = fc.record({
    wait: fc.oneof(fc.nat({ max: 120_000 }), fc.nat({ max: DURATION })),
    points: fc.integer({ min: 1, max: 4 }),
    // Which of the latest is not used after all.
    back: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  });

  test('never holds more than its limit in any stretch of its length, whatever is given back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let slots: Slots = [];
        let now = 1_700_000_000_123;
        const taken: { at: number; points: number }[] = [];
        for (const { wait, points, back } of steps) {
          now += wait;
          slots = alive(slots, DURATION, now);
          if (waitFor(slots, LIMIT, { points, now }) === 0) {
            slots = add(slots, DURATION, now, points);
            taken.push({ at: now, points });
          }
          const unused = back === undefined ? undefined : taken[taken.length - 1 - back];
          if (unused) {
            slots = subtract(slots, DURATION, unused);
            unused.points = 0;
          }
          const recent = taken.filter(({ at }) => at > now - DURATION);
          const held = recent.reduce((total, one) => total + one.points, 0);
          expect(held).toBeLessThanOrEqual(LIMIT.points);
          expect(sum(slots)).toBeGreaterThanOrEqual(held);
          expect(slots.length).toBeLessThanOrEqual(SLOTS + 1);
        }
      }),
    );
  });

  test('has room again exactly when it says', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ wait: fc.nat({ max: 600_000 }), points: fc.integer({ min: 1, max: 3 }) }),
          { minLength: 1, maxLength: 20 },
        ),
        fc.integer({ min: 1, max: 10 }),
        (steps, points) => {
          let slots: Slots = [];
          let now = 0;
          for (const step of steps) {
            now += step.wait;
            slots = add(alive(slots, DURATION, now), DURATION, now, step.points);
          }
          const wait = waitFor(slots, LIMIT, { points, now });
          const at = (instant: number) =>
            waitFor(alive(slots, DURATION, instant), LIMIT, { points, now: instant });
          expect(at(now + wait)).toBe(0);
          if (wait > 0) expect(at(now + wait - 1)).toBe(1);
        },
      ),
    );
  });

  test('is empty again a sixtieth after its length at the latest', () => {
    const slots = add([], DURATION, 12_345, 10);
    expect(sum(alive(slots, DURATION, 12_345 + DURATION - 1))).toBe(10);
    expect(alive(slots, DURATION, 12_345 + DURATION + DURATION / SLOTS)).toEqual([]);
    expect(lifeOf(DURATION)).toBeGreaterThan(DURATION + DURATION / SLOTS);
  });

  test('takes nothing back that does not count any more', () => {
    const old = add([], DURATION, 0, 3);
    const now = DURATION + 60_000;
    const slots = add(alive(old, DURATION, now), DURATION, now, 5);
    expect(sum(subtract(slots, DURATION, { at: 0, points: 3 }))).toBe(5);
  });

  test('what was counted elsewhere counts', () => {
    const slots = add([], DURATION, 0, 4);
    expect(waitFor(slots, LIMIT, { points: 3, besides: 3, now: 0 })).toBe(0);
    expect(waitFor(slots, LIMIT, { points: 4, besides: 3, now: 0 })).toBeGreaterThan(0);
  });

  test('what can never fit is told the whole length', () => {
    expect(waitFor([], LIMIT, { points: 11, now: 0 })).toBe(DURATION);
  });
});
