/** Keys of Envoy's hash policies, by what its own tests say and by its source. */
import { describe, expect, test } from '@jest/globals';
import { xxh64 } from '../../../../shared/shard/hash/xxh64';
import type { Key, KeySource, PlacedKey } from '../../../../shared/shard/key/key';
import { shardTable } from '../../../../shared/shard/table';
import type { TopologyInput } from '../../../../shared/shard/topology';
import { type Asked, read, valueFor } from './reading';

const SHARDS = Array.from({ length: 6 }, (_, at) => ({ address: `127.0.0.1:${90 + at}` }));
const MODES = ['envoy-ring', 'envoy-maglev'] as const;

/** With BigInt, as it is written down. */
const hash = (value: string | Uint8Array, seed = 0n): bigint => {
  const word = new Int32Array(2);
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  xxh64(bytes, word, Number(seed >> 32n) | 0, Number(seed & 0xffffffffn) | 0);
  return (BigInt((word[1] as number) >>> 0) << 32n) | BigInt((word[0] as number) >>> 0);
};
const turned = (one: bigint) => BigInt.asUintN(64, (one << 1n) | (one >> 63n));

describe.each(MODES)('%s', (mode) => {
  const table = shardTable({ mode, shards: SHARDS });
  const hashOf = (key: string | PlacedKey) => BigInt(table.explain(key).hash);
  const keyOf = (source: KeySource, asked: Asked) => read(source, asked, mode) as Key;

  test('values are chained, each the seed of the next', () => {
    expect(hashOf({ value: 'shown', policies: [['foo', 'bar']] })).toBe(17745830980996999794n);
  });

  test('several values of a header are chained in the order of their bytes', () => {
    for (const values of [
      ['foo', 'bar'],
      ['bar', 'foo'],
    ]) {
      const key = keyOf({ header: 'x' }, { headers: values.map((value) => ['x', value]) });
      expect(key.policies).toEqual([['bar', 'foo']]);
      expect(hashOf(key)).toBe(hash('foo', hash('bar')));
      expect(key.value).toBe(values.join(', '));
    }
    const wide = keyOf(
      { header: 'x' },
      {
        headers: [
          ['x', '\xff'],
          ['x', 'z'],
          ['x', 'a'],
        ],
      },
    );
    expect(hashOf(wide)).toBe(hash(Uint8Array.of(0xff), hash('z', hash('a'))));
  });

  test('one value is hashed as it is, and a comma in it says nothing', () => {
    const key = keyOf({ header: 'x' }, { headers: [['x', 'b, a']] });
    expect(key).toEqual({ value: 'b, a', source: 'header x' });
    expect(hashOf(key)).toBe(hash('b, a'));
  });

  test('policies are combined, each turning what was there', () => {
    const all: KeySource = { all: [{ header: 'x' }, { query: 'k' }, { path: 1 }] };
    const key = keyOf(all, {
      target: '/p?k=%41',
      headers: [
        ['x', 'b'],
        ['x', 'a'],
      ],
    });
    expect(key.policies).toEqual([['a', 'b'], ['%41'], ['p']]);
    expect(key.value).toBe('b, a %41 p');
    const chained = hash('b', hash('a'));
    expect(hashOf(key)).toBe(turned(turned(chained) ^ hash('%41')) ^ hash('p'));
  });

  test('the same policy twice does not cancel itself out', () => {
    const key = keyOf({ all: [{ query: 'k' }, { query: 'k' }] }, { target: '/?k=a' });
    expect(hashOf(key)).toBe(turned(hash('a')) ^ hash('a'));
    expect(hashOf(key)).not.toBe(0n);
  });

  test('with a separator they are one text', () => {
    const source: KeySource = { all: [{ header: 'x' }, { query: 'k' }], separator: '-' };
    const key = keyOf(source, { target: '/?k=b', headers: [['x', 'a']] });
    expect(key).toEqual({ value: 'a-b', source: 'header x + query k' });
  });

  test('pins look at what is shown', () => {
    const pinned = shardTable({ mode, shards: SHARDS, pins: { 'a b': '127.0.0.1:93' } });
    const key: PlacedKey = { value: 'a b', policies: [['a'], ['b']] };
    expect(pinned.place(key)?.name).toBe('127.0.0.1:93');
    expect(pinned.explain(key).pinned).toBe(true);
    expect(pinned.candidates(key)[0]?.name).toBe('127.0.0.1:93');
  });

  test('all that a table says of a key, it says by its policies', () => {
    for (let at = 0; at < 200; at += 1) {
      const one: PlacedKey = { value: 'shown', policies: [[`${at}`]] };
      expect(table.place(one)).toBe(table.place(`${at}`));
      expect(table.candidates(one)).toEqual(table.candidates(`${at}`));
      const { key, ...rest } = table.explain(one);
      const { key: _, ...same } = table.explain(`${at}`);
      expect([key, rest]).toEqual(['shown', same]);
    }
    const two = table.explain({ value: 'shown', policies: [['b', 'a'], ['c']] });
    expect(two.bytes).toBe('626163');
    expect(two.candidates).toHaveLength(SHARDS.length);
    expect(two.shard).toBe(two.candidates[0]);
  });

  test('where one shard is left, policies have no choice either', () => {
    const alone = shardTable({
      mode,
      shards: SHARDS.map((shard, at) => ({ ...shard, down: at !== 4 })),
    });
    expect(alone.place({ value: 'x', policies: [['a'], ['b']] })?.address).toBe('127.0.0.1:94');
  });

  test.each<[string, KeySource, Asked, unknown]>([
    ['an empty header is a value', { header: 'x' }, { headers: [['x', '']] }, ''],
    ['an absent one is none', { header: 'x' }, {}, 'missing'],
    ['an empty parameter is a value', { query: 'k' }, { target: '/?a&k=&k=1' }, ''],
    ['and one without a value', { query: 'k' }, { target: '/?k&k=1' }, ''],
    ['a parameter is raw', { query: 'k' }, { target: '/?K=0&k=%41+' }, '%41+'],
    ['a pattern sees the query', { path: '^(.*)$' }, { target: '/a%41//b?c=d' }, '/a%41//b?c=d'],
    ['unless it is decoded', { path: '^(.*)$', decode: true }, { target: '/a%41?c' }, '/aA'],
    [
      'a cookie sheds its quotes',
      { cookie: 's' },
      { headers: [['cookie', 'a=1; s="x y"']] },
      'x y',
    ],
    ['but not one alone', { cookie: 's' }, { headers: [['cookie', 's="']] }, '"'],
    ['keeps a space at its end', { cookie: 's' }, { headers: [['cookie', 's=x ; b=1']] }, 'x '],
    ['is the first', { cookie: 's' }, { headers: [['cookie', 't; s=1; s=2']] }, '1'],
    ['and none when it is empty', { cookie: 's' }, { headers: [['cookie', 's=; s=2']] }, 'missing'],
    ['nor with its quotes', { cookie: 's' }, { headers: [['cookie', 's=""']] }, 'missing'],
    ['in the case of its name', { cookie: 's' }, { headers: [['cookie', 'S=1']] }, 'missing'],
    ['the client is text', { client: 'address' }, { clientAddress: '10.0.0.1' }, '10.0.0.1'],
  ])('%s', (_, source, asked, value) => {
    expect(valueFor(source, asked, mode)).toEqual(value);
  });
});

test('whatever a ring hashes its points with, a request is hashed by XXH64', () => {
  const topology: TopologyInput = { mode: 'envoy-ring', shards: SHARDS, hash: 'murmur_hash_2' };
  expect(shardTable(topology).explain('key').hash).toBe(`${hash('key')}`);
});
