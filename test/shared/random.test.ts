import { describe, expect, test } from '@jest/globals';
import { type Random, randomId, requestIds, systemRandom } from '../../shared/random';

describe('the random bytes of the system', () => {
  test.each([1, 16, 64, 65, 4096])('%i at a time are as many as asked for', (count) => {
    expect(systemRandom.bytes(count)).toHaveLength(count);
  });

  test('are never the same twice, across many fillings of the stock', () => {
    const ids = Array.from({ length: 5_000 }, () => randomId(systemRandom));
    expect(new Set(ids).size).toBe(5_000);
    expect(ids.filter((id) => !/^[\w-]{22}$/.test(id))).toEqual([]);
  });

  test('are their owner’s alone: what one does to them nobody else sees', () => {
    const [first, second] = [systemRandom.bytes(8), systemRandom.bytes(8)];
    const before = [...second];
    first.fill(0);
    expect([...second]).toEqual(before);
    expect(first.buffer).not.toBe(second.buffer);
    expect(first.buffer.byteLength).toBe(8);
  });
});

test('request ids are all different, a hundred for each call of the generator', () => {
  const asked: number[] = [];
  const counting: Random = {
    ...systemRandom,
    bytes: (count) => {
      asked.push(count);
      return systemRandom.bytes(count);
    },
  };
  const next = requestIds(counting);
  const ids = Array.from({ length: 250 }, next);
  expect(new Set(ids).size).toBe(250);
  expect(ids.filter((id) => !/^[\w-]{24}$/.test(id))).toEqual([]);
  expect(asked).toEqual([1800, 1800, 1800]);
});
