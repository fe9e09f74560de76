/**
 * npm run bench [cold-start | throughput | pipelines | two-factor | shard | proxy] [--rounds=N] [--seconds=N] [--dry]
 *
 * Measures every server beside the others and writes the tables of docs/benchmarks.md; with --dry it only prints them.
 * The parts of pipelines can be asked for alone: pipelines-engines, -delivery, -journal, -failing-step.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { coldStart } from './cold-start.mjs';
import { describeMachine, root } from './machine.mjs';
import { PARTS, pipelines } from './pipelines.mjs';
import { proxy } from './proxy.mjs';
import { setUp } from './set-up.mjs';
import { shard } from './shard.mjs';
import { coldStartTable, inDocument, throughputTable } from './tables.mjs';
import { throughput } from './throughput.mjs';
import { twoFactor } from './two-factor.mjs';

const NAMES = [
  'cold-start',
  'throughput',
  'pipelines',
  ...Object.keys(PARTS),
  'two-factor',
  'shard',
  'proxy',
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !NAMES.includes(name));
if (unknown !== undefined) {
  console.error(`There is no ${unknown}, only ${NAMES.join(', ')}.`);
  process.exit(2);
}
const isAsked = (name) => positionals.length === 0 || positionals.includes(name);
const rounds = values.rounds && Number(values.rounds);
const seconds = values.seconds && Number(values.seconds);
const document = path.join(root, 'docs/benchmarks.md');

await setUp();

const tables = { machine: describeMachine() };
if (isAsked('cold-start')) tables['cold-start'] = coldStartTable(await coldStart({ rounds }));
if (isAsked('throughput')) tables.throughput = throughputTable(await throughput({ rounds }));
Object.assign(tables, await pipelines({ isAsked, rounds, seconds }));
if (isAsked('two-factor')) Object.assign(tables, await twoFactor({ rounds, seconds }));
if (isAsked('shard')) Object.assign(tables, await shard({ rounds }));
if (isAsked('proxy')) Object.assign(tables, await proxy({ rounds, seconds }));
for (const table of Object.values(tables)) console.log(`\n${table}`);
if (!values.dry) await writeFile(document, inDocument(await readFile(document, 'utf8'), tables));
