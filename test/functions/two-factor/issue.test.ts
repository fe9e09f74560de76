import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import twoFactor from '../../../functions/two-factor';
import { LIFETIME, MAX_ATTEMPTS } from '../../../functions/two-factor/challenge';
import { LEASE, REMEMBER, SEND_TIMEOUT } from '../../../functions/two-factor/delivery';
import { Failure } from '../../../shared/failure';
import { deriveKeys } from '../../../shared/keys';
import type { Store } from '../../../shared/store/store';
import { testContext } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';
import { codesFrom, lastCode, MAIL, PHONE, serve, start, withParts, wrongCodes } from './harness';

const SMS = { user: 'user-1', phoneNumber: PHONE };

/** A promise that a test settles, and a turn of the loop for what hangs on it. */
const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a challenge', () => {
  test('is answered with 202, its channel and its end, and sends one message', async () => {
    const { platform, issue } = start();
    const { status, body } = await issue();
    expect(status).toBe(202);
    expect(body).toEqual({
      challenge: expect.stringMatching(/^[\w-]{22}$/),
      channel: 'sms',
      expiresAt: new Date(platform.clock.now() + LIFETIME).toISOString(),
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
    ['no destination', { user: 'user-1' }, ''],
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
    const { platform, issue } = start({}, { TWO_FACTOR_COUNTRIES: ['DE', 'FR'] });
    expect((await issue()).body.errors[0].pointer).toBe('/phoneNumber');
    expect((await issue({ user: 'user-1', phoneNumber: '+33612345678' })).status).toBe(202);
    expect(platform.messages.map(({ to }) => to)).toEqual(['+33612345678']);
    expect(() => start({}, { TWO_FACTOR_COUNTRIES: ['DE', 'ZZ'] })).toThrow(/not a country: ZZ/);
  });

  test('is for the backend only, on both routes', () => {
    expect(twoFactor.callers).toBe('backend');
    for (const route of Object.values(twoFactor.routes))
      expect(route).not.toHaveProperty('callers');
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
  ])('with another %s is a mismatch, 422', async (_, other) => {
    const { platform, issue } = start();
    await issue(SMS, 'key-1');
    const { status, body } = await issue(other, 'key-1');
    expect([status, body.code]).toEqual([422, 'idempotency_mismatch']);
    expect([...platform.messages, ...platform.mails]).toHaveLength(1);
  });

  test('while the message is being sent gives 409 with the seconds to wait; 50 at once send one message', async () => {
    const { open, opened } = gate();
    const sent: string[] = [];
    const { platform, issue } = start({
      sms: async ({ text }) => {
        sent.push(text);
        await opened;
      },
    });
    const racing = Array.from({ length: 50 }, () => issue(SMS, 'key-1'));
    for (let i = 0; i < 20; i++) await turn();
    await platform.clock.advance(500);
    const late = await issue(SMS, 'key-1');
    expect([late.status, late.body.code, late.headers.get('retry-after')]).toEqual([
      409,
      'in_progress',
      String(Math.ceil((LEASE - 500) / 1_000)),
    ]);
    open();
    const statuses = (await Promise.all(racing)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(49);
    expect(sent).toHaveLength(1);
  });

  test('after a failed send may be tried at once: a fresh code, the old one void, the same challenge', async () => {
    const codes: string[] = [];
    const keys: string[] = [];
    let broken = true;
    const { issue, verify } = start({
      random: codesFrom(1_000),
      sms: async ({ text }, { idempotencyKey }) => {
        codes.push(/\d{6}/.exec(text)?.[0] ?? '');
        keys.push(idempotencyKey);
        if (broken) throw new Failure('send_failed');
      },
    });
    const failed = await issue(SMS, 'key-1');
    expect([failed.status, failed.body.code]).toEqual([502, 'send_failed']);
    broken = false;
    const { status, body } = await issue(SMS, 'key-1');
    expect(status).toBe(202);
    expect(codes).toEqual(['001000', '001001']);
    expect(new Set(keys).size).toBe(2);
    expect((await verify(body.challenge, '001000')).status).toBe(401);
    expect((await verify(body.challenge, '001001')).status).toBe(200);
  });

  test('buys no new guesses with a fresh code', async () => {
    let broken = true;
    const { platform, issue, verify } = start({
      random: codesFrom(1_000),
      sms: async () => {
        if (broken) throw new Failure('send_failed');
      },
    });
    await issue(SMS, 'key-1');
    const [entry] = (await platform.store.list('two-factor/challenge/')).entries;
    const challenge = entry?.key.split('/').at(-1) as string;
    for (const wrong of wrongCodes('001001', MAX_ATTEMPTS - 1)) await verify(challenge, wrong);
    broken = false;
    expect((await issue(SMS, 'key-1')).body.challenge).toBe(challenge);
    expect((await verify(challenge, '999999')).status).toBe(401);
    expect((await verify(challenge, '001001')).status).toBe(401);
  });

  test('refused for good is told so', async () => {
    const { issue } = start({ sms: () => Promise.reject(new Failure('send_refused')) });
    const { status, body } = await issue(SMS, 'key-1');
    expect([status, body.code]).toEqual([422, 'send_refused']);
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
      },
    };
  };

  test('at any step is healed by the next try after the lease: the last code sent is the one that verifies', async () => {
    let steps = 0;
    for (let calls = 0; ; calls++) {
      const platform = testPlatform({ random: codesFrom(1_000) });
      const { store, died } = dyingAfter(platform.store, calls);
      const first = await serve(withParts(platform, { store })).issue(SMS, 'key-1');
      if (!died()) break;
      steps += 1;
      const { issue, verify } = serve(platform);
      if (platform.messages.length === 0) expect(first.status).toBe(503);
      const soon = await issue(SMS, 'key-1');
      if (calls >= 2) expect(soon.status).toBe(409);
      await platform.clock.advance(LEASE);
      const { status, body } = await issue(SMS, 'key-1');
      expect(status).toBe(202);
      const codes = platform.messages.map(({ text }) => /\d{6}/.exec(text)?.[0] as string);
      expect(codes.length).toBeLessThanOrEqual(2);
      const outcomes = [];
      for (const code of codes) outcomes.push((await verify(body.challenge, code)).status);
      expect(outcomes).toEqual([...codes.slice(1).map(() => 401), 200]);
    }
    expect(steps).toBe(5);
  });

  test('of the store after the message went out does not ask for a second one', async () => {
    const platform = testPlatform();
    const { store } = dyingAfter(platform.store, 4);
    const { issue, lines } = serve(withParts(platform, { store }));
    expect((await issue(SMS, 'key-1')).status).toBe(202);
    expect(lines.map(({ message }) => message)).toContain('delivery_not_noted');
  });

  test('that was only a long stop sends no code that is already overtaken', async () => {
    const platform = testPlatform({ random: codesFrom(1_000) });
    const stopped: Store = {
      ...platform.store,
      compareAndSwap: async (key, expected, value, options) => {
        const written = await platform.store.compareAndSwap(key, expected, value, options);
        if (key.startsWith('two-factor/challenge/'))
          await platform.clock.advance(LEASE - SEND_TIMEOUT + 1);
        return written;
      },
    };
    const { status, body } = await serve(withParts(platform, { store: stopped })).issue(
      SMS,
      'key-1',
    );
    expect([status, body.code]).toEqual([409, 'in_progress']);
    expect(platform.messages).toEqual([]);
  });

  test('that woke up late cannot put its code over the one of who took over', async () => {
    const platform = testPlatform({ random: codesFrom(1_000) });
    const { open, opened } = gate();
    const slow: Store = {
      ...platform.store,
      get: async (key) => {
        if (key.startsWith('two-factor/challenge/')) await opened;
        return platform.store.get(key);
      },
    };
    const sleeper = serve(withParts(platform, { store: slow })).issue(SMS, 'key-1');
    await turn();
    await platform.clock.advance(LEASE);
    const { issue, verify } = serve(platform);
    const { body } = await issue(SMS, 'key-1');
    const code = lastCode(platform);
    open();
    expect((await sleeper).status).toBe(409);
    expect(platform.messages).toHaveLength(1);
    expect((await verify(body.challenge, code)).status).toBe(200);
  });
});

test('a sender that never answers is given up in time', async () => {
  let aborted = false;
  const { platform, issue } = start({
    sms: (_, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return new Promise(() => {});
    },
  });
  const issuing = issue(SMS);
  await platform.clock.advance(SEND_TIMEOUT);
  const { status, body } = await issuing;
  expect([status, body.code, aborted]).toEqual([502, 'send_failed', true]);
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
    ['a good send', async () => {}],
    ['a failed send', () => Promise.reject(new Failure('send_failed'))],
    ['a refused send', () => Promise.reject(new Failure('send_refused'))],
    [
      'an error that holds the message',
      (message: object) =>
        Promise.reject(Object.assign(new Error(inspect(message)), { request: message })),
    ],
  ])(
    'in logs, answers, failures and records after %s',
    async (_, send: (m: object) => Promise<void>) => {
      const thrown: unknown[] = [];
      const sent: object[] = [];
      const deliver = (message: object) => {
        sent.push(message);
        return send(message);
      };
      const { platform, said, lines, issue, verify } = start({
        random: { ...testPlatform().random, below: () => Number(CANARY) },
        sms: deliver,
        mail: deliver,
      });
      for (const destination of [{ phoneNumber: PHONE }, { email: MAIL }]) {
        const { body } = await issue({ user, ...destination }, `key ${Object.keys(destination)}`);
        if (body.challenge) {
          await verify(body.challenge, '000000', { user });
          await verify(body.challenge, CANARY, { user });
        }
        const handler = twoFactor.create({ TWO_FACTOR_COUNTRIES: undefined }, platform);
        const request = new Request('http://test.local/', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ user, ...destination }),
        });
        await Promise.resolve(handler['POST /'](request, testContext())).catch((error) =>
          thrown.push(error),
        );
      }
      expect(sent).toHaveLength(4);
      for (const message of sent) expect(inspect(message)).toContain(CANARY);
      const { entries } = await platform.store.list('');
      expect(entries.length).toBeGreaterThan(1);
      const all = inspect({ said, lines, entries, thrown }, { depth: 20, maxStringLength: null });
      for (const secret of secrets) expect(all).not.toContain(secret);
    },
  );

  test('because records hold keyed digests: the same code gives another MAC for every challenge', async () => {
    const { platform, issue } = start({ random: { ...testPlatform().random, below: () => 42 } });
    await issue();
    await issue();
    const { entries } = await platform.store.list<{ mac: string }>('two-factor/challenge/');
    expect(new Set(entries.map(({ value }) => value.mac)).size).toBe(2);
  });
});
