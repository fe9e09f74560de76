/** The parts of the benchmark of pipelines, each with the tables that it fills. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { root, takeClientCore } from './machine.mjs';
import { bundlePrograms } from './pipelines/bundles.mjs';
import { failingStep } from './pipelines/failing-step.mjs';
import { provideDatabases } from './pipelines/install.mjs';
import { journal } from './pipelines/journal.mjs';
import { measure } from './pipelines/measure.mjs';
import { startReceivers } from './pipelines/receivers.mjs';
import { ROWS } from './pipelines/rows.mjs';
import {
  enginesTable,
  failingStepTable,
  journalTable,
  listsTable,
  ratiosTable,
} from './pipelines/tables.mjs';

const CONCURRENCIES = [1, 16, 64];

const engines = async ({ rounds = 7, seconds = 2 }) => {
  provideDatabases();
  const receivers = await startReceivers();
  const rows = [];
  try {
    for (const start of ROWS) {
      const row = await start(receivers.environment);
      console.error(`${row.name} is up.`);
      rows.push(row);
    }
    const figures = await measure(rows, { concurrencies: CONCURRENCIES, rounds, seconds });
    return {
      'pipelines-engines': enginesTable(figures),
      'pipelines-ratios': ratiosTable(figures),
    };
  } finally {
    for (const row of rows) await row.stop();
    await receivers.stop();
  }
};

/** The table that it prints below the machine. */
const delivery = async () => {
  const child = spawn(process.execPath, [path.join(root, 'bench/delivery.mjs'), 'cost'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`delivery.mjs ended with ${code}`);
  const lines = output.split('\n').filter((line) => line.startsWith('|'));
  return { 'pipelines-delivery': lines.join('\n') };
};

export const PARTS = {
  'pipelines-engines': engines,
  'pipelines-delivery': delivery,
  'pipelines-journal': async (options) => {
    const figures = await journal(options);
    return { 'pipelines-lists': listsTable(figures), 'pipelines-journal': journalTable(figures) };
  },
  'pipelines-failing-step': async (options) => ({
    'pipelines-failing-step': failingStepTable(await failingStep(options)),
  }),
};

/** The tables of the parts that are asked for, by their marks. */
export const pipelines = async ({ isAsked, ...options }) => {
  const asked = Object.entries(PARTS).filter(([name]) => isAsked('pipelines') || isAsked(name));
  if (asked.length === 0) return {};
  takeClientCore();
  await bundlePrograms();
  const tables = {};
  for (const [, run] of asked) Object.assign(tables, await run(options));
  return tables;
};
