/** Placements recorded from a real twemproxy, with servers behind it that say who they are. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TWEMPROXY_HASHES } from '../../../shared/shard/hash/named';
import { twemproxyKetama, twemproxyModula } from '../../../shared/shard/modes/twemproxy';
import type { Shard, Topology } from '../../../shared/shard/topology';
import { type Nutcracker, startNutcracker } from '../../support/nutcracker';
import { freePort } from '../../support/restate';
import { KEYS } from './peers-keys';
import { expectSame, placementsOf, shardOf, topologyOf } from './peers-topology';
import { askRedis, type Stub, startRedisStub } from './peers-wire';

const WAYS = { ketama: twemproxyKetama, modula: twemproxyModula } as const;
type Way = keyof typeof WAYS;

const HASHES = Object.keys(TWEMPROXY_HASHES);
const MEMCACHED = [1, 2, 3].map((at) => `127.0.2.${at}`);

let folder: string;
let stubs: Stub[];
let nutcracker: Nutcracker;
let topologies: Readonly<Record<string, Omit<Topology, 'mode'>>>;

const CASES = [
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
const addresses = (port: number, ...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf(`127.0.1.${at + 1}:${port}`, { weight }));

const equal = (port: number, count: number): Shard[] =>
  addresses(port, ...Array<number>(count).fill(1));

const describeTopologies = (port: number, closed: number): typeof topologies => {
  const five = addresses(port, 1, 2, 3, 4, 5);
  const broken = (shards: readonly Shard[]) =>
    shards.map((shard, at) =>
      at === 1 ? shardOf(`127.0.1.9:${closed}`, { weight: shard.weight, ejected: true }) : shard,
    );
  return {
    ...Object.fromEntries(HASHES.map((hash) => [`hash_${hash}`, { shards: five, hash }])),
    one: { shards: equal(port, 1) },
    two: { shards: equal(port, 2) },
    twelve: { shards: equal(port, 12) },
    reordered: { shards: [...five].reverse() },
    heavy: { shards: addresses(port, 400, 100, 400), hash: 'murmur' },
    tiny: { shards: addresses(port, 1, 100, 100), hash: 'md5' },
    forty_seven: { shards: equal(port, 47), hash: 'murmur' },
    hundred: { shards: equal(port, 100), hash: 'hsieh' },
    names: {
      shards: equal(port, 4).map((shard, at) => ({
        ...shard,
        name: `shard-${at}`,
        weight: at + 1,
      })),
    },
    memcached_port: { shards: MEMCACHED.map((host) => shardOf(`${host}:11211`)), hash: 'md5' },
    unix: { shards: ['a', 'b', 'c'].map((name) => shardOf(path.join(folder, name))), hash: 'md5' },
    host_names: {
      shards: [shardOf(`localhost:${port}`), ...equal(port, 10)],
      hash: 'md5',
    },
    braces: { shards: equal(port, 5), hash: 'jenkins', hashTag: '{}' },
    dollars: { shards: equal(port, 5), hash: 'one_at_a_time', hashTag: '$$' },
    ejected: { shards: broken(equal(port, 5)), hash: 'md5' },
    ejected_weights: { shards: broken(five), hash: 'fnv1_32' },
  };
};

const poolOf = (distribution: Way, { shards, hash, hashTag }: Omit<Topology, 'mode'>) => ({
  settings: {
    distribution,
    ...(hash && { hash }),
    ...(hashTag && { hash_tag: hashTag }),
    // For the whole test: what is ejected does not come back.
    auto_eject_hosts: shards.some(({ ejected }) => ejected),
    server_failure_limit: 1,
    server_retry_timeout: 3_600_000,
  },
  servers: shards.map(
    ({ address, name, weight }) => `${address}:${weight}${name === address ? '' : ` ${name}`}`,
  ),
});

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shards-'));
  stubs = await Promise.all([
    startRedisStub(),
    ...MEMCACHED.map((host) => startRedisStub({ host, port: 11211 })),
    ...['a', 'b', 'c'].map((name) => startRedisStub({ path: path.join(folder, name) })),
  ]);
  topologies = describeTopologies((stubs[0] as Stub).port, await freePort());
  nutcracker = await startNutcracker(
    Object.fromEntries(
      Object.entries(topologies).flatMap(([name, topology]) =>
        (Object.keys(WAYS) as Way[]).map((way) => [`${way}_${name}`, poolOf(way, topology)]),
      ),
    ),
  );
});

afterAll(async () => {
  await nutcracker?.stop();
  await Promise.all((stubs ?? []).map((stub) => stub.stop()));
  await rm(folder, { recursive: true, force: true });
});

describe.each(Object.keys(WAYS) as Way[])('%s', (way) => {
  const record = async (name: string): Promise<number[]> => {
    const { shards } = topologies[name] as Omit<Topology, 'mode'>;
    const socket = nutcracker.pathOf(`${way}_${name}`);
    // The first failure ejects; then nobody fails any more.
    if (shards.some(({ ejected }) => ejected)) await askRedis(socket, KEYS);
    const answers = await askRedis(socket, KEYS);
    const port = `:${stubs[0]?.port}`;
    return answers.map((answer) =>
      shards.findIndex(
        ({ address }) =>
          address === answer ||
          (address.startsWith('localhost') && [`127.0.0.1${port}`, `::1${port}`].includes(answer)),
      ),
    );
  };

  test.each(CASES)('each key goes where twemproxy sends it: %s', async (name) => {
    const topology = topologies[name] as Omit<Topology, 'mode'>;
    const mode = `twemproxy-${way}` as const;
    const ours = placementsOf(WAYS[way], topologyOf(mode, topology.shards, topology), KEYS);
    const theirs = await record(name);
    expectSame(KEYS, ours, theirs);
    expect(theirs).not.toContain(-1);
  });
});
