/** Points in order, and how they are found. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ringBuilder, seek } from '../../../../shared/shard/modes/ring';

const ringOf = (pairs: readonly (readonly [number, number])[]) => {
  const { put, build } = ringBuilder(pairs.length);
  for (const [point, owner] of pairs) put(point, owner);
  return build();
};

describe('ring', () => {
  test('of points that lie on each other the one of the shard listed first stays', () => {
    const ring = ringOf([
      [7, 2],
      [7, 0],
      [4_294_967_295, 1],
      [7, 1],
      [0, 1],
      [0, 1],
    ]);
    expect([...ring.points]).toEqual([0, 7, 4_294_967_295]);
    expect([...ring.owners]).toEqual([1, 0, 1]);
    expect(ring.fallenTogether).toBe(2);
  });

  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const close = fc.integer({ min: 0, max: 300 });

  test('a hash finds the first point that is not below it, and behind the last the first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(number, close), { minLength: 1, maxLength: 200 }),
        fc.array(fc.oneof(number, close), { maxLength: 50 }),
        (points, hashes) => {
          const ring = ringOf(points.map((point) => [point, 0]));
          for (const hash of [...hashes, ...points, 0, 2 ** 32 - 1]) {
            const at = ring.points.findIndex((point) => point >= hash);
            expect(seek(ring, hash)).toBe(Math.max(0, at));
          }
        },
      ),
    );
  });
});
