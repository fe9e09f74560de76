/** Placements recorded from a real nginx. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nginxConsistent, nginxHash } from '../../../shared/shard/modes/nginx';
import type { Shard } from '../../../shared/shard/topology';
import { type Nginx, startNginx } from '../../support/nginx';
import { KEYS } from './peers-keys';
import { expectSame, placementsOf, shardOf, topologyOf } from './peers-topology';
import { askHttp } from './peers-wire';

/** Nobody listens there; nginx tells whom it has chosen, and that is all that is asked. */
const port = (at: number): string => `127.0.0.1:${9 + at}`;
const equal = (count: number): Shard[] =>
  Array.from({ length: count }, (_, at) => shardOf(port(at)));
const weighing = (...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf(port(at), { weight }));
const down = (shards: readonly Shard[], ...indexes: readonly number[]): Shard[] =>
  shards.map((shard, at) => ({ ...shard, down: indexes.includes(at) }));

interface Case {
  readonly shards: readonly Shard[];
  /** As nginx tells them, where they are not resolved to themselves. */
  readonly resolved?: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
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

const WAYS = { consistent: nginxConsistent, plain: nginxHash } as const;
type Way = keyof typeof WAYS;

const upstream = ({ shards }: Case, way: Way, header = '$http_x_key'): string =>
  [
    `hash ${header}${way === 'consistent' ? ' consistent' : ''};`,
    ...shards
      .filter(({ ejected }) => !ejected)
      .map(
        ({ address, weight, down }) =>
          `server ${address} weight=${weight} max_fails=0${down ? ' down' : ''};`,
      ),
  ].join(' ');

let nginx: Nginx;

beforeAll(async () => {
  nginx = await startNginx(
    Object.fromEntries(
      Object.keys(WAYS).flatMap((way) =>
        Object.entries(CASES).map(([name, one]) => [`${way}_${name}`, upstream(one, way as Way)]),
      ),
    ),
  );
});
afterAll(() => nginx?.stop());

const ask = async (way: Way, name: string, keys: readonly string[]) => {
  const { shards, resolved } = CASES[name] as Case;
  const answers = await askHttp(nginx.path, `${way}_${name}`, keys);
  // A name may have an address of each family, for the same port.
  if (resolved) return answers.map((one) => resolved.indexOf(one.replace('[::1]', '127.0.0.1')));
  const addresses = shards.map(({ address }) => address);
  return answers.map((one) => addresses.indexOf(one));
};

describe.each(Object.keys(WAYS) as Way[])('hash, %s', (way) => {
  test.each(Object.keys(CASES))(
    'each key that decides goes where nginx sends it: %s',
    async (name) => {
      const ours = placementsOf(
        WAYS[way],
        topologyOf(
          way === 'consistent' ? 'nginx-consistent' : 'nginx-hash',
          (CASES[name] as Case).shards,
        ),
        KEYS,
      );
      const theirs = await ask(way, name, KEYS);
      const decided = KEYS.map((_, at) => at).filter((at) => ours[at] !== undefined);
      expectSame(
        decided.map((at) => KEYS[at] as string),
        decided.map((at) => ours[at]),
        decided.map((at) => theirs[at]),
      );
      expect(new Set(theirs).has(-1)).toBe(false);
      if (!name.startsWith('heavy_down')) expect(decided).toHaveLength(KEYS.length);
    },
  );

  test('a key that does not decide is sent here and there', async () => {
    const { shards } = CASES.heavy_down as Case;
    const mode = way === 'consistent' ? 'nginx-consistent' : 'nginx-hash';
    const ours = placementsOf(WAYS[way], topologyOf(mode, shards), KEYS);
    const open = KEYS.filter((_, at) => ours[at] === undefined);
    expect(open.length).toBeGreaterThan(10);
    for (const key of open.slice(0, 20)) {
      const theirs = await ask(way, 'heavy_down', Array(8).fill(key));
      expect(new Set(theirs).size).toBe(4);
    }
  });

  test('an empty key decides nothing', async () => {
    const { shards } = CASES.three as Case;
    const mode = way === 'consistent' ? 'nginx-consistent' : 'nginx-hash';
    expect(placementsOf(WAYS[way], topologyOf(mode, shards), [''])).toEqual([undefined]);
    expect(new Set(await ask(way, 'three', ['', '', '']))).toEqual(new Set([0, 1, 2]));
  });
});
