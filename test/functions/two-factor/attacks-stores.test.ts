/** A8, A25, A32: the same law over every store, for events that come a hundred times, and for clocks that differ. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIFETIME } from '../../../functions/two-factor/challenge';
import type { Store } from '../../../shared/store/store';
import { type ManualClock, manualClock } from '../../support/manual-clock';
import { testPlatform } from '../../support/test-platform';
import { type Shared, sharedStores, storeNames } from './budget/harness';
import { countingKeys, lastCode, serve, withParts, wrongCodes } from './harness';

const SKEW = 2_000;

let next = 0;
const person = () => {
  next += 1;
  return { user: `user-${next}`, email: `user-${next}@example.com` };
};

describe.each(storeNames)('over %s', (name) => {
  let clock: ManualClock;
  let shared: Shared;
  beforeAll(async () => {
    clock = manualClock();
    shared = await sharedStores[name](2, clock);
  }, 60_000);
  afterAll(() => shared.close());

  /** Two instances, each with its own way to the store; `skews`: of their clocks against the store's, ms. */
  const pair = (skews: readonly [number, number] = [0, 0]) => {
    const { keys, counter } = countingKeys();
    const platform = testPlatform({ keys });
    const [one, other] = skews.map((skew, i) =>
      serve(
        withParts(platform, {
          store: shared.stores[i] as Store,
          clock: Object.assign(Object.create(clock), { now: () => clock.now() + skew }),
        }),
      ),
    ) as [ReturnType<typeof serve>, ReturnType<typeof serve>];
    return { platform, counter, one, other };
  };

  test('A8: of forty wrong codes at two instances five are compared, and the sixth attempt never begins', async () => {
    const { platform, counter, one, other } = pair();
    const { challenge } = (await one.issue(person())).body;
    const code = lastCode(platform);
    counter.macs = 0;
    const answers = await Promise.all(
      wrongCodes(code, 40).map((wrong, i) => (i % 2 ? one : other).verify(challenge, wrong)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(counter.macs).toBe(5);
    expect((await other.verify(challenge, code)).status).toBe(401);
    expect(counter.macs).toBe(5);
  });

  test('A8: one after the other they are as many, and the fifth may still be right', async () => {
    for (const [wrong, status] of [
      [4, 200],
      [5, 401],
    ] as const) {
      const { platform, one, other } = pair();
      const { challenge } = (await one.issue(person())).body;
      const code = lastCode(platform);
      for (const guess of wrongCodes(code, wrong)) await other.verify(challenge, guess);
      expect((await one.verify(challenge, code)).status).toBe(status);
    }
  });

  test('A8: twenty guesses are a day’s, over challenges and instances', async () => {
    const { platform, one, other } = pair();
    const { user, email } = person();
    const sent = () => platform.mails.length;
    for (let n = 0; n < 8; n++)
      await (n % 2 ? one : other).issue({ user, email, purpose: `p-${n}` });
    expect(sent()).toBe(4);
    await clock.advance(LIFETIME);
    await one.issue({ user, email });
    // None of them was guessed at, and all have ended.
    expect(sent()).toBe(5);
  });

  test('A8: of forty right codes at two instances one is verified', async () => {
    const { platform, one, other } = pair();
    const { challenge } = (await one.issue(person())).body;
    const code = lastCode(platform);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? one : other).verify(challenge, code)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('A25: one CloudEvent a hundred times at once, at two instances, is one message and one challenge', async () => {
    const { platform, one, other } = pair();
    const event = (id: string, body: object) => ({
      headers: {
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': `/tests/${name}`,
        'ce-type': 'signup.confirm-phone',
      },
      body,
    });
    const wish = person();
    const deliver = (i: number) => (i % 2 ? one : other).call('/', event('event-1', wish));
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => deliver(i)));
    expect(platform.mails).toHaveLength(1);
    // Who came too soon is told to come again, and finds the same challenge.
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 409]));
    const again = await Promise.all(Array.from({ length: 100 }, (_, i) => deliver(i)));
    const challenges = [...answers, ...again].flatMap(({ status, body }) =>
      status === 202 ? [body.challenge] : [],
    );
    expect([new Set(challenges).size, challenges.length > 100]).toEqual([1, true]);
    expect(platform.mails).toHaveLength(1);
    expect((await one.verify(challenges[0], lastCode(platform))).status).toBe(200);
    await other.call('/', event('event-2', wish));
    expect(platform.mails).toHaveLength(2);
  });

  test.each([
    ['ahead', SKEW],
    ['behind', -SKEW],
  ])(
    'A32: a clock two seconds %s makes no code live longer than the store says',
    async (_, skew) => {
      for (const [age, status] of [
        [LIFETIME - 2 * SKEW - 1, 200],
        [LIFETIME, 401],
      ] as const) {
        const { platform, one, other } = pair([skew, -skew]);
        const { challenge } = (await one.issue(person())).body;
        const code = lastCode(platform);
        await clock.advance(age);
        expect((await other.verify(challenge, code)).status).toBe(status);
        expect((await one.verify(challenge, code)).status).toBe(401);
      }
    },
  );

  test('A32: nor does it let two instances verify one code', async () => {
    const { platform, one, other } = pair([SKEW, -SKEW]);
    const { challenge } = (await one.issue(person())).body;
    const code = lastCode(platform);
    const answers = await Promise.all([one, other].map((two) => two.verify(challenge, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });
});
