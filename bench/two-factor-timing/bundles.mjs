/** The programs of the measurement, made of the suite's own code. */
import path from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../deploy/build/bundle.mjs';
import { root } from '../machine.mjs';

const OUTPUTS = path.join(root, 'node_modules/.cache/two-factor-timing');

export const bundled = (name) => path.join(OUTPUTS, `${name}.cjs`);

const PEER = `
import { startTwilioPeer } from './test/support/twilio-peer';
void startTwilioPeer().then(({ url, accountSid, authToken }) => {
  process.stdout.write(JSON.stringify({ url, accountSid, authToken }) + '\\n');
});`;

/** What fills a store before a host opens it. */
const PARTS = `
export { default as twoFactor } from './functions/two-factor';
export { routeTo } from './shared/http/routes';
export { createBudgets } from './functions/two-factor/budget/budgets';
export { BUDGET_SETTINGS, readLimits } from './functions/two-factor/budget/settings';
export { createFactors } from './functions/two-factor/factors/factors';
export { createRecords } from './functions/two-factor/records';
export { systemClock } from './shared/clock';
export { readConfig } from './shared/config';
export { deriveKeys } from './shared/keys';
export { canonicalPhone } from './shared/phone';
export { systemRandom } from './shared/random';
export { sqliteStore } from './shared/store/sqlite';`;

export const bundlePrograms = async () => {
  const options = await bundleOptions();
  const one = (name, entry) =>
    build({
      ...options,
      ...entry,
      outfile: bundled(name),
      legalComments: 'none',
      logLevel: 'error',
    });
  const stdin = (contents) => ({ stdin: { contents, resolveDir: root, loader: 'ts' } });
  await one('host', { entryPoints: ['deploy/entry/node.ts'] });
  await one('peer', stdin(PEER));
  await one('parts', stdin(PARTS));
};
