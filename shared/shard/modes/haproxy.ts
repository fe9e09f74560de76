/**
 * HAProxy: `hash-type consistent`. Source: lb_chash.c, backend.c.
 *
 * The nearest point counts, before or behind. A disabled server is out; one that is `down` here keeps its points, and
 * the walk goes on behind them, as HAProxy's own does past a server that it avoids. An empty key is none: then
 * HAProxy takes whose turn it is.
 */
import { avalanche } from '../hash/haproxy';
import { HAPROXY_DEFAULT, HAPROXY_HASHES, named } from '../hash/named';
import type { MakePlacer } from '../placer';
import type { Shard } from '../topology';
import { around, fewPoints, type Members, membersOf, usableFrom } from './members';
import { type Ring, ringBuilder, seek } from './ring';

/** For each 1 of weight. */
const POINTS = 16;
/** What lies between the points of one id and those of the next, before they are spread. */
const SPAN = 4096;

export const haproxyConsistent: MakePlacer = ({
  shards,
  hash: name,
  avalanche: isSpread = name === undefined,
}) => {
  const members = membersOf(shards.map(drained));
  const ring = ringOf(shards, members);
  const { points, owners } = ring;
  const plain = named(HAPROXY_HASHES, name, HAPROXY_DEFAULT);
  const hash = isSpread ? (key: Uint8Array) => avalanche(plain(key)) : plain;

  const start = (key: Uint8Array): number => nearest(ring, hash(key));
  const find = (key: Uint8Array): number => usableFrom(owners, start(key), members);
  return {
    pick: (key) => {
      if (members.only !== undefined) return members.only;
      if (key.length === 0) return undefined;
      const at = find(key);
      return at < 0 ? undefined : (owners[at] as number);
    },
    candidates: (key) => {
      if (key.length > 0) return around(owners, start(key), members);
      return members.only === undefined ? [] : [members.only];
    },
    trace: (key) => {
      const at = key.length === 0 ? -1 : find(key);
      return { hash: `${hash(key)}`, ...(at >= 0 && { point: `${points[at]}` }) };
    },
    warnings: [...fewPoints(points.length, members, 'weights of 10 and more have enough.')],
  };
};

/** No weight, no new keys: as if it were disabled. */
const drained = (shard: Shard): Shard => (shard.weight > 0 ? shard : { ...shard, ejected: true });

const ringOf = (shards: readonly Shard[], { listed }: Members): Ring => {
  const ids = haproxyIds(shards);
  const weights = [...listed].reduce((sum, index) => sum + (shards[index] as Shard).weight, 0);
  const { put, build } = ringBuilder(POINTS * weights);
  for (const index of listed) {
    const { weight } = shards[index] as Shard;
    const first = (ids[index] as number) * SPAN;
    for (let at = 0; at < POINTS * weight; at++) put(avalanche(first + at), index);
  }
  return build();
};

/** The id of each. Who is given none has his place in the list, from 1, or what is free behind it. */
export const haproxyIds = (shards: readonly Shard[]): number[] => {
  const taken = new Set(shards.map(({ id }) => id));
  let free = 1;
  return shards.map(({ id }) => {
    if (id !== undefined) {
      free++;
      return id;
    }
    while (taken.has(free)) free++;
    taken.add(free);
    return free++;
  });
};

/** Position of the point next to the hash; the one before it when both are as near. */
const nearest = (ring: Ring, hash: number): number => {
  const { points } = ring;
  const behind = seek(ring, hash);
  const before = behind === 0 ? points.length - 1 : behind - 1;
  const back = (hash - (points[before] as number)) >>> 0;
  const forth = ((points[behind] as number) - hash) >>> 0;
  return back <= forth ? before : behind;
};
