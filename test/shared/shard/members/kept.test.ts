/** What the last good table costs, and when it is another one. */
import { describe, expect, test } from '@jest/globals';
import { keptTable } from '../../../../shared/shard/members/kept';
import type { Found } from '../../../../shared/shard/members/reader';
import { testContext } from '../../../support/invoke';
import { membersOf, NATIVE, shardsOf } from './lab';

const kept = () =>
  keptTable({
    reader: { name: 'a test', onlyNewer: false },
    topology: NATIVE,
    log: testContext().log,
  });
const found = (
  mark: string,
  shards: readonly object[],
): Found & { readonly reads: () => number } => {
  let reads = 0;
  return {
    mark,
    reads: () => reads,
    read: (topology) => {
      reads += 1;
      return { topology: { ...topology, shards: shards as never }, epoch: 0 };
    },
  };
};

describe('the last good table', () => {
  test('is not made again of what is said again', () => {
    const table = kept();
    const one = found('one', membersOf(3).shards);
    for (let round = 0; round < 5; round += 1) table.take(one, round);
    expect(one.reads()).toBe(1);
  });

  test('of a mode where the order decides nothing does not change with the order', () => {
    const table = kept();
    table.take(found('one', shardsOf(4)), 0);
    const before = table.now();
    table.take(found('other', shardsOf(4).reverse()), 0);
    expect(table.now()).toBe(before);
    table.take(found('less', shardsOf(3)), 0);
    expect(table.now()?.shards).toHaveLength(3);
  });

  test('is changed from the one before: what is known of untouched shards of a large native table stays', () => {
    const shards = Array.from({ length: 1_000 }, (_, n) => ({ address: `shard-${n}:80` }));
    const keys = Array.from({ length: 50_000 }, (_, n) => `key-${n}`);
    const table = kept();
    const cpu = (mark: string, members: readonly object[]): number => {
      const { user, system } = process.cpuUsage();
      table.take(found(mark, members), 0);
      const now = table.now();
      for (const key of keys) now?.place(key);
      const after = process.cpuUsage();
      return after.user + after.system - user - system;
    };
    const first = cpu('all', shards);
    const changes = [990, 991, 992].map((count) => cpu(`${count}`, shards.slice(0, count)));
    expect(Math.min(...changes)).toBeLessThan(first / 2);
  });
});
