/**
 * Mode `native`: a key's hash names a slot, and the slot has an owner. Between members that stay as they are no key ever
 * moves; who a member is, its name says, and never its address. One that is down is no member, as if it were not listed.
 */
import { hashBytes, hashText } from './key-hash';
import { SLOTS, slotOf } from './native/score';
import { changeSlots, inOrder, ownerAt, type Slots, slotsOf } from './native/slots';
import type { MakePlacer, Placer } from './placer';
import type { Shard, Topology } from './topology';

export const native: MakePlacer = (topology) => placerOf(topology, slotsOf(usable(topology)));

const usable = ({ shards }: Topology): readonly Shard[] =>
  shards.filter(({ down, ejected }) => !down && !ejected);

const placerOf = ({ shards }: Topology, slots: Slots): Placer => {
  const { members } = slots;
  const indices = new Map(shards.map(({ name }, index) => [name, index]));
  const indexAt = Int32Array.from(members, (one) => indices.get(one?.name ?? '') ?? -1);
  const isEmpty = members.every((one) => one === undefined);
  const owner = (hash: number): number | undefined =>
    isEmpty ? undefined : indexAt[ownerAt(slots, slotOf(hash))];
  return {
    pick: (key) => owner(hashBytes(key)),
    pickText: (key) => owner(hashText(key)),
    candidates: (key) =>
      inOrder(slots, slotOf(hashBytes(key))).map(({ name }) => indices.get(name) as number),
    trace: (key) => {
      const hash = hashBytes(key);
      return {
        hash: `0x${hash.toString(16).padStart(8, '0')}`,
        point: `slot ${slotOf(hash)} of ${SLOTS}`,
      };
    },
    warnings: [],
    change: (next) => placerOf(next, changeSlots(slots, usable(next))),
  };
};
