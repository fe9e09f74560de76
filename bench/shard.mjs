/**
 * How fast and how evenly native mode places keys, beside the peers' modes, and what a bound on load does for hot keys:
 * the part of the benchmark, with its tables. CPU time throughout, of a process of its own; the median of the rounds.
 * Of hot keys it is counts, which are the same on every machine.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions } from '../deploy/build/bundle.mjs';
import { onCore, root } from './machine.mjs';
import { evennessTable, speedTable, zipfTable } from './shard/tables.mjs';
import { BOUND, zipf } from './shard/zipf.mjs';

const MEASURE = path.join(path.dirname(fileURLToPath(import.meta.url)), 'shard/measure.mjs');
const CACHE = path.join(root, 'node_modules/.cache/bench-shard');
const PROGRAM = path.join(CACHE, 'shard.cjs');

export const shard = async ({ rounds = 7 } = {}) => {
  await build({
    ...(await bundleOptions()),
    entryPoints: ['deploy/entry/shard.ts'],
    outfile: PROGRAM,
    legalComments: 'none',
  });
  const [command, ...args] = [...onCore(1), process.execPath, MEASURE, PROGRAM, `${rounds}`];
  const figures = JSON.parse(execFileSync(command, args, { encoding: 'utf8' }));
  return {
    'shard-speed': speedTable(figures),
    'shard-evenness': evennessTable(figures),
    'shard-hot-keys': zipfTable(await zipf(path.join(CACHE, 'zipf.cjs')), BOUND),
  };
};
