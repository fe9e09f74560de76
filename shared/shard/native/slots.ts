/**
 * The slots of a set of members, each with its owner and how long that one waited. A set that differs from another in a
 * few members is made from it in a few milliseconds; which way it was made, is nothing that can be told from it.
 */
import { type Seeds, SLOTS, seedsOf, slotSeeds, tryFor, wait } from './score';

const { imul } = Math;

export interface Member {
  /** Who it is; unique. */
  readonly name: string;
  /** More than 0. */
  readonly weight: number;
}

interface Entrant extends Member, Seeds {}

/** Never changed once it is made. */
export interface Slots {
  /** By slot, the place of its owner in `members`; of no meaning when there are none. */
  readonly owners: Uint16Array;
  readonly waits: Float32Array;
  /** By place, which a member keeps for as long as it is one; there may be gaps. */
  readonly members: readonly (Entrant | undefined)[];
}

/** What `owners` can tell apart. */
export const MAX_MEMBERS = 65_535;

const nobody = (): Slots => ({
  owners: new Uint16Array(SLOTS),
  waits: new Float32Array(SLOTS).fill(Number.POSITIVE_INFINITY),
  members: [],
});

export const slotsOf = (members: readonly Member[]): Slots => changeSlots(nobody(), members);

/** The same as `slotsOf(members)`, but for the places. */
export const changeSlots = (from: Slots, members: readonly Member[]): Slots => {
  const wanted = new Map(members.map((member) => [member.name, member]));
  /** By place: 1 for members whose slots are open again. */
  const lost = new Uint8Array(Math.max(from.members.length, 1));
  const heavier: Entrant[] = [];
  const kept = from.members.map((before, place): Entrant | undefined => {
    if (before === undefined) return undefined;
    const now = wanted.get(before.name);
    wanted.delete(before.name);
    const after = now && entrantOf(now, before);
    if (after === undefined || after.weight < before.weight) lost[place] = 1;
    else if (after.weight > before.weight) heavier.push(after);
    return after;
  });
  const next = { owners: from.owners.slice(), waits: from.waits.slice(), members: kept };
  const added = [...wanted.values()].map((member) => entrantOf(member, seedsOf(member.name)));
  if (kept.every((one) => one === undefined)) {
    lost.fill(1);
    // All at once, but for one: the loop of a later change is then known to the compiler as well.
    for (const one of added.splice(0, added.length - 1)) settle(kept, one);
  }
  if (lost.includes(1)) fillAgain(next, lost);
  for (const one of added) settle(kept, one);
  for (const one of [...heavier, ...added]) enter(next, one);
  return next;
};

/** Always of one shape, which the loops below are compiled for. */
const entrantOf = ({ name, weight }: Member, { a, b }: Seeds): Entrant => ({ name, weight, a, b });

const settle = (members: (Entrant | undefined)[], one: Entrant): void => {
  const gap = members.indexOf(undefined);
  members[gap < 0 ? members.length : gap] = one;
};

/** A member's number for a slot, from 0 up to 2 ** 32 - 1. */
const draw = (slotSeed: number, a: number, b: number): number => {
  const x = imul(slotSeed ^ a, 0x85ebca6b);
  return imul(((x ^ (x >>> 15)) + b) | 0, 0xc2b2ae35) + 0x80000000;
};

/** Gives a member every slot in which it waits less than the owner. */
const enter = ({ owners, waits, members }: Slots, entrant: Entrant): void => {
  const { a, b, weight } = entrant;
  const place = members.indexOf(entrant);
  const seeds = slotSeeds();
  const scale = tryFor(weight);
  for (let slot = 0; slot < seeds.length; slot += 1) {
    const limit = waits[slot] as number;
    const drawn = draw(seeds[slot] as number, a, b);
    if (drawn >= limit * scale) continue;
    const waited = wait(drawn, weight);
    if (waited > limit || (waited === limit && !isBefore(entrant, members[owners[slot] as number])))
      continue;
    owners[slot] = place;
    waits[slot] = waited;
  }
};

/** Two that wait alike: the name decides, so that neither the order of a list nor the past does. */
const isBefore = ({ name }: Member, other: Member | undefined): boolean =>
  other === undefined || name <= other.name;

/** Gives the slots of `lost` members to whoever waits least of those that are there now. */
const fillAgain = ({ owners, waits, members }: Slots, lost: Uint8Array): void => {
  // In the order of the names: of two that wait alike the first one stays.
  const here = members
    .flatMap((one, place) => (one === undefined ? [] : [{ one, place }]))
    .sort((x, y) => (x.one.name < y.one.name ? -1 : 1));
  const places = Uint16Array.from(here, ({ place }) => place);
  const as = Int32Array.from(here, ({ one }) => one.a);
  const bs = Int32Array.from(here, ({ one }) => one.b);
  const weights = Float64Array.from(here, ({ one }) => one.weight);
  const scales = Float64Array.from(here, ({ one }) => tryFor(one.weight));
  const seeds = slotSeeds();
  for (let slot = 0; slot < seeds.length; slot += 1) {
    if (lost[owners[slot] as number] === 0) continue;
    const seed = seeds[slot] as number;
    let best = Number.POSITIVE_INFINITY;
    let owner = 0;
    for (let i = 0; i < places.length; i += 1) {
      const drawn = draw(seed, as[i] as number, bs[i] as number);
      if (drawn >= best * (scales[i] as number)) continue;
      const waited = wait(drawn, weights[i] as number);
      if (waited >= best) continue;
      best = waited;
      owner = places[i] as number;
    }
    owners[slot] = owner;
    waits[slot] = best;
  }
};

/** All members, who waits least for the slot first: its owner, and who would own it next. */
export const inOrder = ({ members }: Slots, slot: number): readonly Member[] => {
  const seed = slotSeeds()[slot] as number;
  return members
    .flatMap((one) =>
      one === undefined ? [] : [{ one, waited: wait(draw(seed, one.a, one.b), one.weight) }],
    )
    .sort((x, y) => x.waited - y.waited || (x.one.name < y.one.name ? -1 : 1))
    .map(({ one }) => one);
};
