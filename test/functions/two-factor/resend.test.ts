import { describe, expect, test } from '@jest/globals';
import {
  cooldown,
  LEASE,
  LIFETIME,
  MAX_ATTEMPTS,
  MAX_SENDS,
} from '../../../functions/two-factor/challenge';
import { Failure } from '../../../shared/failure';
import type { Store } from '../../../shared/store/store';
import {
  codesFrom,
  lastCode,
  MAIL,
  PHONE,
  SMS,
  serve,
  start,
  withParts,
  wrongCodes,
} from './harness';

/** Through the cooldown after so many messages. */
const wait = ({ platform }: ReturnType<typeof start>, sends = 1) =>
  platform.clock.advance(cooldown(sends));

describe('another message', () => {
  test('is answered as the first was, holds a fresh code, and voids the one before', async () => {
    const suite = start({ random: codesFrom(1_000) });
    const { platform, issue, resend, verify } = suite;
    const first = await issue();
    await wait(suite);
    const again = await resend(first.body.challenge);
    expect([again.status, again.body]).toEqual([
      202,
      {
        challenge: first.body.challenge,
        channel: 'sms',
        expiresAt: new Date(platform.clock.now() + LIFETIME).toISOString(),
        resendAt: new Date(platform.clock.now() + cooldown(2)).toISOString(),
      },
    ]);
    expect(platform.messages.map(({ to }) => to)).toEqual([PHONE, PHONE]);
    expect((await verify(first.body.challenge, '001000')).status).toBe(401);
    expect((await verify(first.body.challenge, '001001')).status).toBe(200);
  });

  test('has a key of its own at the provider, so that a fresh code is not dropped as a repeat', async () => {
    const suite = start();
    const { challenge } = (await suite.issue()).body;
    await wait(suite);
    await suite.resend(challenge);
    const keys = suite.platform.messages.map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(2);
    expect(keys.join()).not.toContain(challenge);
  });

  test('waits: 30 seconds, then twice as long each time, and says how long', async () => {
    const suite = start();
    const { platform, issue, resend } = suite;
    const { challenge, resendAt } = (await issue()).body;
    expect(Date.parse(resendAt) - platform.clock.now()).toBe(30_000);
    for (let sends = 1; sends < MAX_SENDS; sends++) {
      await platform.clock.advance(30_000 * 2 ** (sends - 1) - 1_500);
      const early = await resend(challenge);
      expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([
        429,
        'rate_limited',
        '2',
      ]);
      await platform.clock.advance(1_500);
      expect((await resend(challenge)).status).toBe(202);
    }
    expect(platform.messages).toHaveLength(MAX_SENDS);
  });

  test('is the fifth at most, however long one waits', async () => {
    const suite = start();
    const { challenge } = (await suite.issue()).body;
    for (let sends = 1; sends < MAX_SENDS; sends++) {
      await wait(suite, sends);
      await suite.resend(challenge);
    }
    await suite.platform.clock.advance(LIFETIME - 1);
    const { status, body } = await suite.resend(challenge);
    expect([status, body.code]).toEqual([422, 'sends_exhausted']);
    expect(suite.platform.messages).toHaveLength(5);
  });

  test('buys no guesses: five in all, over all codes, and then no message either', async () => {
    const suite = start({ random: codesFrom(1_000) });
    const { challenge } = (await suite.issue()).body;
    for (const wrong of wrongCodes('001000', 3)) await suite.verify(challenge, wrong);
    await wait(suite);
    await suite.resend(challenge);
    for (const wrong of wrongCodes('001001', 2)) await suite.verify(challenge, wrong);
    expect((await suite.verify(challenge, '001001')).status).toBe(401);
    await wait(suite, 2);
    expect((await suite.resend(challenge)).body.code).toBe('sends_exhausted');
    expect(MAX_ATTEMPTS).toBe(5);
  });

  test.each([
    ['unknown', async () => 'A'.repeat(22)],
    [
      'expired',
      async ({ platform, issue }: ReturnType<typeof start>) => {
        const { challenge } = (await issue()).body;
        await platform.clock.advance(LIFETIME);
        return challenge;
      },
    ],
    [
      'verified',
      async (suite: ReturnType<typeof start>) => {
        const { challenge } = (await suite.issue()).body;
        await suite.verify(challenge, lastCode(suite.platform));
        await wait(suite);
        return challenge;
      },
    ],
    [
      'of an authenticator',
      async (suite: ReturnType<typeof start>) => {
        const { challenge } = (await suite.issue({ user: 'user-1', channel: 'totp' })).body;
        await wait(suite);
        return challenge;
      },
    ],
  ])('is not to be had for a challenge that is %s', async (_, make) => {
    const suite = start();
    const challenge = await make(suite);
    const sent = suite.platform.messages.length;
    const { status, body } = await suite.resend(challenge);
    expect([status, body.code]).toEqual([404, 'not_found']);
    expect(suite.platform.messages).toHaveLength(sent);
  });

  test('is one for one idempotency key, however often it is asked for at once', async () => {
    const suite = start();
    const { challenge } = (await suite.issue()).body;
    await wait(suite);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => suite.resend(challenge, {}, 'again-1')),
    );
    const [first, ...more] = answers.filter(({ status }) => status === 202);
    expect(more.filter(({ text }) => text !== first?.text)).toEqual([]);
    const others = answers.filter(({ status }) => status !== 202);
    expect(new Set(others.map(({ body }) => body.code))).toEqual(new Set(['in_progress']));
    expect((await suite.resend(challenge, {}, 'again-1')).text).toBe(first?.text);
    expect(suite.platform.messages).toHaveLength(2);
  });

  test('of many at once without a key is one', async () => {
    const suite = start();
    const { challenge } = (await suite.issue()).body;
    await wait(suite);
    const answers = await Promise.all(Array.from({ length: 50 }, () => suite.resend(challenge)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409 || status === 429)).toHaveLength(49);
    expect(suite.platform.messages).toHaveLength(2);
  });
});

describe('on another channel', () => {
  const enrol = async (suite: ReturnType<typeof start>, destination: object) => {
    const { challenge } = (await suite.issue({ user: 'user-1', purpose: 'enrol', ...destination }))
      .body;
    const { status } = await suite.verify(challenge, lastCode(suite.platform));
    expect(status).toBe(200);
    suite.platform.mails.length = 0;
    suite.platform.messages.length = 0;
  };

  test('goes to what the user has enrolled there, and its code is the one that counts', async () => {
    const suite = start({ random: codesFrom(1_000) });
    await enrol(suite, { email: MAIL });
    const { challenge } = (await suite.issue(SMS)).body;
    await wait(suite);
    const { status, body } = await suite.resend(challenge, { channel: 'mail' });
    expect([status, body.channel]).toEqual([202, 'mail']);
    expect(suite.platform.mails.map(({ to }) => to)).toEqual([MAIL]);
    expect((await suite.verify(challenge, '001001')).status).toBe(401);
    expect((await suite.verify(challenge, '001002')).status).toBe(200);
  });

  test('goes nowhere, with the same answer, where the user has nothing; the next may go where the first went', async () => {
    const known = start({ random: codesFrom(1_000) });
    await enrol(known, { email: MAIL });
    const without = start({ random: codesFrom(1_000) });
    const answers = [];
    for (const suite of [known, without]) {
      const { challenge } = (await suite.issue(SMS)).body;
      await wait(suite);
      const { status, text } = await suite.resend(challenge, { channel: 'mail' });
      answers.push([status, text.replace(challenge, 'ID').replace(/\d{4}-\d\d-\d\dT[^"]+/g, 'T')]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(without.platform.mails).toEqual([]);
    const id = JSON.parse(without.said.at(-1) ?? '').challenge;
    await wait(without, 2);
    await without.resend(id, { channel: 'sms' });
    expect(without.platform.messages).toHaveLength(2);
    expect((await without.verify(id, '001002')).status).toBe(200);
  });
});

test('a message that was being asked for when its process died can be asked for again after the lease', async () => {
  const suite = start();
  const { platform, issue } = suite;
  const { challenge } = (await issue()).body;
  await wait(suite);
  const dead: Store = {
    ...platform.store,
    compareAndSwap: (key, expected, value, options) =>
      key.startsWith('two-factor/code/')
        ? Promise.reject(new Failure('store_unavailable'))
        : platform.store.compareAndSwap(key, expected, value, options),
  };
  expect((await serve(withParts(platform, { store: dead })).resend(challenge)).status).toBe(503);
  const soon = await suite.resend(challenge);
  expect([soon.status, soon.headers.get('retry-after')]).toEqual([409, String(LEASE / 1_000)]);
  await platform.clock.advance(LEASE);
  expect((await suite.resend(challenge)).status).toBe(202);
  expect((await suite.verify(challenge, lastCode(platform))).status).toBe(200);
});
