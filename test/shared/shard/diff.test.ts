/** What is foretold of a change, and how it is drawn. */
import { describe, expect, test } from '@jest/globals';
import { differ } from '../../../shared/shard/diff';
import { drawRings, STEPS } from '../../../shared/shard/rings';
import { SAMPLE, sampleKeys } from '../../../shared/shard/sample';
import { shardTable } from '../../../shared/shard/table';
import type { ShardInput, TopologyInput } from '../../../shared/shard/topology';

const shards = (...names: readonly string[]): readonly ShardInput[] =>
  names.map((name, i) => ({ name, address: `10.0.0.${i + 1}:80` }));
const diffOf = (one: TopologyInput, other: TopologyInput, keys = [...sampleKeys([one, other])]) => {
  const counted = differ(shardTable(one), shardTable(other));
  for (const key of keys) counted.add(key);
  return counted.result();
};

describe('a diff', () => {
  test('of the same topology has no moves', () => {
    const same: TopologyInput = { mode: 'native', shards: shards('a', 'b') };
    const { keys, moved, collateral, ideal, moves, a, b } = diffOf(same, same);
    expect([keys, moved, collateral, ideal, moves]).toEqual([SAMPLE, 0, 0, 0, []]);
    expect(a).toEqual(b);
  });

  test('counts what goes to a new shard, and nothing as collateral', () => {
    const { moved, collateral, ideal, moves, a, b } = diffOf(
      { mode: 'native', shards: shards('a', 'b', 'c', 'd') },
      { mode: 'native', shards: shards('a', 'b', 'c', 'd', 'e') },
    );
    expect([collateral, ideal]).toEqual([0, 20_000]);
    expect(Math.abs(moved / ideal - 1)).toBeLessThan(0.05);
    expect(moves.reduce((sum, { keys }) => sum + keys, 0)).toBe(moved);
    expect(moves.map(({ to }) => to)).toEqual(['e', 'e', 'e', 'e']);
    expect(a.shards.map(({ ideal }) => ideal)).toEqual([25_000, 25_000, 25_000, 25_000]);
    expect(a.shards.reduce((sum, { keys }) => sum + keys, 0)).toBe(SAMPLE);
    for (const { imbalance } of [a, b]) {
      expect(imbalance).toBeGreaterThanOrEqual(1);
      expect(imbalance).toBeLessThan(1.05);
    }
  });

  test('of modula finds the collateral', () => {
    const { moved, collateral } = diffOf(
      { mode: 'twemproxy-modula', hash: 'md5', shards: shards('a', 'b', 'c', 'd') },
      { mode: 'twemproxy-modula', hash: 'md5', shards: shards('a', 'b', 'c', 'd', 'e') },
    );
    // 4 of 5 keys move, one of the five to the new shard.
    expect(Math.abs(moved / SAMPLE - 0.8)).toBeLessThan(0.01);
    expect(Math.abs(collateral / SAMPLE - 0.6)).toBeLessThan(0.01);
  });

  test('takes nobody who is reweighted, down or new for untouched', () => {
    const before: TopologyInput = { mode: 'native', shards: shards('a', 'b', 'c') };
    for (const change of [{ weight: 3 }, { down: true }, { ejected: true }]) {
      const [first, ...rest] = shards('a', 'b', 'c') as [ShardInput, ...ShardInput[]];
      const { moved, collateral, ideal } = diffOf(before, {
        mode: 'native',
        shards: [{ ...first, ...change }, ...rest],
      });
      expect(collateral).toBe(0);
      expect(Math.abs(moved / ideal - 1)).toBeLessThan(0.05);
    }
  });

  test('knows a shard by its name, or else by its address', () => {
    const [a, b] = [
      { name: 'a', address: '10.0.0.1:80' },
      { name: 'b', address: '10.0.0.2:80' },
    ] as const;
    const modulo = (...list: readonly ShardInput[]): TopologyInput => ({
      mode: 'modulo',
      shards: list,
    });
    const named = (shard: ShardInput, name: string) => ({ ...shard, name });
    expect(diffOf(modulo(a, b), modulo(named(a, 'x'), named(b, 'y'))).moved).toBe(0);
    expect(diffOf(modulo(a, b), modulo({ ...a, address: 'new:1' }, b)).moved).toBe(0);
    // Each has the other's address, but is who it says.
    const swapped = modulo({ ...a, address: b.address }, { ...b, address: a.address });
    expect(diffOf(modulo(a, b), swapped).moved).toBe(0);
    expect(diffOf(modulo(a), modulo({ name: 'z', address: 'z' })).moved).toBe(SAMPLE);
    // Who has moved in where a was is not a, who is still there under its name.
    const heir = modulo({ ...a, address: 'new:1' }, named(a, 'x'));
    expect(diffOf(modulo(a), heir).moved).toBe(SAMPLE / 2);
  });

  test('counts keys that do not decide their shard, on each side and as moves', () => {
    const one: TopologyInput = { mode: 'lookup', shards: shards('a'), table: { x: 'a', y: 'a' } };
    const other: TopologyInput = { ...one, table: { x: 'a', z: 'a' } };
    const { a, b, moved, moves } = diffOf(one, other, ['x', 'y', 'z', 'w']);
    expect([a.undetermined, b.undetermined, moved]).toEqual([2, 2, 2]);
    expect(moves).toEqual([
      { from: 'a', to: null, keys: 1 },
      { from: null, to: 'a', keys: 1 },
    ]);
  });

  test('says how uneven a side is by the weights, and nothing where no key has an owner', () => {
    const weights = shards('a', 'b').map((shard, i) => ({ ...shard, weight: i === 0 ? 3 : 1 }));
    const skewed: TopologyInput = { mode: 'modulo', shards: weights };
    const nobody = { ...skewed, shards: weights.map((shard) => ({ ...shard, down: true })) };
    const { a, b } = diffOf(skewed, nobody);
    // Half the keys where a quarter should be.
    expect([a.imbalance, b.imbalance]).toEqual([2, null]);
  });
});

describe('the keys that are made up', () => {
  test('are always the same, and no two are', () => {
    const keys = [...sampleKeys([{ mode: 'native' }])];
    expect(keys).toEqual([...sampleKeys([{ mode: 'native' }])]);
    expect(new Set(keys).size).toBe(SAMPLE);
    expect(keys[0]).toMatch(/^[0-9a-f]{12}$/);
  });

  test.each<[string, TopologyInput, readonly string[]]>([
    ['numbers', { mode: 'modulo' }, ['0', '1', '2']],
    ['keys of the table', { mode: 'lookup', table: { k: 'a', l: 'b' } }, ['k', 'l']],
  ])('are %s where the mode wants them', (_, topology, first) => {
    expect([...sampleKeys([topology])].slice(0, 3)).toEqual(first);
  });

  test.each<[string, TopologyInput, RegExp]>([
    ['prefix', { mode: 'prefix', table: { 'a-': 'a' } }, /^a-./],
    ['range', { mode: 'range', table: [{ from: 'm', shard: 'a' }] }, /^m./],
  ])('begin as the table of a %s says', (_, topology, pattern) => {
    for (const key of [...sampleKeys([topology], 20)]) expect(key).toMatch(pattern);
  });
});

describe('the picture', () => {
  const keys = [...sampleKeys([{ mode: 'native' }], STEPS)];
  const draw = (before: TopologyInput, after: TopologyInput) => {
    const tables = [shardTable(before), shardTable(after)] as const;
    return drawRings(...tables, { diff: diffOf(before, after), keys });
  };
  const before: TopologyInput = { mode: 'nginx-consistent', shards: shards('a', 'b', '<c> & "d"') };
  const svg = draw(before, { ...before, shards: [...(before.shards ?? []), { address: 'e:1' }] });
  const ringOf = (name: string, text = svg) =>
    new RegExp(`<g data-ring="${name}">(.*)</g>`).exec(text)?.[1] ?? '';

  test('shows both rings with who has what, and where keys move', () => {
    const owners = (name: string) =>
      new Set([...ringOf(name).matchAll(/<title>(.*?)<\/title>/g)].map(([, owner]) => owner));
    expect(owners('before')).toEqual(new Set(['a', 'b', '&lt;c&gt; &amp; &quot;d&quot;']));
    expect(owners('after')).toEqual(new Set([...owners('before'), 'e:1']));
    expect(owners('moved')).toEqual(new Set(['moved']));
    expect(svg).not.toContain('<c>');
  });

  test('of the same topology twice has two equal rings and nothing between them', () => {
    const same = draw(before, before);
    const fills = (name: string) =>
      [...ringOf(name, same).matchAll(/fill="(.*?)"/g)].map(([, fill]) => fill);
    expect(fills('before')).toEqual(fills('after'));
    expect(ringOf('moved', same)).toBe('');
  });

  test('of a single shard is a whole ring', () => {
    const one: TopologyInput = { mode: 'native', shards: shards('a') };
    const path = /d="([^"]*)"/.exec(ringOf('before', draw(one, one)))?.[1] ?? '';
    expect(path.match(/M/g)).toHaveLength(2);
  });
});
