/** Envoy's `maglev`: a table that the hosts fill in turn. */

import { compareBytes, toBytes } from '../bytes';
import type { Word } from '../hash/hash';
import { xxh64 } from '../hash/xxh64';
import type { MakePlacer } from '../placer';
import type { Shard, Topology } from '../topology';
import { placerByHash } from './envoy-hash';
import { fillTable, type MaglevHost } from './maglev-table';
import { around, type Members, membersOf, usableFrom, withoutPoints } from './members';

const TABLE_SIZE = 65537;

/** After as many attempts nobody new is to be expected: the rest follow as the table has them. */
const ATTEMPTS_PER_SHARD = 20;

export const envoyMaglev: MakePlacer = (topology) => {
  const members = membersOf(topology.shards);
  const { listed, usable, usableCount } = members;
  const table = tableOf(topology, members);
  const remainder = remainderBy(table.length);
  const attempts = ATTEMPTS_PER_SHARD * listed.length;

  /** Each attempt turns the hash by its own number. */
  const slotOf = (hash: Word, attempt: number): number => {
    const low = attempt === 0 ? (hash[0] as number) : (hash[0] as number) ^ -attempt;
    const high = attempt === 0 ? (hash[1] as number) : ~(hash[1] as number);
    return remainder(high, low);
  };
  const find = (hash: Word): number => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const slot = slotOf(hash, attempt);
      if (usable[table[slot] as number] === 1) return slot;
    }
    return usableFrom(table, slotOf(hash, 0), members);
  };
  const tried = function* (hash: Word): Generator<number, void> {
    const seen = new Set<number>();
    for (let attempt = 0; attempt < attempts && seen.size < usableCount; attempt++) {
      const owner = table[slotOf(hash, attempt)] as number;
      if (usable[owner] === 0 || seen.has(owner)) continue;
      seen.add(owner);
      yield owner;
    }
    if (seen.size === usableCount) return;
    for (const owner of around(table, slotOf(hash, 0), members)) if (!seen.has(owner)) yield owner;
  };
  return placerByHash({
    members,
    owners: table,
    find,
    candidates: tried,
    point: (slot) => `${slot}`,
    warnings: withoutPoints(topology.shards, members, table),
  });
};

const tableOf = (
  { shards, tableSize: size = TABLE_SIZE }: Topology,
  { listed }: Members,
): Uint32Array => fillTable(hostsOf(shards, listed, size), size);

/** In the order of the bytes of their names, so that the order of the list does not matter. */
const hostsOf = (shards: readonly Shard[], listed: Uint32Array, size: number): MaglevHost[] => {
  const word: Word = new Int32Array(2);
  const toFirst = remainderBy(size);
  const toSkip = remainderBy(size - 1);
  const total = [...listed].reduce((sum, index) => sum + (shards[index] as Shard).weight, 0);
  return [...listed]
    .map((index) => ({ index, bytes: toBytes((shards[index] as Shard).name) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ index, bytes }) => {
      xxh64(bytes, word);
      const first = toFirst(word[1] as number, word[0] as number);
      xxh64(bytes, word, 0, 1);
      const skip = toSkip(word[1] as number, word[0] as number) + 1;
      return { index, part: (shards[index] as Shard).weight / total, first, skip };
    });
};

/** Of 64 bits by a divisor below 2^23: every product is exact, and a division cheaper than `%` beyond 32 bits. */
const remainderBy = (by: number): ((high: number, low: number) => number) => {
  const step = 2 ** 32 % by;
  return (high, low) => {
    const rest = ((high >>> 0) % by) * step + (low >>> 0);
    return rest - Math.floor(rest / by) * by;
  };
};
