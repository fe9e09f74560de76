/**
 * A closed load on a table, in counts alone: so many requests are in flight at any time, and whenever one of them, any of
 * them, is over, the next one comes. Keys come as often as Zipf's law has it. The same seed, the same counts.
 */
import type { Servers } from '../../../functions/shard-router/choice';
import { createServers } from '../../../functions/shard-router/servers';
import { shardTable } from '../../../shared/shard/table';
import type { Mode } from '../../../shared/shard/topology';
import { randomOf } from '../../support/random';

export interface ZipfLoad {
  readonly mode: Mode;
  readonly shards: number;
  /** Which shards and keys they are. */
  readonly seed: number;
  readonly keys: number;
  /** The key of rank r comes as often as 1 / r ** exponent. */
  readonly exponent: number;
  readonly inFlight: number;
  readonly requests: number;
  /** @default plain hashing */
  readonly bound?: number;
}

export interface ZipfCounts {
  /** Requests of the most loaded shard by those of the average one. */
  readonly maxByMean: number;
  /** The part of the requests that went to another shard than the owner of their key. */
  readonly off: number;
  /** The most that any shard had in flight, by the average. */
  readonly peak: number;
  /** The part of the requests that shards had above 1.25 times the average: what at least must go elsewhere. */
  readonly above: number;
}

export const zipfLoad = (load: ZipfLoad): ZipfCounts => {
  const { mode, shards, seed, keys, exponent, inFlight, requests, bound } = load;
  const random = randomOf(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const table = shardTable({
    mode,
    shards: Array.from({ length: shards }, (_, n) => ({ address: `10.${seed}.0.${n + 1}:8080` })),
  });
  const servers: Servers = createServers({
    onDown: 'fail',
    bound,
    failures: 3,
    openFor: 10_000,
    random: { below },
  });
  servers.update(table.shards);

  const nextRank = ranks(keys, exponent, random);
  const flights: { readonly shard: number; readonly end: () => void }[] = [];
  const at = new Map(table.shards.map((shard, n) => [shard, n]));
  const busy = new Array<number>(shards).fill(0);
  const counts = new Array<number>(shards).fill(0);
  const none: ReadonlySet<string> = new Set();
  let off = 0;
  let most = 0;
  for (let n = 0; n < requests; n += 1) {
    const key = `user:${seed}:${nextRank()}`;
    const choice = servers.choose(
      { owner: table.place(key), candidates: () => table.candidates(key), tried: none, since: n },
      n,
    );
    if (choice.kind !== 'go') throw new Error(`a request was ${choice.kind}`);
    const { settle, end } = servers.begin(choice);
    settle('answered', n);
    const shard = at.get(choice.shard) as number;
    flights.push({ shard, end });
    (busy[shard] as number) += 1;
    (counts[shard] as number) += 1;
    if (choice.role !== 'owner') off += 1;
    most = Math.max(most, busy[shard] as number);
    if (flights.length < inFlight) continue;
    const over = below(flights.length);
    const last = flights.pop() as (typeof flights)[number];
    const gone = over === flights.length ? last : (flights[over] as typeof last);
    if (gone !== last) flights[over] = last;
    gone.end();
    (busy[gone.shard] as number) -= 1;
  }
  return {
    maxByMean: Math.max(...counts) / (requests / shards),
    off: off / requests,
    peak: most / (inFlight / shards),
    above: counts.reduce((sum, one) => sum + Math.max(0, one / requests - 1.25 / shards), 0),
  };
};

/** Ranks from 1 on, by chance, each as often as it should come. */
const ranks = (keys: number, exponent: number, random: () => number): (() => number) => {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let rank = 1; rank <= keys; rank += 1) {
    sum += rank ** -exponent;
    sums[rank - 1] = sum;
  }
  return () => {
    const drawn = random() * sum;
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low + 1;
  };
};
