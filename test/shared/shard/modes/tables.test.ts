/** Modes without a hash: remainders, ordinals, tables. */
import { describe, expect, test } from '@jest/globals';
import { modulo } from '../../../../shared/shard/modes/modulo';
import { ordinal } from '../../../../shared/shard/modes/ordinal';
import { lookup, prefix, range } from '../../../../shared/shard/modes/tables';
import type { MakePlacer } from '../../../../shared/shard/placer';
import type { Shard, Topology } from '../../../../shared/shard/topology';
import { bytesOf } from '../peers-keys';
import { shardOf, topologyOf } from '../peers-topology';

const shards = (...more: readonly Partial<Shard>[]): Shard[] =>
  ['a', 'b', 'c'].map((name, at) => shardOf(`${name}:1`, { name, ...more[at] }));

const picks = (make: MakePlacer, topology: Topology, ...keys: readonly string[]) => {
  const { pick } = make(topology);
  return keys.map((key) => pick(bytesOf(key)));
};

describe('modulo', () => {
  test('takes numbers of any length, and nothing else', () => {
    const long = '123456789012345678901234567890';
    expect(
      picks(modulo, topologyOf('modulo', shards()), '0', '1', '5', '007', long, '-1', '1a', ''),
    ).toEqual([0, 1, 2, 1, Number(BigInt(long) % 3n), undefined, undefined, undefined]);
  });

  test('takes every key when a hash is named', () => {
    const topology = topologyOf('modulo', shards(), { hash: 'crc32' });
    expect(picks(modulo, topology, '123456789')).toEqual([0xcbf43926 % 3]);
    expect(modulo(topology).trace(bytesOf('123456789'))).toEqual({
      hash: `${0xcbf43926}`,
      point: `${0xcbf43926 % 3}`,
    });
  });

  test('who is ejected is not counted; who is down leaves his keys to the next', () => {
    const ejected = topologyOf('modulo', shards({ ejected: true }));
    expect(picks(modulo, ejected, '0', '1', '2', '3')).toEqual([1, 2, 1, 2]);
    const down = topologyOf('modulo', shards({}, {}, { down: true }));
    expect(picks(modulo, down, '0', '1', '2', '3')).toEqual([0, 1, 0, 0]);
  });
});

describe('ordinal', () => {
  test('is the remainder', () => {
    expect(picks(ordinal, topologyOf('ordinal', shards()), '0', '4', '11', 'x')).toEqual([
      0,
      1,
      2,
      undefined,
    ]);
  });

  test('nobody stands in for an ordinal, and none changes', () => {
    const topology = topologyOf('ordinal', shards({ ejected: true }, { down: true }));
    expect(picks(ordinal, topology, '0', '1', '2')).toEqual([undefined, undefined, 2]);
    expect([...ordinal(topology).candidates(bytesOf('1'))]).toEqual([]);
    expect(ordinal(topology).trace(bytesOf('4'))).toEqual({ hash: '4', point: '1' });
  });
});

describe('tables', () => {
  test('by key: nothing but what is listed', () => {
    const table = { eins: 'a', žluť: 'b', toString: 'c' };
    const topology = topologyOf('lookup', shards(), { table });
    expect(picks(lookup, topology, 'eins', 'žluť', 'toString', 'eins ', '', 'valueOf')).toEqual([
      0,
      1,
      2,
      undefined,
      undefined,
      undefined,
    ]);
    expect(lookup(topology).trace(bytesOf('žluť'))).toEqual({ hash: 'none', point: 'žluť' });
  });

  test('by beginning: the longest one counts', () => {
    const table = { 'de-': 'a', 'de-by-': 'b', é: 'c' };
    const topology = topologyOf('prefix', shards(), { table });
    expect(picks(prefix, topology, 'de-x', 'de-by-x', 'de-by', 'étude', 'de', 'x')).toEqual([
      0,
      1,
      0,
      2,
      undefined,
      undefined,
    ]);
    const all = topologyOf('prefix', shards(), { table: { ...table, '': 'c' } });
    expect(picks(prefix, all, 'x', '', 'de-')).toEqual([2, 2, 0]);
  });

  test('by span: by bytes, with its first key and without the one that ends it', () => {
    const table = [
      { from: 'm', to: 'z', shard: 'b' },
      { to: 'm', shard: 'a' },
      { from: '\u{ff5e}', to: '\u{1f600}', shard: 'c' },
    ];
    const topology = topologyOf('range', shards(), { table });
    expect(picks(range, topology, '', 'lzz', 'm', 'yy', 'z', 'zz')).toEqual([
      0,
      0,
      1,
      1,
      undefined,
      undefined,
    ]);
    // In UTF-16 this span would be empty.
    expect(picks(range, topology, '\u{ff5f}', '\u{1f600}')).toEqual([2, undefined]);
  });

  test('what is no UTF-8 is no listed key', () => {
    const topology = topologyOf('lookup', shards(), { table: { '\ufffd': 'a' } });
    expect(lookup(topology).pick(Uint8Array.of(0xff))).toBeUndefined();
    expect(lookup(topology).pick(bytesOf('\ufffd'))).toBe(0);
  });

  test('who is down or ejected has no deputy', () => {
    const table = { x: 'a', y: 'b', z: 'c' };
    const topology = topologyOf('lookup', shards({ down: true }, { ejected: true }), { table });
    expect(picks(lookup, topology, 'x', 'y', 'z')).toEqual([undefined, undefined, 2]);
    expect([...lookup(topology).candidates(bytesOf('z'))]).toEqual([2]);
    expect([...lookup(topology).candidates(bytesOf('x'))]).toEqual([]);
  });
});
