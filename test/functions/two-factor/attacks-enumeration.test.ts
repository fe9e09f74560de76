/** A16: who asks for a code of somebody learns nothing of them: not by bytes, not by headers, not by the work done. */
import { describe, expect, test } from '@jest/globals';
import { createFactors } from '../../../functions/two-factor/factors/factors';
import type { Store } from '../../../shared/store/store';
import { type TestPlatform, testPlatform } from '../../support/test-platform';
import { lastCode, serve, withParts, wrongCodes } from './harness';

const TEN_MINUTES = 600_000;

/** What is asked of the store until the challenge is written, which is the last before the answer: by kind of record. */
const recording = (inner: Store) => {
  const counts = new Map<string, number>();
  let answered = false;
  const note = (operation: string, key: string) => {
    // Of whom a record is does not matter: a budget counts those who are nobody beside the others.
    const parts = key.split(/[/:]/);
    const kind = parts.slice(0, /budget|guesses/.test(key) ? 3 : 2).join('/');
    const name = `${operation} ${kind}`;
    if (!answered) counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const store: Store = {
    ...inner,
    get: (key) => {
      note('get', key);
      return inner.get(key);
    },
    compareAndSwap: (key, ...rest) => {
      note('swap', key);
      answered ||= key.startsWith('two-factor/challenge/');
      return inner.compareAndSwap(key, ...rest);
    },
    delete: (key, ...rest) => {
      note('delete', key);
      return inner.delete(key, ...rest);
    },
  };
  const take = () => {
    const taken = Object.fromEntries([...counts].sort());
    counts.clear();
    answered = false;
    return taken;
  };
  return { store, take };
};

const PHONES = ['+12025550111', '+12025550122', '+12025550133', '+12025550144'] as const;

/** Known: has a number. Locked: twenty wrong guesses today. Spent: no more messages this hour. Phoneless: has TOTP. */
const people = async (platform: TestPlatform) => {
  const { issue, verify, call } = serve(platform);
  const factors = createFactors(platform);
  for (const [i, user] of ['known', 'locked', 'spent'].entries())
    await factors.enrolDestination(user, { channel: 'sms', to: PHONES[i] as string });
  const { secret } = (await call('/totp', { body: { user: 'phoneless' } })).body;
  expect(secret).toEqual(expect.any(String));
  await call('/recovery-codes', { body: { user: 'phoneless' } });
  for (let i = 0; i < 4; i++) {
    const { challenge } = (await issue({ user: 'locked' })).body;
    for (const wrong of wrongCodes(lastCode(platform), 5)) await verify(challenge, wrong);
    await platform.clock.advance(TEN_MINUTES);
  }
  // What these leave behind is settled by the first who asks.
  await issue({ user: 'locked' });
  for (let i = 0; i < 10; i++)
    await issue({ user: 'spent', phoneNumber: PHONES[3], purpose: `p-${i}` }).then(async (one) =>
      verify(one.body.challenge, lastCode(platform)),
    );
  platform.messages.length = 0;
};

const KINDS = ['unknown', 'known', 'locked', 'spent', 'phoneless'];

/** With what must differ replaced by as many stars. */
const shapeOf = ({
  status,
  headers,
  text,
}: Awaited<ReturnType<ReturnType<typeof serve>['issue']>>) => [
  status,
  [...headers.entries()],
  text
    .replace(/(?<="challenge":")[\w-]+/, (id) => '*'.repeat(id.length))
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (instant) => '*'.repeat(instant.length)),
];

describe('A16: unknown, known, locked, spent and phoneless users', () => {
  test.each([
    ['to what is enrolled', {}],
    ['by text message', { channel: 'sms' }],
    ['by mail', { channel: 'mail' }],
    ['to a number that is given', { phoneNumber: '+12025550199' }],
    ['to an address that is given', { email: 'user@example.com' }],
    ['by authenticator', { channel: 'totp' }],
    ['by recovery code', { channel: 'recovery' }],
  ])('A16: get the same answer to the byte, %s', async (_, wish) => {
    const platform = testPlatform();
    await people(platform);
    const { issue, verify } = serve(platform);
    const shapes = new Set<string>();
    const refusals = new Set<string>();
    for (const user of KINDS) {
      const issued = await issue({ user, ...wish });
      expect(issued.status).toBe(202);
      shapes.add(JSON.stringify(shapeOf(issued)));
      const refused = await verify(issued.body.challenge, '0A1B2C3D4E');
      refusals.add(JSON.stringify([refused.status, [...refused.headers], refused.text]));
    }
    expect([shapes.size, refusals.size]).toEqual([1, 1]);
  });

  test.each([
    ['to what is enrolled', {}],
    ['to a number that is given', { phoneNumber: '+12025550199' }],
  ])('A16: cost the store the same before the answer, %s', async (_, wish) => {
    const platform = testPlatform();
    await people(platform);
    const { store, take } = recording(platform.store);
    const { issue } = serve(withParts(platform, { store }));
    // The first request of a process also looks for what others have left.
    await issue({ user: 'first', ...wish });
    take();
    const costs: unknown[] = [];
    for (const user of KINDS) {
      await issue({ user, ...wish });
      costs.push(take());
    }
    expect(Object.keys(costs[0] as object).length).toBeGreaterThan(5);
    for (const cost of costs) expect(cost).toEqual(costs[0]);
  });

  test('A16: are counted in as full records where many share one', async () => {
    const platform = testPlatform();
    const { issue } = serve(platform);
    for (let i = 0; i < 5; i++) await issue({ user: `unknown-${i}` });
    for (let i = 0; i < 5; i++) await issue({ user: `u-${i}`, phoneNumber: `+1202555011${i}` });
    for (const shared of ['spend', 'country']) {
      const { entries } = await platform.store.list(`two-factor/budget/${shared}:`);
      const lengths = entries.map(({ value }) => JSON.stringify(value).length);
      expect(lengths).toHaveLength(2);
      expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThan(20);
    }
  });

  test('A16: but who can get one gets it, and nobody else', async () => {
    const platform = testPlatform();
    await people(platform);
    const { issue } = serve(platform);
    for (const user of KINDS) await issue({ user });
    expect(platform.messages.map(({ to }) => to)).toEqual([PHONES[0]]);
  });

  test('A16: nothing is sent or given back before the answer is made', async () => {
    const platform = testPlatform();
    await people(platform);
    const { issue } = serve(platform);
    const { call, context } = serve(platform);
    await issue({ user: 'first' });
    const answered = await call('/', { body: { user: 'known' }, early: true });
    expect([answered.status, platform.messages.length]).toEqual([202, 0]);
    await Promise.all(context.background.splice(0));
    expect(platform.messages).toHaveLength(1);
  });

  test('A16: take times of one order', async () => {
    const platform = testPlatform();
    await people(platform);
    const { issue, context } = serve(platform);
    const factors = createFactors(platform);
    const ROUNDS = 30;
    for (let i = 0; i < ROUNDS; i++)
      await factors.enrolDestination(`known-${i}`, { channel: 'mail', to: `u${i}@example.com` });
    const medians: number[] = [];
    for (const userOf of [
      (i: number) => `unknown-${i}`,
      (i: number) => `known-${i}`,
      () => 'locked',
      () => 'phoneless',
    ]) {
      const times: number[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        Object.assign(context, { clientAddress: `198.51.100.${i}` });
        const begun = performance.now();
        await issue({ user: userOf(i) });
        times.push(performance.now() - begun);
      }
      medians.push(times.sort((a, b) => a - b)[ROUNDS / 2] as number);
    }
    expect(Math.max(...medians)).toBeLessThan(10 * Math.min(...medians));
  });
});
