/**
 * Replicas of a StatefulSet: a number modulo their count is the ordinal in the host's name. Their state is theirs
 * alone: who is down or ejected has no deputy, and nobody else's ordinal changes by it.
 */
import type { MakePlacer } from '../placer';
import { ignoredWeights, membersOf } from './members';
import { shownHash, slotBy } from './modulo';

export const ordinal: MakePlacer = (topology) => {
  const { usable } = membersOf(topology.shards);
  const slot = slotBy(topology, topology.shards.length);
  const pick = (key: Uint8Array): number | undefined => {
    const at = slot(key);
    return at >= 0 && usable[at] === 1 ? at : undefined;
  };
  return {
    pick,
    candidates: (key) => {
      const at = pick(key);
      return at === undefined ? [] : [at];
    },
    trace: (key) => {
      const at = slot(key);
      return { hash: shownHash(topology, key), ...(at >= 0 && { point: `${at}` }) };
    },
    warnings: ignoredWeights(topology.shards),
  };
};
