/** The table of maglev, filled the short way and as it is told in the paper. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fillTable, type MaglevHost } from '../../../../shared/shard/modes/maglev-table';

/** Each host in turn looks at one slot after the other. */
const asTold = (hosts: readonly MaglevHost[], size: number): number[] => {
  const table: (number | undefined)[] = Array(hosts.length === 0 ? 0 : size).fill(undefined);
  const largest = Math.max(...hosts.map(({ part }) => part));
  const states = hosts.map((host) => ({ ...host, target: 0, step: 0 }));
  for (let round = 1; table.includes(undefined); round += 1)
    for (const one of states) {
      if (!table.includes(undefined)) break;
      if (round * one.part < one.target) continue;
      one.target += largest;
      const slot = () => (one.first + one.skip * one.step) % size;
      while (table[slot()] !== undefined) one.step += 1;
      table[slot()] = one.index;
    }
  return table as number[];
};

const SIZES = [2, 3, 7, 127, 131, 251, 257, 509];

test('each host gets the slots that it would find by looking', () => {
  const host = fc.record({
    first: fc.nat(),
    skip: fc.nat(),
    part: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...SIZES), fc.array(host, { maxLength: 40 }), (size, chosen) => {
      const total = chosen.reduce((sum, { part }) => sum + part, 0);
      const hosts = chosen.map(({ first, skip, part }, index) => ({
        index,
        part: part / total,
        first: first % size,
        skip: (skip % (size - 1)) + 1,
      }));
      expect([...fillTable(hosts, size)]).toEqual(asTold(hosts, size));
    }),
    { numRuns: 300 },
  );
});
