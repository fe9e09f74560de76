/** Envoy's `ring_hash`: points of 64 bits, as many as make the smallest weight's a whole number. */
import { numberedBytes, toBytes } from '../bytes';
import type { Word } from '../hash/hash';
import { toBigInt } from '../hash/hash';
import { ENVOY_DEFAULT, ENVOY_HASHES, named } from '../hash/named';
import type { MakePlacer } from '../placer';
import type { Shard, Topology } from '../topology';
import { placerByHash } from './envoy-hash';
import { around, fewPoints, type Members, membersOf, usableFrom } from './members';
import { type Index, indexOf } from './ring';

const MINIMUM = 1024;
const MAXIMUM = 8 * 1024 * 1024;

interface WideRing {
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
  readonly owners: Uint32Array;
  readonly index: Index;
}

export const envoyRing: MakePlacer = (topology) => {
  const members = membersOf(topology.shards);
  const ring = ringOf(topology, members);
  const { highs, lows, owners } = ring;
  return placerByHash({
    members,
    owners,
    find: (hash) => usableFrom(owners, seekWide(ring, hash), members),
    /** An attempt takes the point behind that of the one before. */
    candidates: (hash) => around(owners, seekWide(ring, hash), members),
    point: (at) => `${toBigInt(Int32Array.of(lows[at] ?? 0, highs[at] ?? 0))}`,
    warnings: fewPoints(owners.length, members, 'a larger minimumRingSize helps.'),
  });
};

const ringOf = (topology: Topology, { listed }: Members): WideRing => {
  const { shards, minimumRingSize = MINIMUM, maximumRingSize = MAXIMUM } = topology;
  const hash = named(ENVOY_HASHES, topology.hash, ENVOY_DEFAULT);
  const weights = [...listed].map((index) => (shards[index] as Shard).weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const parts = weights.map((weight) => weight / total);
  const least = Math.min(...parts);
  const scale = Math.min(Math.ceil(least * minimumRingSize) / least, maximumRingSize);

  const highs: number[] = [];
  const lows: number[] = [];
  const owners: number[] = [];
  const word: Word = new Int32Array(2);
  let target = 0;
  listed.forEach((index, at) => {
    target += scale * (parts[at] as number);
    const { name } = shards[index] as Shard;
    const numbered = numberedBytes(toBytes(name), '_');
    for (let nth = 0; owners.length < target; nth++) {
      hash(numbered(nth), word);
      lows.push((word[0] as number) >>> 0);
      highs.push((word[1] as number) >>> 0);
      owners.push(index);
    }
  });
  const order = Uint32Array.from(owners.keys()).sort(
    (a, b) =>
      (highs[a] as number) - (highs[b] as number) || (lows[a] as number) - (lows[b] as number),
  );
  const sorted = (values: readonly number[]) => order.map((at) => values[at] as number);
  const upper = sorted(highs);
  return { highs: upper, lows: sorted(lows), owners: sorted(owners), index: indexOf(upper) };
};

/** Position of the first point that is not below the hash; behind the last one comes the first. */
const seekWide = ({ highs, lows, index }: WideRing, word: Word): number => {
  const low = (word[0] as number) >>> 0;
  const high = (word[1] as number) >>> 0;
  const { length } = highs;
  let at = index.starts[high >>> index.shift] as number;
  while (at < length && (highs[at] as number) < high) at++;
  while (at < length && highs[at] === high && (lows[at] as number) < low) at++;
  return at === length ? 0 : at;
};
