import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import subscribeUser from '../../../functions/subscribe-user';
import { Failure } from '../../../shared/failure';
import { deriveKeys } from '../../../shared/keys';
import type { Platform } from '../../../shared/platform';
import { signToken } from '../../../shared/token';
import { testPlatform } from '../../support/test-platform';
import { ada, CONFIG, DAY, linkOf, ONE_CLICK, type Suite, start, TTL, wayOutOf } from './harness';

const LEFT = 'You are not on the list “newsletter” any more.';

/** A suite with Ada on the list, and the links of her mail. */
const subscribed = async (overrides: Partial<Platform> = {}) => {
  const suite = start(overrides);
  await suite.subscribe(ada, 'wish-1');
  const links = { confirm: linkOf(suite), leave: wayOutOf(suite) };
  expect((await suite.confirm(links.confirm)).status).toBe(200);
  return { suite, ...links };
};
const stateOf = async (suite: Suite) => (await suite.records()).map(({ state }) => state);

describe('unsubscribing', () => {
  test('takes POST; GET only asks, however often a mail scanner follows the links', async () => {
    const { suite, confirm, leave } = await subscribed();
    const before = await suite.records();
    for (let i = 0; i < 3; i++)
      for (const method of ['GET', 'HEAD']) {
        expect((await suite.show(confirm, { method })).status).toBe(200);
        const shown = await suite.showUnsubscribe(leave, { method });
        expect(shown.status).toBe(200);
        expect(await shown.text()).toContain(
          '<form method="post"><button>Unsubscribe</button></form>',
        );
      }
    expect(await suite.records()).toEqual(before);
    expect(await (await suite.unsubscribe(leave)).text()).toContain(LEFT);
    expect(await stateOf(suite)).toEqual(['unsubscribed']);
  });

  test('keeps when, for good, and forgets the address', async () => {
    const { suite, leave } = await subscribed();
    const [confirmed] = await suite.records();
    await suite.platform.clock.advance(5 * DAY);
    await suite.unsubscribe(leave);
    const [record] = await suite.records();
    expect(record).toMatchObject({
      state: 'unsubscribed',
      unsubscribedAt: suite.platform.clock.now(),
      confirmedAt: confirmed?.confirmedAt,
      expires: false,
    });
    expect(JSON.stringify(record)).not.toContain('ada');
  });

  test('shows the same page at every repeat, and changes nothing more', async () => {
    const { suite, leave } = await subscribed();
    const pages = [await (await suite.unsubscribe(leave)).text()];
    const first = await suite.records();
    for (let i = 0; i < 3; i++) {
      await suite.platform.clock.advance(DAY);
      pages.push(await (await suite.unsubscribe(leave)).text());
    }
    expect(new Set(pages).size).toBe(1);
    expect(await suite.records()).toEqual(first);
  });

  test('works for an address that is only pending, and for one that is forgotten already', async () => {
    const suite = start();
    await suite.subscribe(ada);
    const leave = wayOutOf(suite);
    const page = await (await suite.unsubscribe(leave)).text();
    expect(page).toContain(LEFT);
    expect(await suite.records()).toMatchObject([{ state: 'unsubscribed', expires: false }]);
    const other = start();
    await other.subscribe(ada);
    const late = wayOutOf(other);
    await other.platform.clock.advance(TTL);
    expect(await (await other.unsubscribe(late)).text()).toBe(page);
    expect(await other.records()).toEqual([]);
  });

  test('voids the confirmation link, be it used before or not', async () => {
    for (const confirmedBefore of [true, false]) {
      const suite = start();
      await suite.subscribe(ada);
      const confirm = linkOf(suite);
      if (confirmedBefore) await suite.confirm(confirm);
      await suite.unsubscribe(wayOutOf(suite));
      expect((await suite.confirm(confirm)).status).toBe(400);
      expect(await stateOf(suite)).toEqual(['unsubscribed']);
    }
  });

  test('lets the owner come back with a new confirmation, and by no older one', async () => {
    const { suite, confirm: old, leave } = await subscribed();
    await suite.unsubscribe(leave);
    // In the same millisecond: it is the period that counts and not its time.
    expect((await suite.subscribe(ada, 'wish-2')).status).toBe(202);
    const [first, second] = suite.platform.mails;
    expect(second?.idempotencyKey).not.toBe(first?.idempotencyKey);
    expect(await suite.records()).toMatchObject([
      { state: 'pending', address: 'ada@example.com', expires: true },
    ]);
    expect((await suite.confirm(old)).status).toBe(400);
    expect(await stateOf(suite)).toEqual(['pending']);
    expect((await suite.confirm(linkOf(suite))).status).toBe(200);
    expect((await suite.confirm(old)).status).toBe(400);
    expect(await stateOf(suite)).toEqual(['confirmed']);
    // The way out of an older mail is as good as that of the latest.
    expect((await suite.unsubscribe(leave)).status).toBe(200);
    expect(await stateOf(suite)).toEqual(['unsubscribed']);
  });

  test('is not undone by a request that is delivered again', async () => {
    const { suite, leave } = await subscribed();
    await suite.unsubscribe(leave);
    expect((await suite.subscribe(ada, 'wish-1')).status).toBe(202);
    expect(await stateOf(suite)).toEqual(['unsubscribed']);
    expect(suite.platform.mails).toHaveLength(1);
  });

  test('is not undone by a mail that was under way', async () => {
    let release = () => {};
    const urls: string[] = [];
    const suite = start({
      mail: ({ listUnsubscribe = '' }) => {
        urls.push(listUnsubscribe);
        return new Promise((resolve) => {
          release = () => resolve({});
        });
      },
    });
    const asking = suite.subscribe(ada);
    await new Promise((done) => setImmediate(done));
    await suite.unsubscribe(`/unsubscribe${new URL(urls[0] as string).search}`);
    release();
    expect((await asking).status).toBe(202);
    expect(await stateOf(suite)).toEqual(['unsubscribed']);
  });

  test('leaves other lists and other people alone', async () => {
    const { suite, leave } = await subscribed();
    await suite.subscribe({ ...ada, list: 'releases' });
    await suite.subscribe({ email: 'bob@example.com' });
    await suite.unsubscribe(leave);
    expect((await stateOf(suite)).sort()).toEqual(['pending', 'pending', 'unsubscribed']);
  });

  test('ends as unsubscribed, whatever comes between the reads and writes of a confirmation', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.boolean(), async (scheduler, comesBack) => {
        const suite = start();
        await suite.subscribe(ada);
        const [confirm, leave] = [linkOf(suite), wayOutOf(suite)];
        const { store } = suite.platform;
        const racing = start({
          store: {
            ...store,
            get: scheduler.scheduleFunction(store.get) as typeof store.get,
            compareAndSwap: scheduler.scheduleFunction(
              store.compareAndSwap,
            ) as typeof store.compareAndSwap,
          },
        });
        const all = Promise.all([
          racing.confirm(confirm),
          racing.unsubscribe(leave),
          racing.confirm(confirm),
          racing.unsubscribe(leave, ONE_CLICK.form),
          ...(comesBack ? [racing.subscribe(ada)] : []),
        ]);
        await scheduler.waitFor(all);
        const answers = (await all).map(({ status }) => status);
        expect([answers[1], answers[3]]).toEqual([200, 200]);
        const [state] = await stateOf(suite);
        // Who asks anew after leaving is asked to confirm; the old confirmation never puts them back.
        expect(comesBack ? ['unsubscribed', 'pending'] : ['unsubscribed']).toContain(state);
      }),
      { numRuns: 200 },
    );
  });

  test('tells nobody that they are off the list while the store is away', async () => {
    const { suite, leave } = await subscribed();
    const { store } = suite.platform;
    const away = () => Promise.reject(new Failure('store_unavailable'));
    for (const broken of [{ get: away }, { compareAndSwap: away }]) {
      const other = start({ store: { ...store, ...broken } });
      for (const init of [{}, ONE_CLICK.form, ONE_CLICK.multipart])
        await expect(other.unsubscribe(leave, init)).rejects.toMatchObject({
          code: 'store_unavailable',
          status: 503,
        });
    }
    expect(await stateOf(suite)).toEqual(['confirmed']);
  });
});

describe('one-click unsubscribing (RFC 8058)', () => {
  test.each(['form', 'multipart'] as const)('acts on a %s without a page', async (encoding) => {
    const { suite, leave } = await subscribed();
    for (let i = 0; i < 2; i++) {
      const answer = await suite.unsubscribe(leave, ONE_CLICK[encoding]);
      expect([answer.status, await answer.text()]).toEqual([200, '']);
      for (const name of ['location', 'set-cookie', 'content-type', 'refresh'])
        expect(answer.headers.get(name)).toBeNull();
      expect(await stateOf(suite)).toEqual(['unsubscribed']);
    }
  });

  test('acts as well on a body that it cannot read, as the link says it all', async () => {
    for (const init of [
      { headers: { 'content-type': 'multipart/form-data' }, body: 'List-Unsubscribe=One-Click' },
      { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--y\r\n' },
      { headers: { 'content-type': 'text/plain' }, body: 'List-Unsubscribe=One-Click' },
      { headers: { 'content-type': 'application/json' }, body: '{' },
      { headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(5_000) },
    ]) {
      const { suite, leave } = await subscribed();
      expect((await suite.unsubscribe(leave, init)).status).toBe(200);
      expect(await stateOf(suite)).toEqual(['unsubscribed']);
    }
  });

  test('refuses a link that is not good with a problem, and a body that is none of a form by its size', async () => {
    const { suite, leave } = await subscribed();
    await expect(suite.unsubscribe(`${leave}x`, ONE_CLICK.multipart)).rejects.toMatchObject({
      code: 'invalid_request',
      status: 400,
    });
    for (const { headers } of Object.values(ONE_CLICK))
      await expect(
        suite.unsubscribe(leave, { headers: headers ?? {}, body: 'x'.repeat(5_000) }),
      ).rejects.toMatchObject({ code: 'body_too_large' });
    expect(await stateOf(suite)).toEqual(['confirmed']);
  });

  test('takes the token from either kind of form too', async () => {
    for (const { headers = {}, body } of Object.values(ONE_CLICK)) {
      const { suite, leave } = await subscribed();
      const token = leave.split('=')[1] as string;
      const filled = String(body).replace('List-Unsubscribe', 'token').replace('One-Click', token);
      const answer = await suite.unsubscribe('/unsubscribe', { headers, body: filled });
      expect(await answer.text()).toContain(LEFT);
      expect(await stateOf(suite)).toEqual(['unsubscribed']);
    }
  });
});

describe('the link to unsubscribe', () => {
  test('does no other work, and no other link does its work', async () => {
    const suite = start();
    await suite.subscribe(ada);
    const [confirm, leave] = [linkOf(suite), wayOutOf(suite)];
    const token = (path: string) => path.split('=')[1] as string;
    const crossed = await suite.confirm(`/confirm?token=${token(leave)}`);
    expect(crossed.status).toBe(400);
    expect((await suite.unsubscribe(`/unsubscribe?token=${token(confirm)}`)).status).toBe(400);
    expect(await stateOf(suite)).toEqual(['pending']);
  });

  test('is good for its time and no longer', async () => {
    const { suite, leave } = await subscribed();
    await suite.platform.clock.advance(365 * DAY - 1);
    expect((await suite.showUnsubscribe(leave)).status).toBe(200);
    await suite.platform.clock.advance(1);
    expect((await suite.showUnsubscribe(leave)).status).toBe(400);
    expect((await suite.unsubscribe(leave)).status).toBe(400);
    expect(await stateOf(suite)).toEqual(['confirmed']);
  });

  test('survives a new secret for as long as the old one is kept', async () => {
    const [old, young] = [
      'an old secret of at least 32 characters',
      'a new secret of 32 characters or more',
    ];
    const { suite, leave } = await subscribed({ keys: deriveKeys(old) });
    const { store } = suite.platform;
    const later = start({ store, keys: deriveKeys(young) });
    expect((await later.unsubscribe(leave)).status).toBe(400);
    expect(await stateOf(suite)).toEqual(['confirmed']);
    const both = start({ store, keys: deriveKeys(`${young},${old}`) });
    expect((await both.unsubscribe(leave)).status).toBe(200);
    expect(await stateOf(suite)).toEqual(['unsubscribed']);
  });

  test('is void with one bit changed anywhere', async () => {
    const { suite, leave } = await subscribed();
    const token = leave.split('=')[1] as string;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.nat(7),
        fc.constantFrom({}, ONE_CLICK.multipart),
        async (at, bit, init) => {
          const flipped =
            token.slice(0, at) +
            String.fromCharCode(token.charCodeAt(at) ^ (1 << bit)) +
            token.slice(at + 1);
          const path = `/unsubscribe?token=${encodeURIComponent(flipped)}`;
          expect((await suite.showUnsubscribe(path)).status).toBe(400);
          const status = await suite.unsubscribe(path, init).then(
            (answer) => answer.status,
            (thrown: Failure) => thrown.status,
          );
          expect(status).toBe(400);
        },
      ),
      { numRuns: 500 },
    );
    expect(await stateOf(suite)).toEqual(['confirmed']);
  });

  test('shows the same page whatever is wrong with it', async () => {
    const { suite, leave } = await subscribed();
    const good = leave.split('=')[1] as string;
    const [record] = await suite.records();
    const claims = ['newsletter', record?.key.split('/')[2] as string, 'en', ''];
    const expiresAt = suite.platform.clock.now() + DAY;
    const { keys } = suite.platform;
    const stranger = deriveKeys('another secret of at least 32 characters');
    const tokens = [
      '',
      'x',
      '..',
      `${good}x`,
      good.slice(0, -1),
      `${good}.${good}`,
      'x'.repeat(10_000),
      '%00%ff%0d%0aSet-Cookie:%20a=b',
      signToken(stranger('subscribe-user unsubscribe'), { claims, expiresAt }),
      signToken(keys('subscribe-user confirm'), { claims, expiresAt }),
      signToken(keys('subscribe-user unsubscribe'), { claims, expiresAt: 0 }),
    ];
    const seen = new Set<string>();
    for (const path of ['/unsubscribe', ...tokens.map((token) => `/unsubscribe?token=${token}`)])
      for (const answer of [await suite.showUnsubscribe(path), await suite.unsubscribe(path)]) {
        expect(answer.status).toBe(400);
        seen.add(JSON.stringify([[...answer.headers], await answer.text()]));
      }
    expect(seen.size).toBe(1);
    expect(await stateOf(suite)).toEqual(['confirmed']);
  });

  test('leads to pages without script, in their language, that send no referrer and belong in no frame or cache', async () => {
    const suite = start();
    await suite.subscribe({ ...ada, locale: 'de' });
    const leave = wayOutOf(suite);
    const english = { headers: { 'accept-language': 'es-MX,en;q=0.5' } };
    const pages = [
      [await suite.showUnsubscribe(leave), 'de', 'verlassen'],
      [await suite.unsubscribe(leave), 'de', 'nicht mehr'],
      [await suite.unsubscribe('/unsubscribe', english), 'es', 'incompleto'],
    ] as const;
    for (const [answer, locale, words] of pages) {
      const text = await answer.text();
      expect(text).toContain(`<html lang="${locale}">`);
      expect(text).toContain(words);
      expect(text).not.toMatch(/<script|<a |<img|\son\w+=|tabindex|autofocus/i);
      expect(text).not.toContain(leave.split('=')[1]);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      const policy = answer.headers.get('content-security-policy')?.split('; ');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "form-action 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(policy?.join()).not.toMatch(/script-src|unsafe|https?:|\*/);
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
  });

  test('names its host as a mail header must, in ASCII', async () => {
    const suite = start({ publicUrl: () => 'https://bücher.example' });
    await suite.subscribe(ada);
    const [mail] = suite.platform.mails;
    expect(mail?.listUnsubscribe).toMatch(
      /^https:\/\/xn--bcher-kva\.example\/subscribe-user\/unsubscribe\?token=[\w.-]+$/,
    );
  });

  test('is open to the public, both ways', () => {
    expect(subscribeUser.callers).toBe('backend');
    expect(subscribeUser.routes['GET /unsubscribe'].callers).toBe('public');
    expect(subscribeUser.routes['POST /unsubscribe'].callers).toBe('public');
  });

  test('must outlive the link that confirms', () => {
    const make = (ttl: number) => () =>
      subscribeUser.create({ ...CONFIG, SUBSCRIBE_USER_UNSUBSCRIBE_TTL: ttl }, testPlatform());
    expect(make(TTL - 1)).toThrow(TypeError);
    expect(make(TTL)).not.toThrow();
  });
});
