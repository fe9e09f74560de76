/** Topologies whose placements are recorded from real peers. */
import path from 'node:path';
import { TWEMPROXY_HASHES } from '../../../shared/shard/hash/named';
import type { Shard, Topology } from '../../../shared/shard/topology';
import { shardOf } from './peers-topology';

/** Nobody listens there; nginx tells whom it has chosen, and that is all that is asked. */
const port = (at: number): string => `127.0.0.1:${9 + at}`;
const equal = (count: number): Shard[] =>
  Array.from({ length: count }, (_, at) => shardOf(port(at)));
const weighing = (...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf(port(at), { weight }));
const down = (shards: readonly Shard[], ...indexes: readonly number[]): Shard[] =>
  shards.map((shard, at) => ({ ...shard, down: indexes.includes(at) }));

export interface NginxCase {
  readonly shards: readonly Shard[];
  /** As nginx tells them, where they are not resolved to themselves. */
  readonly resolved?: readonly string[];
}

export const NGINX_CASES: Readonly<Record<string, NginxCase>> = {
  three: { shards: equal(3) },
  five: { shards: equal(5) },
  twelve: { shards: equal(12) },
  weights: { shards: weighing(1, 2, 3, 4, 5) },
  heavy: { shards: weighing(400, 400, 400, 400, 400) },
  reordered: { shards: weighing(1, 2, 3, 4, 5).reverse() },
  one_down: { shards: down(equal(5), 2) },
  three_down: { shards: down(weighing(1, 2, 3, 4, 5), 0, 2, 4) },
  heavy_down: { shards: down(weighing(30, 1, 1, 1, 1), 0) },
  all_but_one_down: { shards: down(equal(4), 0, 1, 3) },
  one: { shards: equal(1) },
  without_port: {
    shards: ['127.0.0.7', '127.0.0.8', '127.0.0.9:80', '127.0.0.10:081'].map((one) => shardOf(one)),
    resolved: ['127.0.0.7:80', '127.0.0.8:80', '127.0.0.9:80', '127.0.0.10:81'],
  },
  ipv6: { shards: ['[::1]:9', '[::1]:10', '[::1]:11', '127.0.0.1:9'].map((one) => shardOf(one)) },
  unix: {
    shards: [
      'unix:/nowhere/a.sock',
      'unix:/nowhere/b.sock',
      'unix:/nowhere/c:9',
      '127.0.0.1:9',
    ].map((one) => shardOf(one)),
  },
  host_names: {
    shards: ['localhost:9', 'LocalHost:10', 'LOCALHOST:11'].map((one) => shardOf(one)),
    resolved: ['127.0.0.1:9', '127.0.0.1:10', '127.0.0.1:11'],
  },
  names: { shards: equal(4).map((shard, at) => ({ ...shard, name: `shard-${at}` })) },
  ejected: { shards: equal(5).map((shard, at) => ({ ...shard, ejected: at === 1 })) },
};

/** One server is enough behind it: HAProxy itself tells whom it has chosen. */
const parts = (...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf('127.0.0.1', { name: `s${at}`, weight }));

const named = (shards: readonly Shard[], ...ids: readonly (number | undefined)[]): Shard[] =>
  shards.map((shard, at) => {
    const id = ids[at];
    return id === undefined ? shard : { ...shard, id };
  });

const without = (shards: readonly Shard[], ...indexes: readonly number[]): Shard[] =>
  shards.map((shard, at) => ({ ...shard, ejected: indexes.includes(at) }));

const HUNDREDS = parts(100, 100, 100, 100, 100);

export const HAPROXY_CASES: Readonly<Record<string, Omit<Topology, 'mode'>>> = {
  ones: { shards: parts(1, 1, 1) },
  tens: { shards: parts(10, 10, 10, 10, 10) },
  hundreds: { shards: HUNDREDS },
  mixed: { shards: parts(1, 10, 100, 256, 50) },
  twelve: { shards: parts(...Array<number>(12).fill(20)) },
  one: { shards: parts(1) },
  sdbm: { shards: HUNDREDS, hash: 'sdbm' },
  sdbm_avalanche: { shards: HUNDREDS, hash: 'sdbm', avalanche: true },
  djb2: { shards: HUNDREDS, hash: 'djb2' },
  djb2_avalanche: { shards: HUNDREDS, hash: 'djb2', avalanche: true },
  wt6: { shards: HUNDREDS, hash: 'wt6' },
  wt6_avalanche: { shards: HUNDREDS, hash: 'wt6', avalanche: true },
  crc32: { shards: HUNDREDS, hash: 'crc32' },
  crc32_avalanche: { shards: HUNDREDS, hash: 'crc32', avalanche: true },
  disabled: { shards: without(HUNDREDS, 2) },
  all_but_one_disabled: { shards: without(HUNDREDS, 0, 1, 3, 4) },
  drained: { shards: parts(100, 0, 100, 0) },
  all_but_one_drained: { shards: parts(0, 100, 0) },
  ids: { shards: named(HUNDREDS, 7, 3, 900, 1, 12) },
  some_ids: { shards: named(HUNDREDS, 2, undefined, undefined, 4, undefined) },
  disabled_ids: { shards: without(named(HUNDREDS, undefined, undefined, 3, 2), 1, 2) },
};

const HASHES = Object.keys(TWEMPROXY_HASHES);
export const MEMCACHED = [1, 2, 3].map((at) => `127.0.2.${at}`);

export type TwemproxyCases = Readonly<Record<string, Omit<Topology, 'mode'>>>;

export const TWEMPROXY_CASES = [
  ...HASHES.map((hash) => `hash_${hash}`),
  ...['one', 'two', 'twelve', 'reordered', 'heavy', 'tiny', 'forty_seven', 'hundred'],
  ...[
    'names',
    'memcached_port',
    'unix',
    'host_names',
    'braces',
    'dollars',
    'ejected',
    'ejected_weights',
  ],
];

/** On each address of 127.0.1.0/24 the same one listens. */
const numbered = (port: number, ...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf(`127.0.1.${at + 1}:${port}`, { weight }));

const alike = (port: number, count: number): Shard[] =>
  numbered(port, ...Array<number>(count).fill(1));

/** `closed`: where nobody listens; `folder`: of the sockets. */
export const twemproxyCases = ({
  port,
  closed,
  folder,
}: {
  readonly port: number;
  readonly closed: number;
  readonly folder: string;
}): TwemproxyCases => {
  const five = numbered(port, 1, 2, 3, 4, 5);
  const broken = (shards: readonly Shard[]) =>
    shards.map((shard, at) =>
      at === 1 ? shardOf(`127.0.1.9:${closed}`, { weight: shard.weight, ejected: true }) : shard,
    );
  return {
    ...Object.fromEntries(HASHES.map((hash) => [`hash_${hash}`, { shards: five, hash }])),
    one: { shards: alike(port, 1) },
    two: { shards: alike(port, 2) },
    twelve: { shards: alike(port, 12) },
    reordered: { shards: [...five].reverse() },
    heavy: { shards: numbered(port, 400, 100, 400), hash: 'murmur' },
    tiny: { shards: numbered(port, 1, 100, 100), hash: 'md5' },
    forty_seven: { shards: alike(port, 47), hash: 'murmur' },
    hundred: { shards: alike(port, 100), hash: 'hsieh' },
    names: {
      shards: alike(port, 4).map((shard, at) => ({
        ...shard,
        name: `shard-${at}`,
        weight: at + 1,
      })),
    },
    memcached_port: { shards: MEMCACHED.map((host) => shardOf(`${host}:11211`)), hash: 'md5' },
    unix: { shards: ['a', 'b', 'c'].map((name) => shardOf(path.join(folder, name))), hash: 'md5' },
    host_names: {
      shards: [shardOf(`localhost:${port}`), ...alike(port, 10)],
      hash: 'md5',
    },
    braces: { shards: alike(port, 5), hash: 'jenkins', hashTag: '{}' },
    dollars: { shards: alike(port, 5), hash: 'one_at_a_time', hashTag: '$$' },
    ejected: { shards: broken(alike(port, 5)), hash: 'md5' },
    ejected_weights: { shards: broken(five), hash: 'fnv1_32' },
  };
};
