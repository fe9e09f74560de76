/**
 * Which server a request goes to: a pure decision over how well the servers are, what they have in flight, and the time.
 * Only chance comes in from outside, where two that will do are equal.
 *
 * Fails closed where a key has an owner: without a policy that says so, nobody else is asked for it. A key whose owner
 * is well and has room goes there, whatever has become of the others.
 */
import type { Random } from '../../shared/random';
import type { Shard } from '../../shared/shard/topology';
import { hasRoom, isLighter, type Load, type Total } from './bound';
import type { Choice, OnDown, Role, Wish } from './choice';
import { type Circuit, type CircuitLimits, isClosed, mayProbe } from './circuit';
import { nobody } from './refuse';
import { ofTwo } from './replicas';

export type Go = Extract<Choice, { kind: 'go' }>;

export interface Server {
  readonly url: string;
  readonly circuit: Circuit;
  readonly inFlight: number;
}

/** A shard with its servers: none when the table does not use it. */
export interface Place {
  readonly shard: Shard;
  readonly servers: readonly Server[];
  /** Whether all of them are well. */
  readonly isWell: boolean;
  readonly load: Load;
  /** What is chosen when its one server is asked as the owner; made once. @default it has several */
  readonly go: Go | undefined;
}

export interface Facts {
  placeOf(shard: Shard): Place;
  /** Those that are in use by their table. */
  used(): readonly Place[];
  /** Those of them with a server that is well. */
  up(): readonly Place[];
  /** Of those that are up. */
  readonly total: Total;
}

export interface Rules {
  readonly onDown: OnDown;
  /** @default as much as comes */
  readonly bound: number | undefined;
  readonly limits: CircuitLimits;
  /** How long `pin-retry` tries, ms. */
  readonly retryFor: number;
  readonly random: Pick<Random, 'below'>;
}

/** The factor of those that carry what is neither more nor less than their part. */
const EVEN = 1;

export const choose = (wish: Wish, facts: Facts, rules: Rules, now: number): Choice => {
  const { owner, tried } = wish;
  if (owner === undefined) return spread(wish, facts, rules, now);
  const place = facts.placeOf(owner);
  if (
    place.go !== undefined &&
    place.isWell &&
    tried.size === 0 &&
    isFree(place, facts, rules.bound)
  )
    return place.go;
  // One attempt is all that `fail` gives: whoever waits is told at once.
  if (rules.onDown === 'fail' && tried.size > 0) return nobody([place], wish, rules, now);
  return walk(place, wish, facts, rules, now);
};

const isFree = ({ load }: Place, { total }: Facts, bound: number | undefined): boolean =>
  bound === undefined || hasRoom(load, total, bound);

interface Picked {
  readonly server: Server;
  readonly probe: boolean;
}

/** The server of a shard that is asked, if one can be. */
const pick = (
  { servers, isWell }: Place,
  tried: ReadonlySet<string>,
  { limits, random }: Rules,
  now: number,
): Picked | undefined => {
  const left = tried.size === 0 ? servers : servers.filter(({ url }) => !tried.has(url));
  const well = isWell ? left : left.filter(({ circuit }) => isClosed(circuit));
  // A request that has failed once is not risked again while there is another way.
  if (well.length < left.length && (tried.size === 0 || well.length === 0)) {
    const server = left.find(({ circuit }) => mayProbe(circuit, limits, now));
    if (server !== undefined) return { server, probe: true };
  }
  const server = ofTwo(well, hasLess, random);
  return server && { server, probe: false };
};

const hasLess = (one: Server, other: Server): boolean => one.inFlight < other.inFlight;

const goTo = ({ shard }: Place, { server, probe }: Picked, role: Role): Go => ({
  kind: 'go',
  shard,
  url: server.url,
  role,
  probe,
});

/** The owner, and behind it those who come next, as far as the policies let one go. */
const walk = (owner: Place, wish: Wish, facts: Facts, rules: Rules, now: number): Choice => {
  const { tried } = wish;
  const own = pick(owner, tried, rules, now);
  if (own === undefined && rules.onDown !== 'next') return nobody([owner], wish, rules, now);
  const again = owner.servers.some(({ url }) => tried.has(url));
  const ownRole = again ? 'replica' : 'owner';
  if (own !== undefined && (own.probe || isFree(owner, facts, rules.bound)))
    return goTo(owner, own, ownRole);

  const role = own === undefined ? 'next' : 'bound';
  // Who only helps out is filled no further than its even part while another is not: else it would be full for its own.
  const part = role === 'bound' ? EVEN : rules.bound;
  let lightest = own && { load: owner.load, go: goTo(owner, own, ownRole) };
  const seen: Place[] = [];
  for (const shard of wish.candidates()) {
    const place = facts.placeOf(shard);
    seen.push(place);
    const picked = pick(place, tried, rules, now);
    if (picked === undefined) continue;
    const go = goTo(place, picked, role);
    if (isFree(place, facts, part)) return go;
    if (lightest === undefined || isLighter(place.load, lightest.load))
      lightest = { load: place.load, go };
  }
  return lightest?.go ?? nobody(seen, wish, rules, now);
};

/** Any shard will do, so that a policy for those that are down has nothing to say. */
const spread = (wish: Wish, facts: Facts, rules: Rules, now: number): Choice => {
  const { tried } = wish;
  const used = facts.used();
  const up = facts.up();
  if (tried.size === 0)
    for (const place of used) {
      const picked = place.isWell ? undefined : pick(place, tried, rules, now);
      if (picked?.probe) return goTo(place, picked, 'spread');
    }
  const left = tried.size === 0 ? up : up.filter((place) => hasUntried(place, tried));
  const two = ofTwo(left, (one, other) => isLighter(one.load, other.load), rules.random);
  const place = two && (isFree(two, facts, rules.bound) ? two : lightestOf(left));
  const picked = place && pick(place, tried, rules, now);
  return picked ? goTo(place, picked, 'spread') : nobody(used, wish, rules, now);
};

const hasUntried = ({ servers }: Place, tried: ReadonlySet<string>): boolean =>
  servers.some(({ url, circuit }) => isClosed(circuit) && !tried.has(url));

const lightestOf = (places: readonly Place[]): Place | undefined =>
  places.reduce<Place | undefined>(
    (least, one) => (least === undefined || isLighter(one.load, least.load) ? one : least),
    undefined,
  );
