/** When two tables have the same digest: when they place every key alike. */
import { describe, expect, test } from '@jest/globals';
import { shardTable } from '../../../shared/shard/table';
import type { ShardInput, TopologyInput } from '../../../shared/shard/topology';

const A: ShardInput = { name: 'a', address: '10.0.0.1:80' };
const B: ShardInput = { name: 'b', address: '10.0.0.2:80', weight: 2 };
const digest = (topology: TopologyInput) => shardTable(topology).digest;
const native = (...shards: readonly ShardInput[]) => digest({ mode: 'native', shards });

test('a digest is the same in every process and for ever', () => {
  expect(native(A, B)).toBe('1c431ace8545f493');
});

describe('it is the same', () => {
  test.each<[string, TopologyInput, TopologyInput]>([
    ['in any order', { mode: 'native', shards: [A, B] }, { mode: 'native', shards: [B, A] }],
    [
      'in any order (maglev)',
      { mode: 'envoy-maglev', shards: [A, B] },
      { mode: 'envoy-maglev', shards: [B, A] },
    ],
    [
      'at another address, where the name is hashed',
      { mode: 'native', shards: [A, B] },
      { mode: 'native', shards: [{ ...A, address: '10.9.9.9:80' }, B] },
    ],
    [
      'when a default is written out',
      { mode: 'envoy-ring', shards: [A] },
      { mode: 'envoy-ring', shards: [{ ...A, weight: 1 }], hash: 'xx_hash', minimumRingSize: 1024 },
    ],
    [
      "when HAProxy's defaults are",
      { mode: 'haproxy-consistent', shards: [A, B] },
      {
        mode: 'haproxy-consistent',
        shards: [
          { ...A, id: 1 },
          { ...B, id: 2 },
        ],
        hash: 'sdbm',
        avalanche: true,
      },
    ],
    [
      'with an option that the mode does not take',
      { mode: 'native', shards: [A] },
      { mode: 'native', shards: [A], tableSize: 7 },
    ],
    [
      'whatever the order of a table',
      {
        mode: 'range',
        shards: [A, B],
        table: [
          { to: 'm', shard: 'a' },
          { from: 'm', shard: 'b' },
        ],
      },
      {
        mode: 'range',
        shards: [B, A],
        table: [
          { from: 'm', shard: 'b' },
          { to: 'm', shard: 'a' },
        ],
      },
    ],
    [
      'whatever the order of the pins',
      { mode: 'native', shards: [A, B], pins: { x: 'a', y: 'b' } },
      { mode: 'native', shards: [A, B], pins: { y: 'b', x: 'a' } },
    ],
  ])('%s', (_, one, other) => {
    expect(digest(one)).toBe(digest(other));
  });
});

describe('it is another', () => {
  const base: TopologyInput = { mode: 'native', shards: [A, B] };
  test.each<[string, TopologyInput, TopologyInput]>([
    ['with another mode', base, { ...base, mode: 'jump' }],
    ['with one more', base, { ...base, shards: [A, B, { address: 'c' }] }],
    ['with another name', base, { ...base, shards: [{ ...A, name: 'z' }, B] }],
    ['with another weight', base, { ...base, shards: [A, { ...B, weight: 3 }] }],
    ['when one is down', base, { ...base, shards: [A, { ...B, down: true }] }],
    ['when one is ejected', base, { ...base, shards: [A, { ...B, ejected: true }] }],
    ['with a pin', base, { ...base, pins: { k: 'a' } }],
    ['with another pin', { ...base, pins: { k: 'a' } }, { ...base, pins: { k: 'b' } }],
    [
      'in another order, where that decides',
      { mode: 'modulo', shards: [A, B] },
      { mode: 'modulo', shards: [B, A] },
    ],
    [
      'at another address, where that is hashed',
      { mode: 'nginx-consistent', shards: [A, B] },
      { mode: 'nginx-consistent', shards: [{ ...A, address: '10.9.9.9:80' }, B] },
    ],
    [
      'with another hash',
      { mode: 'twemproxy-ketama', shards: [A, B] },
      { mode: 'twemproxy-ketama', shards: [A, B], hash: 'md5' },
    ],
    [
      'with another id',
      { mode: 'haproxy-consistent', shards: [A, B] },
      { mode: 'haproxy-consistent', shards: [{ ...A, id: 7 }, B] },
    ],
    [
      'with another table',
      { mode: 'lookup', shards: [A, B], table: { k: 'a' } },
      { mode: 'lookup', shards: [A, B], table: { k: 'b' } },
    ],
  ])('%s', (_, one, other) => {
    expect(digest(one)).not.toBe(digest(other));
  });
});
