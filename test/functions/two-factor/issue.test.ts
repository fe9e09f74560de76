import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import twoFactor from '../../../functions/two-factor';
import { LEASE, LIFETIME, REMEMBER } from '../../../functions/two-factor/challenge';
import { FLOOR, PASS_EVERY } from '../../../functions/two-factor/worker';
import { Failure } from '../../../shared/failure';
import { deriveKeys } from '../../../shared/keys';
import { sendFailure } from '../../../shared/senders/send-failure';
import type { Store } from '../../../shared/store/store';
import { testPlatform } from '../../support/test-platform';
import {
  codeIn,
  codesFrom,
  lastCode,
  MAIL,
  PHONE,
  SMS,
  scripted,
  serve,
  start,
  withParts,
} from './harness';

/** As a sender says that nothing has left. */
const unsent = () =>
  sendFailure('send_failed', { sender: 'twilio', reason: 'unreachable', unsent: true });

describe('a challenge', () => {
  test('is answered with 202, its channel and its end, and sends one message', async () => {
    const { platform, issue } = start();
    const { status, body } = await issue();
    expect(status).toBe(202);
    expect(body).toEqual({
      challenge: expect.stringMatching(/^[\w-]{22}$/),
      channel: 'sms',
      expiresAt: new Date(platform.clock.now() + LIFETIME).toISOString(),
      resendAt: new Date(platform.clock.now() + 30_000).toISOString(),
    });
    expect(platform.messages.map(({ to }) => to)).toEqual([PHONE]);
    expect(platform.mails).toEqual([]);
  });

  test('goes by mail to one canonical address', async () => {
    const { platform, issue } = start();
    const { body } = await issue({ user: 'user-1', email: 'User@EXAMPLE.com' });
    expect(body.channel).toBe('mail');
    expect(platform.mails.map(({ to }) => to)).toEqual(['User@example.com']);
    expect(platform.messages).toEqual([]);
  });

  test('goes to the canonical number, however it was written', async () => {
    const { platform, issue } = start();
    await issue({ user: 'user-1', phoneNumber: '+1 (202) 555-0123' });
    expect(platform.messages[0]?.to).toBe(PHONE);
  });

  test('may be asked for by a CloudEvent, whose source and id name the effect', async () => {
    const { platform, call } = start();
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'run-1:confirm-phone',
      'ce-source': '/signup/runs',
      'ce-type': 'signup.confirm-phone',
    };
    const first = await call('/', { body: SMS, headers });
    const second = await call('/', { body: SMS, headers });
    expect([first.status, second.text]).toEqual([202, first.text]);
    expect(platform.messages).toHaveLength(1);
  });

  test.each([
    ['a channel that is not that of the number', { ...SMS, channel: 'mail' }, '/channel'],
    ['a channel that there is not', { ...SMS, channel: 'fax' }, '/channel'],
    ['two destinations', { ...SMS, email: MAIL }, ''],
    ['no user', { phoneNumber: PHONE }, '/user'],
    ['a landline', { user: 'user-1', phoneNumber: '+442079460958' }, '/phoneNumber'],
    ['an extension', { user: 'user-1', phoneNumber: `${PHONE};ext=1` }, '/phoneNumber'],
    ['two addresses', { user: 'user-1', email: 'a@example.com, b@example.com' }, '/email'],
    ['a second header', { user: 'user-1', email: 'a@example.com\r\nBcc: b@example.com' }, '/email'],
    ['a list of addresses', { user: 'user-1', email: [MAIL] }, '/email'],
    ['an odd purpose', { ...SMS, purpose: 'Log in' }, '/purpose'],
    ['an unknown field', { ...SMS, code: '123456' }, '/code'],
  ])('is refused with %s, and nothing is sent', async (_, input, pointer) => {
    const { platform, issue } = start();
    const { status, body } = await issue(input);
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_input', pointer]);
    expect([...platform.messages, ...platform.mails]).toEqual([]);
  });

  test('is refused for a country that is not served; a country that does not exist stops the start', async () => {
    const { platform, issue } = start({}, { TWO_FACTOR_COUNTRIES: 'DE,FR' });
    expect((await issue()).body.errors[0].pointer).toBe('/phoneNumber');
    expect((await issue({ user: 'user-1', phoneNumber: '+33612345678' })).status).toBe(202);
    expect(platform.messages.map(({ to }) => to)).toEqual(['+33612345678']);
    expect(() => start({}, { TWO_FACTOR_COUNTRIES: 'DE,ZZ' })).toThrow(/not a country: ZZ/);
  });

  test('is for the backend only; of all routes one is open, for reports that are signed', () => {
    expect(twoFactor.callers).toBe('backend');
    const open = Object.entries(twoFactor.routes).filter(([, route]) => 'callers' in route);
    expect(open.map(([name]) => name)).toEqual(['POST /status']);
  });
});

describe('the same idempotency key', () => {
  test('gives the same challenge and sends no second message, for as long as it is remembered', async () => {
    const { platform, issue, verify } = start();
    const first = await issue(SMS, 'key-1');
    const code = lastCode(platform);
    const again = await issue(SMS, 'key-1');
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect((await verify(first.body.challenge, code)).status).toBe(200);
    expect(REMEMBER).toBe(24 * 3_600_000);
    await platform.clock.advance(REMEMBER - 1);
    expect((await issue(SMS, 'key-1')).text).toBe(first.text);
    expect(platform.messages).toHaveLength(1);
    await platform.clock.advance(1);
    expect((await issue(SMS, 'key-1')).status).toBe(202);
    expect(platform.messages).toHaveLength(2);
  });

  test('is not the challenge, and cannot be read from it', async () => {
    const { issue } = start();
    const other = start({ keys: deriveKeys('another test secret of at least 32 chars') });
    const { challenge } = (await issue(SMS, 'key-1')).body;
    expect((await issue(SMS, 'key-2')).body.challenge).not.toBe(challenge);
    expect((await other.issue(SMS, 'key-1')).body.challenge).not.toBe(challenge);
  });

  test('is known again after SECRET_KEY got a new version', async () => {
    const OLD = 'an old test secret of at least 32 chars';
    const { platform, issue } = start({ keys: deriveKeys(OLD) });
    const first = await issue(SMS, 'key-1');
    const keys = deriveKeys(`a new test secret of at least 32 characters,${OLD}`);
    const rotated = serve(withParts(platform, { keys }));
    expect((await rotated.issue(SMS, 'key-1')).text).toBe(first.text);
    expect(platform.messages).toHaveLength(1);
  });

  test.each([
    ['user', { ...SMS, user: 'user-2' }],
    ['number', { ...SMS, phoneNumber: '+12025550124' }],
    ['channel', { user: 'user-1', email: MAIL }],
    ['purpose', { ...SMS, purpose: 'payment' }],
    ['language', { ...SMS, locale: 'de' }],
  ])('A23: with another %s is a mismatch, 422', async (_, other) => {
    const { platform, issue } = start();
    await issue(SMS, 'key-1');
    const { status, body } = await issue(other, 'key-1');
    expect([status, body.code]).toEqual([422, 'idempotency_mismatch']);
    expect([...platform.messages, ...platform.mails]).toHaveLength(1);
  });

  test('A23: 50 at once: one challenge, one message, and 409 with the seconds to wait for who came too soon', async () => {
    const { platform, issue } = start();
    const answers = await Promise.all(Array.from({ length: 50 }, () => issue(SMS, 'key-1')));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    for (const { status, body, headers } of answers.filter(({ status }) => status !== 202))
      expect([status, body.code, headers.get('retry-after')]).toEqual([
        409,
        'in_progress',
        String(LEASE / 1_000),
      ]);
    expect(platform.messages).toHaveLength(1);
  });

  test('gives the same challenge while and after its message fails: the answer never waited for it', async () => {
    const { sms, calls } = scripted(() => Promise.reject(unsent()));
    const { issue } = start({ sms });
    const first = await issue(SMS, 'key-1');
    expect(first.status).toBe(202);
    expect((await issue(SMS, 'key-1')).text).toBe(first.text);
    expect(calls.length).toBeGreaterThan(0);
  });
});

describe('a crash', () => {
  /** Works for so many calls, then as a process does that was killed: not at all. */
  const dyingAfter = (store: Store, calls: number): { store: Store; died: () => boolean } => {
    let left = calls;
    const alive =
      <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        left-- > 0 ? method(...args) : Promise.reject(new Failure('store_unavailable'));
    return {
      died: () => left < 0,
      store: {
        ...store,
        get: alive(store.get) as Store['get'],
        compareAndSwap: alive(store.compareAndSwap) as Store['compareAndSwap'],
        delete: alive(store.delete),
        list: alive(store.list) as Store['list'],
      },
    };
  };

  test('at any step is healed by the next try after the lease: one message at most, and its code verifies', async () => {
    let steps = 0;
    let sentAfter = 0;
    for (let calls = 0; ; calls++) {
      const platform = testPlatform();
      const { store, died } = dyingAfter(platform.store, calls);
      await serve(withParts(platform, { store })).issue(SMS, 'key-1');
      if (!died()) break;
      steps += 1;
      const before = platform.messages.length;
      await platform.clock.advance(LEASE);
      const { call, issue, verify, context } = serve(platform);
      const { status, body } = await issue(SMS, 'key-1');
      expect(status).toBe(202);
      // The queue is gone through every few seconds; what is `sending` is believed for its lease.
      for (let pass = 0; pass < 5; pass++) {
        await platform.clock.advance(PASS_EVERY);
        await call('/', { body: { user: `other-${pass}` } });
      }
      await Promise.all(context.background.splice(0));
      expect(platform.messages.length).toBeLessThanOrEqual(1);
      if (platform.messages.length === 0) continue;
      sentAfter += before === 0 ? 1 : 0;
      expect((await verify(body.challenge, codeIn(platform.messages[0]?.text))).status).toBe(200);
    }
    expect(steps).toBeGreaterThan(20);
    expect(sentAfter).toBeGreaterThan(10);
  });

  test('that was only a long stop stores no challenge over the one of who took over', async () => {
    const platform = testPlatform({ random: codesFrom(1_000) });
    let stopped = false;
    const slow: Store = {
      ...platform.store,
      compareAndSwap: async (key, expected, value, options) => {
        if (!stopped && (value as { state?: string }).state === 'open') {
          stopped = true;
          await platform.clock.advance(LEASE);
          await serve(platform).issue(SMS, 'key-1');
        }
        return platform.store.compareAndSwap(key, expected, value, options);
      },
    };
    const { status, body } = await serve(withParts(platform, { store: slow })).issue(SMS, 'key-1');
    expect([status, body.code]).toEqual([409, 'in_progress']);
    expect(platform.messages).toHaveLength(1);
    const { issue, verify } = serve(platform);
    const { challenge } = (await issue(SMS, 'key-1')).body;
    expect((await verify(challenge, lastCode(platform))).status).toBe(200);
  });
});

describe('where the platform stops the process after an answer', () => {
  test.each([
    ['a message that goes out', SMS],
    ['nobody', { user: 'nobody' }],
  ])('the answer comes after %s, and not before a fixed time', async (_, body) => {
    const platform = testPlatform({ freezes: true });
    const { call, context } = serve(platform);
    let answered = false;
    const answering = call('/', { body }).then((answer) => {
      answered = true;
      return answer;
    });
    await platform.clock.advance(FLOOR - 1);
    expect([answered, platform.messages.length]).toEqual([false, body === SMS ? 1 : 0]);
    await platform.clock.advance(1);
    expect((await answering).status).toBe(202);
    expect(context.background).toEqual([]);
  });
});

test('without the store nothing is sent', async () => {
  for (const key of [undefined, 'key-1']) {
    const { platform, issue } = start();
    await platform.store.close();
    expect((await issue(SMS, key)).body.code).toBe('store_unavailable');
    expect(platform.messages).toEqual([]);
  }
});

describe('nothing secret leaves', () => {
  const CANARY = '918273';
  const user = 'a-very-private-user';
  const secrets = [CANARY, PHONE, PHONE.slice(1), '2025550123', MAIL, user];

  test.each([
    ['a good send', () => {}],
    ['a failed send', () => Promise.reject(new Failure('send_failed'))],
    ['a refused send', () => Promise.reject(new Failure('send_refused'))],
    [
      'an error that holds the message',
      (message: object) =>
        Promise.reject(Object.assign(new Error(inspect(message)), { request: message })),
    ],
  ])('in logs, answers, failures and records after %s', async (_, send) => {
    const sent: object[] = [];
    const deliver = async (message: object) => {
      sent.push(message);
      await send(message);
      return {};
    };
    const { platform, said, lines, issue, verify, resend } = start({
      random: { ...testPlatform().random, below: () => Number(CANARY) },
      sms: deliver,
      mail: deliver,
    });
    for (const destination of [{ phoneNumber: PHONE }, { email: MAIL }]) {
      const { body } = await issue({ user, ...destination }, `key ${Object.keys(destination)}`);
      await verify(body.challenge, '000000', { user });
      await platform.clock.advance(30_000);
      await resend(body.challenge);
      await verify(body.challenge, CANARY, { user });
    }
    expect(sent.length).toBeGreaterThanOrEqual(4);
    for (const message of sent) expect(inspect(message)).toContain(CANARY);
    const { entries } = await platform.store.list('');
    expect(entries.length).toBeGreaterThan(4);
    const all = inspect({ said, lines, entries }, { depth: 20, maxStringLength: null });
    for (const secret of secrets) expect(all).not.toContain(secret);
  });

  test('because records hold keyed digests: the same code gives another MAC for every challenge', async () => {
    const { platform, issue } = start({ random: { ...testPlatform().random, below: () => 42 } });
    await issue();
    await issue();
    const { entries } = await platform.store.list<{ mac: string }>('two-factor/code/');
    expect(new Set(entries.map(({ value }) => value.mac)).size).toBe(2);
  });
});
