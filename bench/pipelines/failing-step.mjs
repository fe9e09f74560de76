/**
 * One step that fails three times beside four that take 500 ms: how long the run takes beside what it must, and how
 * often each webhook was called.
 */
import { builtHost, startHost } from './hosts.mjs';
import { scratch } from './process.mjs';
import { startReceivers } from './receivers.mjs';
import { HOSTS, startOnRestate } from './restate.mjs';
import { BODY } from './rows.mjs';

const SLOW = 500;
const FAILURES = 3;
/** Of one-fails.yaml, before the second, third and fourth attempt, ms. */
const BACKOFFS = [100, 200, 400];
export const IDEAL = Math.max(
  SLOW,
  BACKOFFS.reduce((sum, ms) => sum + ms, 0),
);

const onLocal =
  (name) =>
  async ({ environment, folder }) => {
    const host = await startHost(builtHost(name), {
      environment: { ...environment, ENGINE_URL: 'local:./runs.db' },
      folder,
    });
    return { port: host.port, stop: host.kill };
  };

const CASES = {
  'functions-framework host, local engine': onLocal('functions-framework'),
  'node host, local engine': onLocal('node'),
  ...Object.fromEntries(
    Object.entries(HOSTS).map(([name, host]) => [name, (options) => startOnRestate(host, options)]),
  ),
};

/** [{ name, times, calls }]: ms of each run, and the most that any receiver but the failing one, and that one, was called. */
export const failingStep = async ({ rounds = 7 }) => {
  const results = [];
  for (const [name, start] of Object.entries(CASES)) {
    const { folder, remove } = scratch();
    const receivers = await startReceivers();
    const environment = { ...receivers.environment, FUNCTION_TARGET: 'one-fails' };
    const host = await start({ environment, folder });
    try {
      await receivers.tell({ slow: SLOW, failures: FAILURES });
      const times = [];
      // The first loads what a first run needs.
      for (let round = 0; round <= rounds; round++) {
        const time = await runOnce(host.port);
        if (round > 0) times.push(time);
      }
      const { keys } = await receivers.tell();
      results.push({ name, times, ...callsOf(keys) });
    } finally {
      await host.stop('SIGKILL');
      await receivers.stop();
      remove();
    }
  }
  return results;
};

const runOnce = async (port) => {
  const started = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=30' },
    body: BODY,
  });
  const { state, steps } = await answer.json();
  const time = performance.now() - started;
  if (state !== 'succeeded') throw new Error(JSON.stringify(steps));
  return time;
};

/** By the keys of the calls: `<run>:<step>`. */
const callsOf = (keys) => {
  const most = (isFailing) =>
    Math.max(
      ...Object.entries(keys)
        .filter(([key]) => key.endsWith(':fifth') === isFailing)
        .map(([, calls]) => calls),
    );
  return { healthy: most(false), failing: most(true) };
};
