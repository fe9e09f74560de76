/** Placements recorded from a real twemproxy, with servers behind it that say who they are. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { twemproxyKetama, twemproxyModula } from '../../../shared/shard/modes/twemproxy';
import type { Topology } from '../../../shared/shard/topology';
import { type Nutcracker, startNutcracker } from '../../support/nutcracker';
import { freePort } from '../../support/restate';
import {
  TWEMPROXY_CASES as CASES,
  MEMCACHED,
  type TwemproxyCases,
  twemproxyCases,
} from './peers-cases';
import { KEYS } from './peers-keys';
import { expectSame, placementsOf, topologyOf } from './peers-topology';
import { askRedis, type Stub, startRedisStub } from './peers-wire';

const WAYS = { ketama: twemproxyKetama, modula: twemproxyModula } as const;
type Way = keyof typeof WAYS;

let folder: string;
let stubs: Stub[];
let nutcracker: Nutcracker;
let topologies: TwemproxyCases;

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
  topologies = twemproxyCases({
    port: (stubs[0] as Stub).port,
    closed: await freePort(),
    folder,
  });
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
