/**
 * The slots of a set of members, each with its owner and how long that one waited. Nobody owns a slot before it is asked
 * for, so that a start waits for none of them. A set that differs from another in a few members is made from it in a few
 * milliseconds; which way it was made, is nothing that can be told from it.
 */
import { type Seeds, SLOTS, seedOf, seedsOf, tryFor, wait } from './score';

const { imul } = Math;

export interface Member {
  /** Who it is; unique. */
  readonly name: string;
  /** More than 0. */
  readonly weight: number;
}

interface Entrant extends Member, Seeds {}

/** Never changed once it is made, but for slots that are asked for. */
export interface Slots {
  /** By slot, one more than the place of its owner in `members`; 0: it has not been asked for. */
  readonly owners: Uint16Array;
  readonly waits: Float32Array;
  /** By place, which a member keeps for as long as it is one; there may be gaps. */
  readonly members: readonly (Entrant | undefined)[];
}

/** What `owners` can tell apart. */
export const MAX_MEMBERS = 65_535;

const NOBODY: Slots = { owners: new Uint16Array(), waits: new Float32Array(), members: [] };

export const slotsOf = (members: readonly Member[]): Slots => changeSlots(NOBODY, members);

/** The same as `slotsOf(members)`, but for the places. */
export const changeSlots = (from: Slots, members: readonly Member[]): Slots => {
  const wanted = new Map(members.map((member) => [member.name, member]));
  /** By place, and one more: 1 for members whose slots are to be asked for again. */
  const lost = new Uint8Array(from.members.length + 1);
  const heavier: Entrant[] = [];
  const kept = from.members.map((before, place): Entrant | undefined => {
    if (before === undefined) return undefined;
    const now = wanted.get(before.name);
    wanted.delete(before.name);
    const after = now && entrantOf(now, before);
    if (after === undefined || after.weight < before.weight) lost[place + 1] = 1;
    else if (after.weight > before.weight) heavier.push(after);
    return after;
  });
  const isFirst = from.members.length === 0;
  const next = isFirst
    ? // The system gives none of these zeros before it is touched.
      { owners: new Uint16Array(SLOTS), waits: new Float32Array(SLOTS), members: kept }
    : { owners: from.owners.slice(), waits: from.waits.slice(), members: kept };
  const added = [...wanted.values()].map((member) => entrantOf(member, seedsOf(member.name)));
  if (lost.includes(1)) forget(next.owners, lost);
  for (const one of added) settle(kept, one);
  if (!isFirst) for (const one of [...heavier, ...added]) enter(next, one);
  return next;
};

/** The place of the owner; there must be members. */
export const ownerAt = (slots: Slots, slot: number): number => {
  const known = slots.owners[slot] as number;
  return known === 0 ? find(slots, slot) : known - 1;
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

/** Gives a member every slot in which it waits less than the owner; where none is known yet, it is among those who wait. */
const enter = ({ owners, waits, members }: Slots, entrant: Entrant): void => {
  const { a, b, weight } = entrant;
  const place = members.indexOf(entrant);
  const scale = tryFor(weight);
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const owner = owners[slot] as number;
    if (owner === 0) continue;
    const limit = waits[slot] as number;
    const drawn = draw(seedOf(slot), a, b);
    if (drawn >= limit * scale) continue;
    const waited = wait(drawn, weight);
    if (waited > limit || (waited === limit && !isBefore(entrant, members[owner - 1]))) continue;
    owners[slot] = place + 1;
    waits[slot] = waited;
  }
};

/** Two that wait alike: the name decides, so that neither the order of a list nor the past does. */
const isBefore = ({ name }: Member, other: Member | undefined): boolean =>
  other === undefined || name <= other.name;

/** Slots of `lost` members are anybody's again. */
const forget = (owners: Uint16Array, lost: Uint8Array): void => {
  for (let slot = 0; slot < SLOTS; slot += 1)
    if (lost[owners[slot] as number] === 1) owners[slot] = 0;
};

/** Members as the loop below is fastest with. */
interface Rivals {
  readonly places: Uint16Array;
  readonly as: Int32Array;
  readonly bs: Int32Array;
  readonly weights: Float64Array;
  readonly scales: Float64Array;
}

const made = new WeakMap<Slots['members'], Rivals>();

const rivalsOf = (members: Slots['members']): Rivals => {
  const known = made.get(members);
  if (known) return known;
  // In the order of the names: of two that wait alike the first one stays.
  const here = members
    .flatMap((one, place) => (one === undefined ? [] : [{ one, place }]))
    .sort((x, y) => (x.one.name < y.one.name ? -1 : 1));
  const rivals = {
    places: Uint16Array.from(here, ({ place }) => place),
    as: Int32Array.from(here, ({ one }) => one.a),
    bs: Int32Array.from(here, ({ one }) => one.b),
    weights: Float64Array.from(here, ({ one }) => one.weight),
    scales: Float64Array.from(here, ({ one }) => tryFor(one.weight)),
  };
  made.set(members, rivals);
  return rivals;
};

/** Gives a slot to whoever waits least of all members. */
const find = ({ owners, waits, members }: Slots, slot: number): number => {
  const { places, as, bs, weights, scales } = rivalsOf(members);
  const seed = seedOf(slot);
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
  owners[slot] = owner + 1;
  waits[slot] = best;
  return owner;
};

/** All members, who waits least for the slot first: its owner, and who would own it next. */
export const inOrder = ({ members }: Slots, slot: number): readonly Member[] => {
  const seed = seedOf(slot);
  return members
    .flatMap((one) =>
      one === undefined ? [] : [{ one, waited: wait(draw(seed, one.a, one.b), one.weight) }],
    )
    .sort((x, y) => x.waited - y.waited || (x.one.name < y.one.name ? -1 : 1))
    .map(({ one }) => one);
};
