/** kill -9 at boundaries of the journal, a sample of them; `npm run soak -- local` goes through all. */
import { expect, test } from '@jest/globals';
import { crashLocal } from './campaign';

const SEED = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`the local engine loses nothing and repeats only what was under way (seed ${SEED})`, async () => {
  const report = await crashLocal({ seed: SEED, points: 40, stride: 5 });
  expect(report.violations.join('\n\n')).toBe('');
  expect(report.points).toBeGreaterThanOrEqual(40);
  // A campaign in which nothing was under way would prove little.
  expect(report.repeats).toBeGreaterThan(0);
}, 120_000);
