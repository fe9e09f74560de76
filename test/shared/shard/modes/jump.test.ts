/** Jump hash beside values that its other implementations are tested with. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jump } from '../../../../shared/shard/modes/jump';
import { bytesOf, KEYS } from '../peers-keys';
import { shardOf, topologyOf } from '../peers-topology';

const shards = (count: number) =>
  Array.from({ length: count }, (_, at) => shardOf(`10.0.0.1:${at}`));
const placer = (count: number, hash?: string) =>
  jump(topologyOf('jump', shards(count), hash === undefined ? {} : { hash }));

describe('jump', () => {
  test.each([
    ['42', 57, 43],
    ['256', 1024, 520],
    ['3735883980', 666, 361],
    ['16045690984833335023', 255, 237],
    ['2', 100001, 80343],
    ['2201', 100001, 22152],
    ['10863919174838991', 11, 6],
  ])('of %s among %i', (key, count, bucket) => {
    expect(placer(count).pick(bytesOf(key))).toBe(bucket);
  });

  /** The paper's loop in its own words. */
  const inPaper = (number: bigint, count: number): number => {
    let key = number;
    let bucket = -1n;
    for (let next = 0n; next < count; ) {
      bucket = next;
      key = (key * 2862933555777941757n + 1n) % 2n ** 64n;
      next = BigInt(Math.floor(Number(bucket + 1n) * (2 ** 31 / Number((key >> 33n) + 1n))));
    }
    return Number(bucket);
  };

  test('is what the paper says, also where the sum carries into the upper half', () => {
    // The lower half of its product with the factor is all ones, so that the 1 added to it goes up.
    const carrying = 0x12345678666313abn;
    fc.assert(
      fc.property(
        fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constant(carrying)),
        fc.integer({ min: 2, max: 3000 }),
        (number, count) => {
          expect(placer(count).pick(bytesOf(`${number}`))).toBe(inPaper(number, count));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a key that is no number is hashed, and so is every key when a hash is named', () => {
    expect(placer(9).trace(bytesOf('foo')).hash).toBe('3728699739546630719');
    expect(placer(9).trace(bytesOf('42')).hash).toBe('42');
    expect(placer(9, 'xx_hash').trace(bytesOf('42')).hash).not.toBe('42');
    expect(placer(9, 'crc32').trace(bytesOf('123456789')).hash).toBe(`${0xcbf43926}`);
    expect(placer(9).trace(bytesOf('18446744073709551615')).hash).toBe('18446744073709551615');
    // 2^64 is beyond it.
    expect(placer(9).trace(bytesOf('18446744073709551616')).hash).not.toBe('0');
  });

  test('with one shard more, keys move to that one only, and about as many as it should have', () => {
    const before = placer(10);
    const after = placer(11);
    const moved = KEYS.map(bytesOf).filter((key) => before.pick(key) !== after.pick(key));
    for (const key of moved) expect(after.pick(key)).toBe(10);
    expect(moved.length / KEYS.length).toBeGreaterThan(0.05);
    expect(moved.length / KEYS.length).toBeLessThan(0.14);
  });
});
