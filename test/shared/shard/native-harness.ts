/** A million keys, and where they go: typed arrays throughout, so that all of them are counted. */
import { hashText } from '../../../shared/shard/key-hash';
import { SLOTS, slotOf } from '../../../shared/shard/native/score';
import {
  changeSlots,
  type Member,
  ownerAt,
  type Slots,
  slotsOf,
} from '../../../shared/shard/native/slots';

export const KEYS = 1_000_000;

let made: Uint32Array | undefined;

/** The slot of each key. */
export const keySlots = (): Uint32Array => {
  made ??= Uint32Array.from({ length: KEYS }, (_, i) => slotOf(hashText(`user:${i}`)));
  return made;
};

/** Every slot has been asked for, so that all owners and waits are there to be compared. */
export const whole = (slots: Slots): Slots => {
  if (slots.members.some((one) => one !== undefined))
    for (let slot = 0; slot < SLOTS; slot += 1) ownerAt(slots, slot);
  return slots;
};

export const wholeOf = (members: readonly Member[]): Slots => whole(slotsOf(members));

export const wholeChange = (from: Slots, members: readonly Member[]): Slots =>
  whole(changeSlots(from, members));

export const equal = (count: number, prefix = 'shard'): readonly Member[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${prefix}-${i}`, weight: 1 }));

/** Weights from 1 to 100, all of them where there are enough members. */
export const weighted = (count: number, prefix = 'shard'): readonly Member[] =>
  equal(count, prefix).map(({ name }, i) => ({ name, weight: 1 + ((i * 37) % 100) }));

/** How many keys each member has, by name. */
export const sharesOf = (slots: Slots): ReadonlyMap<string, number> => {
  const { members } = slots;
  const counts = new Uint32Array(members.length);
  for (const slot of keySlots()) (counts[ownerAt(slots, slot)] as number) += 1;
  return new Map(
    members.flatMap((one, place) =>
      one === undefined ? [] : [[one.name, counts[place] as number]],
    ),
  );
};

export interface Moves {
  readonly moved: number;
  /** From and to members that are not `changed`. */
  readonly collateral: number;
}

export const movesBetween = (a: Slots, b: Slots, changed: readonly string[]): Moves => {
  const names = (slots: Slots) => slots.members.map((one) => one?.name ?? '');
  const [from, to] = [names(a), names(b)];
  let moved = 0;
  let collateral = 0;
  for (const slot of keySlots()) {
    const before = from[ownerAt(a, slot)] as string;
    const after = to[ownerAt(b, slot)] as string;
    if (before === after) continue;
    moved += 1;
    if (!changed.includes(before) && !changed.includes(after)) collateral += 1;
  }
  return { moved, collateral };
};
