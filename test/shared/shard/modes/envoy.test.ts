/** Envoy's rings and tables beside those that its own unit tests list. */
import { describe, expect, test } from '@jest/globals';
import { envoyMaglev, envoyRing } from '../../../../shared/shard/modes/envoy';
import type { Shard, Topology } from '../../../../shared/shard/topology';
import { bytesOf, KEYS } from '../peers-keys';
import { shardOf, topologyOf } from '../peers-topology';

const hosts = (first: number, last: number): Shard[] =>
  Array.from({ length: last - first + 1 }, (_, at) => shardOf(`127.0.0.1:${first + at}`));
const hostnames = hosts(90, 95).map((shard, at) => ({ ...shard, name: `${90 + at}` }));

/** Points in order, as `trace` tells them: between two of them lies no third. */
const ringOf = (topology: Topology): string[] => {
  const { trace, pick } = envoyRing(topology);
  const found = new Map<string, string>();
  for (let at = 0; at < 20_000; at++) {
    const key = bytesOf(`${at}`);
    const owner = topology.shards[pick(key) as number]?.name ?? '';
    found.set(trace(key).point as string, owner.replace('127.0.0.1:', ''));
  }
  return [...found]
    .sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1))
    .map(([point, name]) => `${name} ${point}`);
};

describe('ring_hash', () => {
  test('XXH64 of address and number', () => {
    expect(ringOf(topologyOf('envoy-ring', hosts(90, 95), { minimumRingSize: 12 }))).toEqual([
      '94 833437586790550860',
      '92 928266305478181108',
      '90 1033482794131418490',
      '95 3551244743356806947',
      '93 3851675632748031481',
      '91 5583722120771150861',
      '91 6311230543546372928',
      '93 7700377290971790572',
      '95 13144177310400110813',
      '92 13444792449719432967',
      '94 15516499411664133160',
      '90 16117243373044804889',
    ]);
  });

  test('MurmurHash2', () => {
    const more = { minimumRingSize: 12, hash: 'murmur_hash_2' };
    expect(ringOf(topologyOf('envoy-ring', hosts(80, 85), more))).toEqual([
      '85 1358027074129602068',
      '83 4361834613929391114',
      '84 7224494972555149682',
      '81 7701421856454313576',
      '82 8649315368077433379',
      '84 8739448859063030639',
      '81 9887544217113020895',
      '82 10150910876324007731',
      '83 15168472011420622455',
      '80 15427156902705414897',
      '85 16375050414328759093',
      '80 17613279263364193813',
    ]);
  });

  test('names stand in for addresses, as host names and hash keys do', () => {
    expect(ringOf(topologyOf('envoy-ring', hostnames, { minimumRingSize: 12 }))).toEqual([
      '95 1975508444536362413',
      '95 2376063919839173711',
      '93 2386806903309390596',
      '94 6749904478991551885',
      '93 6803900775736438537',
      '92 7225015537174310577',
      '90 8787465352164086522',
      '92 11282020843382717940',
      '91 13723418369486627818',
      '90 13776502110861797421',
      '91 14338313586354474791',
      '94 15364271037087512980',
    ]);
  });

  const counts = (topology: Topology): Record<string, number> => {
    const tally: Record<string, number> = {};
    for (const line of ringOf(topology)) {
      const name = line.split(' ')[0] as string;
      tally[name] = (tally[name] ?? 0) + 1;
    }
    return tally;
  };

  test('weights are made whole by the smallest, and bounded by the largest ring', () => {
    const weighing = hosts(90, 92).map((shard, at) => ({ ...shard, weight: at + 1 }));
    const at = (more: Partial<Topology>) => counts(topologyOf('envoy-ring', weighing, more));
    expect(at({ minimumRingSize: 20 })).toEqual({ 90: 4, 91: 8, 92: 12 });
    expect(at({ minimumRingSize: 20, maximumRingSize: 6 })).toEqual({ 90: 1, 91: 2, 92: 3 });
  });

  test('1024 points are the fewest unless another number is given', () => {
    const total = (shards: readonly Shard[]) =>
      Object.values(counts(topologyOf('envoy-ring', shards))).reduce((sum, one) => sum + one, 0);
    // Only those points are seen that some key finds.
    expect(total(hosts(90, 91))).toBeGreaterThan(900);
    expect(total(hosts(90, 91))).toBeLessThanOrEqual(1024);
  });

  test('an attempt takes the next point', () => {
    const topology = topologyOf('envoy-ring', hosts(90, 95), { minimumRingSize: 12 });
    const lines = ringOf(topology);
    const { candidates, trace } = envoyRing(topology);
    for (const key of KEYS.slice(0, 50).map(bytesOf)) {
      const at = lines.findIndex((line) => line.endsWith(` ${trace(key).point}`));
      const walked = [...lines.slice(at), ...lines.slice(0, at)].map((line) => line.slice(0, 2));
      expect(Array.from(candidates(key), (index) => `${90 + index}`)).toEqual([...new Set(walked)]);
    }
  });
});

describe('maglev', () => {
  /** Owners of the slots, by keys that fall into them. */
  const tableOf = (topology: Topology): number[] => {
    const { trace, pick } = envoyMaglev(topology);
    const table: number[] = [];
    for (let at = 0; at < 1000; at++) {
      const key = bytesOf(`${at}`);
      table[Number(trace(key).point)] = pick(key) as number;
    }
    return table;
  };

  test('of six hosts', () => {
    const topology = topologyOf('envoy-maglev', hosts(90, 95), { tableSize: 7 });
    expect(tableOf(topology)).toEqual([2, 4, 0, 1, 5, 0, 3]);
  });

  test('of six host names', () => {
    const topology = topologyOf('envoy-maglev', hostnames, { tableSize: 7 });
    expect(tableOf(topology)).toEqual([2, 5, 0, 3, 4, 1, 0]);
  });

  test('of two hosts, the second twice as heavy', () => {
    const shards = hosts(90, 91).map((shard, at) => ({ ...shard, weight: at + 1 }));
    const topology = topologyOf('envoy-maglev', shards, { tableSize: 17 });
    expect(tableOf(topology)).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]);
  });

  test('the order of the list does not matter', () => {
    const forward = envoyMaglev(topologyOf('envoy-maglev', hosts(90, 99)));
    const backward = envoyMaglev(topologyOf('envoy-maglev', hosts(90, 99).reverse()));
    for (const key of KEYS.map(bytesOf))
      expect(backward.pick(key)).toBe(9 - (forward.pick(key) as number));
  });

  test('an attempt turns the hash by its number', () => {
    const topology = topologyOf('envoy-maglev', hosts(90, 95), { tableSize: 7 });
    const table = tableOf(topology);
    const { candidates, trace } = envoyMaglev(topology);
    for (const key of KEYS.slice(0, 50).map(bytesOf)) {
      const hash = BigInt(trace(key).hash);
      const tried = Array.from({ length: 100 }, (_, attempt) => {
        const turned = attempt === 0 ? hash : hash ^ (2n ** 64n - BigInt(attempt));
        return table[Number(turned % 7n)];
      });
      expect([...candidates(key)]).toEqual([...new Set(tried)]);
    }
  });
});
