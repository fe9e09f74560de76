import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hasRoom, isLighter, roomOf } from '../../../functions/shard-router/bound';
import { ofTwo } from '../../../functions/shard-router/replicas';
import { chance } from './servers-harness';

describe('the room of a shard', () => {
  test.each([
    // weight, in flight, weight of all, factor: room
    [1, 0, 10, 1.25, 1],
    [1, 199, 10, 1.25, 25],
    [1, 200, 10, 1.25, 26],
    [3, 99, 10, 1.25, 38],
    [1, 7, 10, 1.25, 1],
    [1, 8, 10, 1.25, 2],
    // 1.1 × 10 is a little more than 11 in floating point, and rounded up it would be 12.
    [1, 9, 1, 1.1, 11],
    [1, 99, 1, 1.15, 115],
    [1, 999, 1, 2.007, 2_007],
    [0, 99, 10, 1.25, 1],
  ])(
    'weight %d, %d in flight, weights %d, factor %d: %d',
    (weight, inFlight, all, factor, room) => {
      expect(roomOf(weight, { inFlight, weight: all }, factor)).toBe(room);
      const load = (mine: number) => ({ inFlight: mine, weight });
      expect(hasRoom(load(room - 1), { inFlight, weight: all }, factor)).toBe(true);
      expect(hasRoom(load(room), { inFlight, weight: all }, factor)).toBe(false);
    },
  );

  test('is as HAProxy counts it, or one more where that rounds shards down to share the rest', () => {
    /** chash_server_is_eligible, with whole percents; `before` are the weights of those listed before. */
    const slots = (
      weight: number,
      before: number,
      all: number,
      served: number,
      percent: number,
    ) => {
      const total = Math.floor(((served + 1) * percent + 99) / 100);
      const rest = total % all;
      const share =
        Math.floor(((before + weight) * rest) / all) - Math.floor((before * rest) / all);
      return Math.max(1, weight * Math.floor(total / all) + share);
    };
    const many = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }),
      at: fc.nat(),
      served: fc.integer({ min: 0, max: 5_000 }),
      percent: fc.integer({ min: 101, max: 400 }),
    });
    fc.assert(
      fc.property(many, ({ weights, at, served, percent }) => {
        const n = at % weights.length;
        const all = weights.reduce((sum, one) => sum + one, 0);
        const before = weights.slice(0, n).reduce((sum, one) => sum + one, 0);
        const weight = weights[n] as number;
        const theirs = slots(weight, before, all, served, percent);
        const ours = roomOf(weight, { inFlight: served, weight: all }, percent / 100);
        expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('is never used up by all at once, so that one more always finds some', () => {
    const many = fc.record({
      loads: fc.array(
        fc.record({ inFlight: fc.nat(500), weight: fc.integer({ min: 1, max: 100 }) }),
        { minLength: 1, maxLength: 20 },
      ),
      thousandths: fc.integer({ min: 1_001, max: 4_000 }),
    });
    fc.assert(
      fc.property(many, ({ loads, thousandths }) => {
        const total = {
          inFlight: loads.reduce((sum, { inFlight }) => sum + inFlight, 0),
          weight: loads.reduce((sum, { weight }) => sum + weight, 0),
        };
        expect(loads.some((load) => hasRoom(load, total, thousandths / 1_000))).toBe(true);
        const lightest = loads.reduce((least, one) => (isLighter(one, least) ? one : least));
        expect(hasRoom(lightest, total, thousandths / 1_000)).toBe(true);
      }),
    );
  });
});

describe('the less loaded of two', () => {
  const isLess = (one: number, other: number) => one < other;

  test('is never the most loaded of all, where they differ', () => {
    const random = chance(3);
    for (let n = 0; n < 1_000; n += 1) expect(ofTwo([5, 1, 3], isLess, random)).not.toBe(5);
  });

  test('is any of them as often, where they do not', () => {
    const random = chance(4);
    const all = [{ n: 0 }, { n: 0 }, { n: 0 }, { n: 0 }];
    const counts = new Map(all.map((one) => [one, 0]));
    for (let n = 0; n < 8_000; n += 1) {
      const one = ofTwo(all, (a, b) => a.n < b.n, random) as (typeof all)[number];
      counts.set(one, (counts.get(one) as number) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  test('is the only one, and nobody where there is none', () => {
    const never = { below: () => Number.NaN };
    expect(ofTwo([7], isLess, never)).toBe(7);
    expect(ofTwo([], isLess, never)).toBeUndefined();
  });
});
