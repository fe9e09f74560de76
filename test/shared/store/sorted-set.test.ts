import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareKeys, sortedSet } from '../../../shared/store/sorted-set';

const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('a sorted set', () => {
  test('of thousands of keys, added and deleted in any order, gives what a sorted list gives', () => {
    const set = sortedSet();
    const model = new Set<string>();
    // A walk through all residues: no order, and always the same.
    const key = (index: number) => `k${(index * 7_919) % 5_003}`;
    const check = () => {
      const sorted = [...model].sort(bytes);
      expect([...set.from('')]).toEqual(sorted);
      for (const first of ['k', 'k2500', sorted[500], 'z'])
        for (const after of [undefined, '', first, 'k3', 'k3333', 'z']) {
          const expected = sorted.filter(
            (other) =>
              bytes(other, first as string) >= 0 &&
              (after === undefined || bytes(other, after) > 0),
          );
          expect([...set.from(first as string, after)]).toEqual(expected);
        }
    };
    const change = (from: number, to: number, act: 'add' | 'delete') => {
      for (let index = from; index < to; index += 1) {
        set[act](key(index));
        model[act](key(index));
      }
    };
    change(0, 5_003, 'add');
    check();
    change(100, 4_000, 'delete');
    check();
    change(100, 2_000, 'add');
    check();
    change(0, 5_003, 'delete');
    expect([...set.from('')]).toEqual([]);
    change(0, 700, 'add');
    check();
    set.clear();
    expect([...set.from('')]).toEqual([]);
  });

  test('keys that are written in their order are found in it', () => {
    const set = sortedSet();
    const keys = Array.from({ length: 3_000 }, (_, index) => String(index).padStart(6, '0'));
    for (const key of keys) set.add(key);
    expect([...set.from('')]).toEqual(keys);
    expect([...set.from('', '001499')]).toEqual(keys.slice(1_500));
  });

  test('a change costs about the same among many keys', () => {
    const costAmong = (size: number): number => {
      const set = sortedSet();
      for (let index = 0; index < size; index += 1) set.add(String(index).padStart(8, '0'));
      const keys = Array.from(
        { length: 2_000 },
        (_, index) => `${String(index).padStart(8, '0')}+`,
      );
      const { user } = process.cpuUsage();
      for (const key of keys) set.add(key);
      for (const key of keys) set.delete(key);
      return process.cpuUsage().user - user;
    };
    costAmong(2_000);
    expect(costAmong(500_000)).toBeLessThan(20 * costAmong(2_000));
  });

  test('a key that is not in it is not deleted', () => {
    const set = sortedSet();
    set.delete('a');
    for (const key of ['b', 'd']) set.add(key);
    for (const key of ['a', 'c', 'e']) set.delete(key);
    expect([...set.from('')]).toEqual(['b', 'd']);
  });

  test('its order is that of the bytes of UTF-8', () => {
    const text = fc.string({ unit: 'binary', maxLength: 4 }).filter((s) => !/\p{Cs}/u.test(s));
    fc.assert(
      fc.property(text, text, (a, b) => Math.sign(compareKeys(a, b)) === Math.sign(bytes(a, b))),
    );
  });
});
