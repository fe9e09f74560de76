/** The table that routers, clients and the command line share. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { native } from '../../../shared/shard/native';
import { InvalidTopology } from '../../../shared/shard/read';
import { shardTable } from '../../../shared/shard/table';
import { MODES, type Topology, type TopologyInput } from '../../../shared/shard/topology';

const shards = (...names: readonly string[]) =>
  names.map((name, i) => ({ name, address: `10.0.0.${i + 1}:80` }));
const bytes = (text: string) => new TextEncoder().encode(text);

/** One that can be used, of each mode. */
const sampleOf = (mode: TopologyInput['mode']): TopologyInput => ({
  mode,
  shards: shards('a', 'b', 'c', 'd'),
  ...((mode === 'lookup' || mode === 'prefix') && { table: { '1': 'a', '': 'b' } }),
  ...(mode === 'range' && {
    table: [
      { to: 'm', shard: 'a' },
      { from: 'm', shard: 'b' },
    ],
  }),
});

describe.each(MODES)('mode %s', (mode) => {
  const table = shardTable(sampleOf(mode));

  test('gives a text what it gives its bytes, the owner as the first candidate, each shard once', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat().map(String)), (key) => {
        const owner = table.place(key);
        expect(table.place(bytes(key))).toBe(owner);
        const candidates = table.candidates(key);
        if (owner) expect(candidates[0]).toBe(owner);
        expect(new Set(candidates).size).toBe(candidates.length);
        const { shard, address, candidates: names, hash } = table.explain(key);
        expect([shard, address]).toEqual([owner?.name ?? null, owner?.address ?? null]);
        expect(names).toEqual(candidates.map(({ name }) => name));
        expect(hash).not.toBe('');
      }),
      { numRuns: 100 },
    );
  });

  test('never places a key with a shard that is down or ejected', () => {
    const away = shardTable({
      ...sampleOf(mode),
      shards: shards('a', 'b', 'c', 'd').map((shard, i) => ({
        ...shard,
        down: i === 0,
        ejected: i === 1,
      })),
    });
    for (let i = 0; i < 500; i += 1) {
      const names = [away.place(`${i}`), ...away.candidates(`${i}`)].map((one) => one?.name);
      expect(names).not.toContain('a');
      expect(names).not.toContain('b');
    }
  });

  test('changes to what a new table would be', () => {
    const next = { ...sampleOf(mode), shards: shards('a', 'b', 'e', 'c', 'd') };
    const [changed, fresh] = [table.change(next, { epoch: 2 }), shardTable(next)];
    expect([changed.digest, changed.epoch, table.epoch]).toEqual([fresh.digest, 2, 0]);
    for (let i = 0; i < 500; i += 1)
      expect(changed.place(`${i}`)?.name).toBe(fresh.place(`${i}`)?.name);
  });

  test('with every shard away has no owner for any key, and says so', () => {
    const away = shardTable({
      ...sampleOf(mode),
      shards: shards('a', 'b', 'c', 'd').map((shard) => ({ ...shard, ejected: true })),
    });
    expect([away.place('1'), [...away.candidates('1')]]).toEqual([undefined, []]);
    expect(away.warnings.map(({ code }) => code)).toContain('no_shard');
    expect(away.explain('1').shard).toBe(null);
  });
});

describe('a pin', () => {
  const pins = { 'tenant ü': 'c', '': 'b' };
  const table = shardTable({ mode: 'native', shards: shards('a', 'b', 'c'), pins });

  test('decides before the hash, for a text and for its bytes', () => {
    expect([table.place('tenant ü')?.name, table.place(bytes('tenant ü'))?.name]).toEqual([
      'c',
      'c',
    ]);
    expect(table.place('')?.name).toBe('b');
    expect(table.explain('tenant ü')).toMatchObject({ pinned: true, shard: 'c' });
    expect(table.explain('tenant')).toMatchObject({ pinned: false });
  });

  test('leaves the others as candidates, in the order of the mode', () => {
    const plain = shardTable({ mode: 'native', shards: shards('a', 'b', 'c') });
    const rest = plain.candidates('tenant ü').filter(({ name }) => name !== 'c');
    expect(table.candidates('tenant ü').map(({ name }) => name)).toEqual([
      'c',
      ...rest.map(({ name }) => name),
    ]);
  });

  test('matches no bytes that are not UTF-8, and a byte order mark is part of a key', () => {
    const odd = shardTable({
      mode: 'native',
      shards: shards('a', 'b', 'c'),
      pins: { '\ufffd': 'a', k: 'b' },
    });
    expect(odd.explain(Uint8Array.of(0xff)).pinned).toBe(false);
    expect(odd.explain(Uint8Array.of(0xef, 0xbb, 0xbf, 0x6b)).pinned).toBe(false);
    expect(odd.explain(Uint8Array.of(0x6b)).pinned).toBe(true);
  });

  test('to a shard that is away holds as little as its points, and is warned of', () => {
    const away = shardTable({
      mode: 'native',
      shards: shards('a', 'b', 'c').map((shard) => ({ ...shard, down: shard.name === 'c' })),
      pins,
    });
    expect(away.place('tenant ü')?.name).not.toBe('c');
    expect(away.warnings).toEqual([expect.objectContaining({ code: 'pin_down' })]);
  });
});

test('an option that the mode does not take is warned of', () => {
  const { warnings } = shardTable({
    ...sampleOf('native'),
    hash: 'md5',
    tableSize: 7,
    replicas: 2,
  });
  expect(warnings.map(({ code, message }) => [code, message])).toEqual([
    ['option_unused', 'Mode native takes no hash.'],
    ['option_unused', 'Mode native takes no tableSize.'],
    ['option_unused', 'Mode native takes no replicas.'],
  ]);
});

test('a topology with mistakes makes no table, and the error has them all', () => {
  const bad = { mode: 'native', shards: [{ address: 'a' }, { address: 'a', weight: 0 }] } as const;
  expect(() => shardTable(bad)).toThrow(InvalidTopology);
  expect(() => shardTable(bad)).toThrow(/\/shards\/1\/name [\s\S]*\/shards\/1\/weight /);
  expect(() => shardTable(sampleOf('native')).change(bad)).toThrow(InvalidTopology);
  for (const epoch of [-1, 1.5, Number.NaN])
    expect(() => shardTable(sampleOf('native'), { epoch })).toThrow(TypeError);
});

test('a table changes to that of another mode as well', () => {
  const changed = shardTable(sampleOf('native')).change(sampleOf('jump'));
  const fresh = shardTable(sampleOf('jump'));
  for (let i = 0; i < 100; i += 1)
    expect(changed.place(`${i}`)?.name).toBe(fresh.place(`${i}`)?.name);
});

test('a placer without a single member that is there picks nobody, however it came to that', () => {
  const topology = (down: boolean): Topology => ({
    mode: 'native',
    shards: [{ name: 'a', address: 'a', weight: 1, down, ejected: false }],
  });
  const placer = native(topology(false));
  expect(placer.pick(bytes('k'))).toBe(0);
  for (const empty of [placer.change?.(topology(true)), native(topology(true))])
    expect([empty?.pick(bytes('k')), empty?.pickText?.('k')]).toEqual([undefined, undefined]);
});

test('native placements are the same in every process and runtime, for ever', () => {
  const table = shardTable({
    mode: 'native',
    shards: shards('a', 'b', 'c', 'd', 'e').map((shard, i) => ({ ...shard, weight: i + 1 })),
  });
  const placed = Array.from({ length: 32 }, (_, i) => table.place(`Schlüssel ${i}`)?.name).join('');
  expect(placed).toBe('ebeddeebebbeabdbdcedededdddedace');
});
