/** Placements recorded from a real HAProxy. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { haproxyConsistent } from '../../../shared/shard/modes/haproxy';
import type { Shard, Topology } from '../../../shared/shard/topology';
import { type Haproxy, startHaproxy } from '../../support/haproxy';
import { KEYS } from './peers-keys';
import { expectSame, placementsOf, shardOf, topologyOf } from './peers-topology';
import { askHttp, type Stub, startHttpStub } from './peers-wire';

/** One server is enough behind it: HAProxy itself tells whom it has chosen. */
const weighing = (...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf('127.0.0.1', { name: `s${at}`, weight }));

const named = (shards: readonly Shard[], ...ids: readonly (number | undefined)[]): Shard[] =>
  shards.map((shard, at) => {
    const id = ids[at];
    return id === undefined ? shard : { ...shard, id };
  });

const without = (shards: readonly Shard[], ...indexes: readonly number[]): Shard[] =>
  shards.map((shard, at) => ({ ...shard, ejected: indexes.includes(at) }));

const HUNDREDS = weighing(100, 100, 100, 100, 100);

const CASES: Readonly<Record<string, Omit<Topology, 'mode'>>> = {
  ones: { shards: weighing(1, 1, 1) },
  tens: { shards: weighing(10, 10, 10, 10, 10) },
  hundreds: { shards: HUNDREDS },
  mixed: { shards: weighing(1, 10, 100, 256, 50) },
  twelve: { shards: weighing(...Array<number>(12).fill(20)) },
  one: { shards: weighing(1) },
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
  drained: { shards: weighing(100, 0, 100, 0) },
  all_but_one_drained: { shards: weighing(0, 100, 0) },
  ids: { shards: named(HUNDREDS, 7, 3, 900, 1, 12) },
  some_ids: { shards: named(HUNDREDS, 2, undefined, undefined, 4, undefined) },
  disabled_ids: { shards: without(named(HUNDREDS, undefined, undefined, 3, 2), 1, 2) },
};

const backend = ({ shards, hash, avalanche }: Omit<Topology, 'mode'>, port: number): string[] => [
  'balance hdr(x-key)',
  `hash-type consistent ${hash ?? ''} ${avalanche ? 'avalanche' : ''}`.trimEnd(),
  ...shards.map(
    ({ address, name, weight, id, ejected }) =>
      `server ${name} ${address}:${port} weight ${weight}${id ? ` id ${id}` : ''}${ejected ? ' disabled' : ''}`,
  ),
];

let stub: Stub;
let haproxy: Haproxy;

beforeAll(async () => {
  stub = await startHttpStub();
  haproxy = await startHaproxy(
    Object.fromEntries(
      Object.entries(CASES).map(([name, topology]) => [name, backend(topology, stub.port)]),
    ),
  );
});

afterAll(async () => {
  await haproxy?.stop();
  await stub?.stop();
});

const record = async (name: string, keys: readonly string[]): Promise<number[]> => {
  const names = (CASES[name] as Omit<Topology, 'mode'>).shards.map((shard) => shard.name);
  // One at a time: HAProxy refuses some of what is sent far ahead.
  const answers = await askHttp(haproxy.path, name, keys, 1);
  return answers.map((answer) => names.indexOf(answer));
};

const place = (name: string, keys: readonly string[]) => {
  const topology = CASES[name] as Omit<Topology, 'mode'>;
  const complete = topologyOf('haproxy-consistent', topology.shards, topology);
  return placementsOf(haproxyConsistent, complete, keys);
};

describe('hash-type consistent', () => {
  test.each(Object.keys(CASES))('each key goes where HAProxy sends it: %s', async (name) => {
    const theirs = await record(name, KEYS);
    expectSame(KEYS, place(name, KEYS), theirs);
    expect(theirs).not.toContain(-1);
  });

  test('an empty key decides nothing', async () => {
    expect(place('hundreds', [''])).toEqual([undefined]);
    const theirs = await record('hundreds', Array<string>(50).fill(''));
    expect(new Set(theirs).size).toBeGreaterThan(1);
  });

  test.each([
    ['all_but_one_disabled', 2],
    ['all_but_one_drained', 1],
  ])('but there is no choice where one is left: %s', async (name, left) => {
    expect(place(name, [''])).toEqual([left]);
    expect(await record(name, ['', ''])).toEqual([left, left]);
  });
});
