/** The journal of the local engine with a million runs in it: lists, restart after a crash, and the sweep. */
import path from 'node:path';
import { freePort } from '../machine.mjs';
import { bundled, SOURCES } from './bundles.mjs';
import { builtHost } from './hosts.mjs';
import { MEASURED, pause, scratch, startNode } from './process.mjs';
import { startReceivers } from './receivers.mjs';

export const RUNS = { finished: 1_000_000, expired: 100_000, open: 10_000 };

/** { lists: { name: [ms, …] }, restarts: [{ first, all }], sweep: { removed, seconds, longest, usual } } */
export const journal = async ({ rounds = 7, runs = RUNS }) => {
  const { folder, remove } = scratch();
  const file = path.join(folder, 'runs.db');
  try {
    await task('seed', file, JSON.stringify(runs));
    const lists = await task('lists', file);
    const restarts = await restart({ file, folder, rounds, open: runs.open });
    const sweep = await task('sweep', file);
    return { lists, restarts, sweep };
  } finally {
    remove();
  }
};

const task = async (...args) => {
  let output = '';
  const { child, ended } = startNode([bundled('journal'), ...args], {
    core: MEASURED,
    environment: { PIPELINES_DIR: SOURCES },
    output: (line) => {
      output += line;
    },
  });
  const code = await ended;
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`);
  return JSON.parse(output);
};

/** Webhooks that are answered after a start; then they hang, so that the runs stay open for the next. */
const ANSWERED = 20;

/**
 * From the spawn of the host, again and again after kill -9: { first }, ms until the first webhook was called, and { all },
 * until every open run was taken up.
 */
const restart = async ({ file, folder, rounds, open }) => {
  const receivers = await startReceivers();
  const times = [];
  try {
    // The first is no restart: what it does is cut off by the next.
    for (let round = 0; round <= rounds; round++) {
      await receivers.tell({ hold: ANSWERED });
      const started = Date.now();
      const host = await startCrashed({ file, folder, environment: receivers.environment, open });
      const all = Date.now() - started;
      // Calls hang, one of them at least.
      await pause(200);
      const { firstAt, calls } = await receivers.tell({ hold: 0 });
      await host.kill('SIGKILL');
      if (calls <= ANSWERED) throw new Error(`only ${calls} calls were made`);
      if (round > 0) times.push({ first: firstAt - started, all });
    }
  } finally {
    await receivers.stop();
  }
  return times;
};

/** Resolves when the host says that it has taken up what was open. */
const startCrashed = async ({ file, folder, environment, open }) => {
  let resumed;
  const isResumed = new Promise((resolve) => {
    resumed = resolve;
  });
  const host = startNode([builtHost('node')], {
    core: MEASURED,
    folder,
    environment: {
      ...environment,
      PORT: `${await freePort()}`,
      FUNCTION_TARGET: 'fan-out',
      ENGINE_URL: `local:${file}`,
    },
    output: (line) => {
      const [, count] = /"runs_resumed".*?"count":(\d+)/.exec(line) ?? [];
      if (count !== undefined) resumed(Number(count));
    },
  });
  const count = await Promise.race([isResumed, host.ended.then(() => -1)]);
  if (count < open * 0.9) throw new Error(`${count} runs were taken up, of ${open}`);
  return host;
};
