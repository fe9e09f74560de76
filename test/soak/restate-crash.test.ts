/** kill -9 around Restate, a sample; `npm run soak -- restate` does much more of it. */
import { describe, expect, test } from '@jest/globals';
import { crashRestate, type Victim } from './restate-campaign';

const SEED = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));

const VICTIMS: readonly (readonly [string, Victim])[] = [
  ['a host', 'host'],
  ['the server', 'server'],
  ['a host and the server', 'both'],
];

describe(`killed without warning (seed ${SEED})`, () => {
  test.each(VICTIMS)(
    '%s: nothing is lost, and nothing is made again that was known to be done',
    async (_, victim) => {
      const report = await crashRestate({ seed: SEED, victim, kills: 1 });
      expect(report.violations.join('\n\n')).toBe('');
      expect(report.points).toBe(1);
    },
    120_000,
  );
});
