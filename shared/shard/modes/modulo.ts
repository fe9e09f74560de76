/**
 * A number modulo the count of shards, as Weaver's `modulo` has it: a key of decimal digits, of any length. Any other
 * key has no shard, unless a hash is named: then each is hashed. Who is down keeps his place, and the list says who
 * comes next.
 */
import { hash32 } from '../hash/named';
import type { MakePlacer } from '../placer';
import type { Topology } from '../topology';
import { around, ignoredWeights, membersOf, usableFrom } from './members';
import { remainderOf } from './numbers';

export const modulo: MakePlacer = (topology) => {
  const members = membersOf(topology.shards);
  const { listed } = members;
  const slot = slotBy(topology, listed.length);
  const find = (key: Uint8Array): number => {
    const at = slot(key);
    return at < 0 ? -1 : usableFrom(listed, at, members);
  };
  return {
    pick: (key) => {
      const at = find(key);
      return at < 0 ? undefined : (listed[at] as number);
    },
    candidates: (key) => {
      const at = slot(key);
      return at < 0 ? [] : around(listed, at, members);
    },
    trace: (key) => {
      const at = find(key);
      return { hash: shownHash(topology, key), ...(at >= 0 && { point: `${at}` }) };
    },
    warnings: ignoredWeights(topology.shards),
  };
};

/** -1: the key is no number, or there is nobody. */
export const slotBy = ({ hash: name }: Topology, count: number): ((key: Uint8Array) => number) => {
  if (count === 0) return () => -1;
  if (name === undefined) return (key) => remainderOf(key, count);
  const hash = hash32(name);
  return (key) => hash(key) % count;
};

/** The number itself where nothing is hashed. */
export const shownHash = ({ hash: name }: Topology, key: Uint8Array): string => {
  if (name !== undefined) return `${hash32(name)(key)}`;
  return remainderOf(key, 1) === 0 ? new TextDecoder().decode(key) : 'none';
};
