/** Topologies and their placements, in few words. */
import { expect } from '@jest/globals';
import type { MakePlacer } from '../../../shared/shard/placer';
import type { Mode, Shard, Topology } from '../../../shared/shard/topology';
import { bytesOf } from './peers-keys';

export const shardOf = (address: string, more: Partial<Shard> = {}): Shard => ({
  address,
  name: address,
  weight: 1,
  down: false,
  ejected: false,
  ...more,
});

export const topologyOf = (
  mode: Mode,
  shards: readonly Shard[],
  more: Partial<Topology> = {},
): Topology => ({ mode, shards, ...more });

/** `undefined` where the key decides nothing. */
export const placementsOf = (
  make: MakePlacer,
  topology: Topology,
  keys: readonly string[],
): (number | undefined)[] => {
  const { pick } = make(topology);
  return keys.map((key) => pick(bytesOf(key)));
};

/** Tells the first keys that differ, and not thousands of lines. */
export const expectSame = (
  keys: readonly string[],
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): void => {
  const different = keys
    .map((key, at) => ({ key, ours: ours[at], theirs: theirs[at] }))
    .filter((one) => one.ours !== one.theirs);
  expect({ count: different.length, first: different.slice(0, 3) }).toEqual({
    count: 0,
    first: [],
  });
};
