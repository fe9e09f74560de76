/** `faas-patterns/shard` as others load it: on Node from the package, and where there is nothing of Node at all. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import type { shardTable as ShardTableOf } from '../../../deploy/entry/shard';
import { shardTable } from '../../../shared/shard/table';
import { MODES, type TopologyInput } from '../../../shared/shard/topology';
import { bundle } from '../../support/bundle';

const ROOT = path.resolve(__dirname, '../../..');

test('the package has it under the name that its entry builds', () => {
  const { exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  expect(exports['./shard']).toEqual({
    types: './deploy/entry/shard.ts',
    default: './dist/shard.cjs',
  });
});

/** As at the edge: no require, no process, no Buffer, and nothing that makes code of text or bytes. */
const load = (): typeof ShardTableOf => {
  const module = { exports: {} as { shardTable: typeof ShardTableOf } };
  const context = createContext(
    { module, TextEncoder, TextDecoder },
    { codeGeneration: { strings: false, wasm: false } },
  );
  runInContext(readFileSync(bundle('deploy/entry/shard.ts'), 'utf8'), context);
  return module.exports.shardTable;
};

test('without anything of Node every mode places every key as with it, under the same digest', () => {
  const edge = load();
  for (const mode of MODES) {
    const topology: TopologyInput = {
      mode,
      shards: Array.from({ length: 7 }, (_, i) => ({
        address: `10.0.0.${i}:80`,
        weight: 1 + (i % 3),
      })),
      ...((mode === 'lookup' || mode === 'prefix') && { table: { '1': '10.0.0.1:80' } }),
      ...(mode === 'range' && { table: [{ to: 'm', shard: '10.0.0.1:80' }] }),
      pins: { pinned: '10.0.0.2:80' },
    };
    const [here, there] = [shardTable(topology), edge(topology)];
    expect([there.digest, there.warnings]).toEqual([here.digest, here.warnings]);
    for (const key of [
      'pinned',
      '',
      ...Array.from({ length: 300 }, (_, i) => `${i}${i % 3 ? 'ü' : ''}`),
    ]) {
      expect([mode, key, there.explain(key)]).toEqual([mode, key, here.explain(key)]);
    }
  }
});
