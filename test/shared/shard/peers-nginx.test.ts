/** Placements recorded from a real nginx. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nginxConsistent, nginxHash } from '../../../shared/shard/modes/nginx';
import { type Nginx, startNginx } from '../../support/nginx';
import { NGINX_CASES as CASES, type NginxCase as Case } from './peers-cases';
import { KEYS } from './peers-keys';
import { expectSame, placementsOf, topologyOf } from './peers-topology';
import { askHttp } from './peers-wire';

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
