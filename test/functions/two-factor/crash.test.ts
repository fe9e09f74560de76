/**
 * A22, A31: kill -9 right before and right after operations on the world outside, a sample of them;
 * `npm run soak -- two-factor` goes through all.
 */
import { expect, test } from '@jest/globals';
import { crashTwoFactor } from '../../support/two-factor-crash';

const SEED = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`A22, A31: no crash sends a message twice, lets anybody in twice, or loses a guess (seed ${SEED})`, async () => {
  const { points, kills, again, messages, violations } = await crashTwoFactor({
    seed: SEED,
    sample: 2,
  });
  const total = Object.values(points).reduce((sum, some) => sum + some, 0);
  process.stdout.write(
    `two-factor, seed ${SEED}: ${kills} of ${total} points killed at, ${again} more in recoveries, ${messages} messages\n`,
  );
  expect(violations.join('\n')).toBe('');
  // Each scenario was played, and killed twice, but where a run had a point less than the one before.
  expect(Object.values(points).filter((some) => some < 4)).toEqual([]);
  expect(kills).toBeGreaterThan(1.5 * Object.keys(points).length);
  expect(messages).toBeGreaterThan(kills);
  const of = (what: string) =>
    Object.entries(points).flatMap(([name, some]) => (name.includes(what) ? [some] : []));
  for (const what of ['issue', 'resend'])
    for (const some of of(what)) expect(some).toBeGreaterThanOrEqual(30);
}, 180_000);
