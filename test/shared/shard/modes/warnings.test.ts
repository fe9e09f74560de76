/** Traps of the peers that a topology can be in, and is told of. */
import { describe, expect, test } from '@jest/globals';
import { envoyMaglev, envoyRing } from '../../../../shared/shard/modes/envoy';
import { haproxyConsistent } from '../../../../shared/shard/modes/haproxy';
import { jump } from '../../../../shared/shard/modes/jump';
import { nginxConsistent, nginxHash } from '../../../../shared/shard/modes/nginx';
import { twemproxyKetama, twemproxyModula } from '../../../../shared/shard/modes/twemproxy';
import type { MakePlacer } from '../../../../shared/shard/placer';
import type { Mode, Shard, Topology } from '../../../../shared/shard/topology';
import { bytesOf, KEYS } from '../peers-keys';
import { shardOf, topologyOf } from '../peers-topology';

const weighing = (...weights: readonly number[]): Shard[] =>
  weights.map((weight, at) => shardOf(`10.0.0.${at + 1}:80`, { weight }));
const equal = (count: number): Shard[] => weighing(...Array<number>(count).fill(1));

const codes = (
  make: MakePlacer,
  mode: Mode,
  shards: readonly Shard[],
  more: Partial<Topology> = {},
): string[] => make(topologyOf(mode, shards, more)).warnings.map(({ code }) => code);

/** How many keys each shard has. */
const tally = (make: MakePlacer, topology: Topology): number[] => {
  const { pick } = make(topology);
  const counts = topology.shards.map(() => 0);
  for (const key of KEYS) {
    const owner = pick(bytesOf(key)) as number;
    counts[owner] = (counts[owner] ?? 0) + 1;
  }
  return counts;
};

test('nothing is odd about usual topologies', () => {
  expect(codes(nginxConsistent, 'nginx-consistent', equal(5))).toEqual([]);
  expect(codes(nginxHash, 'nginx-hash', weighing(1, 2, 3))).toEqual([]);
  expect(codes(twemproxyKetama, 'twemproxy-ketama', equal(3))).toEqual([]);
  expect(codes(twemproxyModula, 'twemproxy-modula', equal(4))).toEqual([]);
  expect(codes(envoyRing, 'envoy-ring', equal(3))).toEqual([]);
  expect(codes(envoyMaglev, 'envoy-maglev', equal(100))).toEqual([]);
  expect(codes(haproxyConsistent, 'haproxy-consistent', weighing(100, 100))).toEqual([]);
  expect(codes(jump, 'jump', equal(3))).toEqual([]);
});

test('nor about those where nobody is left', () => {
  for (const more of [{ ejected: true }, { weight: 0, down: false }]) {
    const shards = equal(2).map((shard) => ({ ...shard, ...more }));
    expect(codes(haproxyConsistent, 'haproxy-consistent', shards)).toEqual([]);
  }
  const shards = equal(2).map((shard) => ({ ...shard, ejected: true }));
  expect(codes(nginxConsistent, 'nginx-consistent', shards)).toEqual([]);
  expect(codes(envoyRing, 'envoy-ring', shards)).toEqual([]);
});

describe('twemproxy', () => {
  test('ketama with crc32 sends nearly everything to one', () => {
    const topology = topologyOf('twemproxy-ketama', equal(5), { hash: 'crc32' });
    expect(twemproxyKetama(topology).warnings.map(({ code }) => code)).toEqual(['ketama_crc32']);
    expect(Math.max(...tally(twemproxyKetama, topology))).toBeGreaterThan(990);
    expect(codes(twemproxyKetama, 'twemproxy-ketama', equal(5), { hash: 'crc32a' })).toEqual([]);
  });

  test.each([3, 5, 15, 29])('modula with its own hash is uneven over %i slots', (count) => {
    const of = (more: Partial<Topology>) =>
      codes(twemproxyModula, 'twemproxy-modula', equal(count), more);
    expect(of({})).toEqual(['modula_fnv1a_64']);
    expect(of({ hash: 'murmur' })).toEqual([]);
    expect(codes(twemproxyModula, 'twemproxy-modula', weighing(1, count - 1))).toEqual([
      'modula_fnv1a_64',
    ]);
  });

  test('a weight too small for a point has no key', () => {
    const topology = topologyOf('twemproxy-ketama', weighing(1, 100, 100), { hash: 'md5' });
    expect(twemproxyKetama(topology).warnings).toEqual([
      { code: 'zero_points', message: expect.stringContaining('10.0.0.1:80') },
    ]);
    expect(tally(twemproxyKetama, topology)[0]).toBe(0);
  });
});

describe('nginx', () => {
  test('one that is down and has most of the points takes the keys from all', () => {
    const [first, ...rest] = weighing(30, 1, 1, 1, 1) as [Shard, ...Shard[]];
    const shards = [{ ...first, down: true }, ...rest];
    expect(codes(nginxConsistent, 'nginx-consistent', shards)).toEqual(['down_spills']);
    expect(codes(nginxHash, 'nginx-hash', shards)).toEqual(['down_spills']);
    const light = [{ ...first, down: true, weight: 1 }, ...rest];
    expect(codes(nginxConsistent, 'nginx-consistent', light)).toEqual([]);
  });

  test('equal points and equal addresses', () => {
    const many = weighing(400, 400, 400, 400, 400);
    expect(codes(nginxConsistent, 'nginx-consistent', many)).toEqual(['equal_points']);
    const twins = [...equal(2), ...equal(1)];
    expect(codes(nginxConsistent, 'nginx-consistent', twins)).toContain('same_address');
  });
});

describe('too few points', () => {
  test('HAProxy has 16 for a weight of 1', () => {
    expect(codes(haproxyConsistent, 'haproxy-consistent', equal(3))).toEqual(['few_points']);
    expect(codes(haproxyConsistent, 'haproxy-consistent', weighing(10, 10))).toEqual([]);
    expect(codes(haproxyConsistent, 'haproxy-consistent', equal(1))).toEqual([]);
  });

  test('a ring of Envoy is shared by all', () => {
    expect(codes(envoyRing, 'envoy-ring', equal(50))).toEqual(['few_points']);
    expect(codes(envoyRing, 'envoy-ring', equal(50), { minimumRingSize: 10_000 })).toEqual([]);
  });

  test('a table of Envoy smaller than its hosts', () => {
    expect(codes(envoyMaglev, 'envoy-maglev', equal(10), { tableSize: 7 })).toEqual([
      'zero_points',
    ]);
  });
});

test('jump knows no weights', () => {
  expect(codes(jump, 'jump', weighing(1, 2))).toEqual(['weights_ignored']);
});
