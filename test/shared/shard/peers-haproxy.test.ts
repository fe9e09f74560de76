/** Placements recorded from a real HAProxy. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { haproxyConsistent } from '../../../shared/shard/modes/haproxy';
import type { Topology } from '../../../shared/shard/topology';
import { type Haproxy, startHaproxy } from '../../support/haproxy';
import { HAPROXY_CASES as CASES } from './peers-cases';
import { KEYS } from './peers-keys';
import { expectSame, placementsOf, topologyOf } from './peers-topology';
import { askHttp, type Stub, startHttpStub } from './peers-wire';

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
