/**
 * npm run bench [cold-start | throughput] [--rounds=N] [--dry]
 *
 * Measures every server beside the others and writes the tables of docs/benchmarks.md; with --dry it only prints them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { coldStart } from './cold-start.mjs';
import { describeMachine, root } from './machine.mjs';
import { setUp } from './set-up.mjs';
import { coldStartTable, inDocument, throughputTable } from './tables.mjs';
import { throughput } from './throughput.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, dry: { type: 'boolean', default: false } },
});
const isAsked = (name) => positionals.length === 0 || positionals.includes(name);
const rounds = values.rounds && Number(values.rounds);
const document = path.join(root, 'docs/benchmarks.md');

await setUp();

const tables = { machine: describeMachine() };
if (isAsked('cold-start')) tables['cold-start'] = coldStartTable(await coldStart({ rounds }));
if (isAsked('throughput')) tables.throughput = throughputTable(await throughput({ rounds }));
for (const table of Object.values(tables)) console.log(`\n${table}`);
if (!values.dry) await writeFile(document, inDocument(await readFile(document, 'utf8'), tables));
