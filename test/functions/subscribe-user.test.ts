import { describe, expect, test } from '@jest/globals';
import subscribeUser from '../../functions/subscribe-user';
import {
  ATTEMPT_TIMEOUT,
  decideRequest,
  type Subscription,
} from '../../functions/subscribe-user/subscription';
import { Failure } from '../../shared/failure';
import { deriveKeys } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import type { Mail, Receipt, Sender } from '../../shared/senders/sender';
import { signToken } from '../../shared/token';
import { HOSTILE_ADDRESSES } from '../support/hostile-addresses';
import { testPlatform } from '../support/test-platform';
import { ada, CONFIG, DAY, linkOf, start, TTL } from './subscribe-user/harness';

describe('subscribe-user', () => {
  test('puts the address down as pending and mails a link', async () => {
    const suite = start();
    const answer = await suite.subscribe({ ...ada, username: 'Ada', phoneNumber: '+491' });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ status: 'pending' });
    expect(suite.platform.mails).toMatchObject([
      { to: 'ada@example.com', subject: 'Please confirm your subscription' },
    ]);
    expect(linkOf(suite)).not.toContain('ada');
    const [record] = await suite.records();
    expect(record).toMatchObject({
      address: 'ada@example.com',
      list: 'newsletter',
      state: 'pending',
      expires: true,
    });
    expect(record?.key).toMatch(/^subscribe-user\/newsletter\/[0-9a-f]{64}$/);
  });

  test('has the link confirm on POST, and GET only ask', async () => {
    const suite = start();
    await suite.subscribe(ada);
    const link = linkOf(suite);
    for (let i = 0; i < 3; i++) {
      const shown = await suite.show(link);
      expect(shown.status).toBe(200);
      expect(await shown.text()).toContain('<form method="post"><button>Confirm</button></form>');
    }
    expect(await suite.records()).toMatchObject([{ state: 'pending' }]);
    const confirmedAt = suite.platform.clock.now();
    for (let i = 0; i < 3; i++) {
      const done = await suite.confirm(link);
      await suite.platform.clock.advance(1_000);
      expect(done.status).toBe(200);
      expect(await done.text()).toContain('You are on the list “newsletter” now.');
    }
    expect(await suite.records()).toMatchObject([
      { state: 'confirmed', confirmedAt, expires: false },
    ]);
  });

  test('takes the token from a form as well', async () => {
    const suite = start();
    await suite.subscribe(ada);
    const [, query = ''] = linkOf(suite).split('?');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const done = await suite.confirm('/confirm', { headers, body: query });
    expect(done.status).toBe(200);
    const huge = { headers, body: `x=${'x'.repeat(5_000)}` };
    await expect(suite.confirm('/confirm', huge)).rejects.toMatchObject({ code: 'body_too_large' });
  });

  test('answers alike for new, waiting and confirmed addresses, and mails the first time only', async () => {
    const suite = start();
    const seen = new Set<string>();
    const ask = async (email: string, key?: string) => {
      const answer = await suite.subscribe({ email }, key);
      // Told of the key that the caller has used before, not of the address.
      const fields = [...answer.headers].filter(([name]) => name !== 'idempotent-replayed');
      seen.add(JSON.stringify([answer.status, fields, await answer.text()]));
    };
    await ask('ada@example.com', 'one');
    await ask('ada@example.com', 'one');
    await ask('ada@example.com', 'two');
    await ask(' ADA@Example.com'.trim());
    await suite.confirm(linkOf(suite));
    await ask('ada@example.com');
    await ask('ada@example.com', 'one');
    expect(seen.size).toBe(1);
    expect(suite.platform.mails).toHaveLength(1);
    expect(await suite.records()).toMatchObject([{ state: 'confirmed' }]);
  });

  test('refuses an idempotency key that was used for another address', async () => {
    const suite = start();
    await suite.subscribe({ email: 'ada@example.com' }, 'one');
    const other = suite.subscribe({ email: 'eve@example.com' }, 'one');
    await expect(other).rejects.toMatchObject({ code: 'idempotency_mismatch' });
    expect(suite.platform.mails).toHaveLength(1);
  });

  test('keeps lists and mailboxes apart', async () => {
    const suite = start();
    await suite.subscribe(ada);
    await suite.subscribe({ ...ada, list: 'releases-2' });
    await suite.subscribe({ email: 'a.da@example.com' });
    expect(suite.platform.mails).toHaveLength(3);
    await suite.confirm(linkOf(suite));
    const states = (await suite.records()).map(({ address, state }) => `${address} ${state}`);
    expect(states.sort()).toEqual([
      'a.da@example.com confirmed',
      'ada@example.com pending',
      'ada@example.com pending',
    ]);
  });

  test('mails once when 50 ask at the same time', async () => {
    const suite = start();
    const answers = await Promise.all(Array.from({ length: 50 }, () => suite.subscribe(ada)));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(202));
    expect(suite.platform.mails).toHaveLength(1);
  });

  test('acknowledges a repeat of a request under way only when it is done', async () => {
    let release = () => {};
    const held = new Promise<Receipt>((resolve) => {
      release = () => resolve({});
    });
    const suite = start({ mail: () => held });
    const first = suite.subscribe(ada, 'one');
    await new Promise((done) => setImmediate(done));
    await expect(suite.subscribe(ada, 'one')).rejects.toMatchObject({ code: 'in_progress' });
    expect((await suite.subscribe(ada, 'two')).status).toBe(202);
    release();
    expect((await first).status).toBe(202);
    expect((await suite.subscribe(ada, 'one')).status).toBe(202);
  });

  test('sends the same mail again after one that could not be sent', async () => {
    const sent: (Omit<Mail, 'to' | 'subject'> & { idempotencyKey: string })[] = [];
    const mail: Sender<Mail> = async ({ text, listUnsubscribe }, { idempotencyKey }) => {
      sent.push({ text, listUnsubscribe: listUnsubscribe as string, idempotencyKey });
      if (sent.length < 3) throw new Failure('send_failed');
      return {};
    };
    const suite = start({ mail });
    for (const key of ['one', undefined])
      await expect(suite.subscribe(ada, key)).rejects.toMatchObject({ code: 'send_failed' });
    await suite.platform.clock.advance(1_000);
    for (let i = 0; i < 2; i++) expect((await suite.subscribe(ada)).status).toBe(202);
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map((one) => JSON.stringify(one))).size).toBe(1);
  });

  test('takes over from a process that died in the middle', async () => {
    const sent: string[] = [];
    const mail: Sender<Mail> = ({ to }) => {
      sent.push(to);
      return sent.length === 1 ? new Promise(() => {}) : Promise.resolve({});
    };
    const suite = start({ mail });
    void suite.subscribe(ada, 'one').catch(() => undefined);
    await new Promise((done) => setImmediate(done));
    expect(await suite.records()).toMatchObject([{ state: 'pending', expires: true }]);
    await suite.platform.clock.advance(ATTEMPT_TIMEOUT - 1);
    await expect(suite.subscribe(ada, 'one')).rejects.toMatchObject({ code: 'in_progress' });
    await suite.platform.clock.advance(1);
    expect((await suite.subscribe(ada, 'one')).status).toBe(202);
    expect(sent).toHaveLength(2);
  });

  test('keeps a confirmation that comes before the mail server has answered', async () => {
    const early: { confirm?: () => Promise<unknown> } = {};
    const mails: Mail[] = [];
    const suite = start({
      mail: async (mail) => {
        mails.push(mail);
        await early.confirm?.();
        throw new Failure('send_failed');
      },
    });
    early.confirm = async () => {
      const [, query = ''] = /\?(token=\S+)/.exec(mails[0]?.text ?? '') ?? [];
      expect((await suite.confirm(`/confirm?${query}`)).status).toBe(200);
    };
    await expect(suite.subscribe(ada)).rejects.toMatchObject({ code: 'send_failed' });
    expect(await suite.records()).toMatchObject([{ state: 'confirmed', expires: false }]);
  });

  test('forgets an address that nobody confirms, and its link with it', async () => {
    const suite = start();
    await suite.subscribe(ada);
    const link = linkOf(suite);
    await suite.platform.clock.advance(TTL - 1);
    expect((await suite.show(link)).status).toBe(200);
    await suite.platform.clock.advance(1);
    expect((await suite.show(link)).status).toBe(400);
    expect((await suite.confirm(link)).status).toBe(400);
    expect(await suite.records()).toEqual([]);
    await suite.subscribe(ada);
    expect(suite.platform.mails).toHaveLength(2);
    expect((await suite.confirm(linkOf(suite))).status).toBe(200);
  });

  test('shows the same page for every bad link, and changes nothing', async () => {
    const suite = start();
    await suite.subscribe(ada);
    const good = linkOf(suite).split('=')[1] as string;
    const [record] = await suite.records();
    const claims = ['newsletter', record?.key.split('/')[2] as string, 'en'];
    const expiresAt = suite.platform.clock.now() + DAY;
    const stranger = deriveKeys('another secret of at least 32 characters');
    const tokens = [
      '',
      'x',
      `${good}x`,
      good.slice(0, -1),
      signToken(stranger('subscribe-user confirm'), { claims, expiresAt }),
      signToken(suite.platform.keys('subscribe-user'), { claims, expiresAt }),
      signToken(suite.platform.keys('subscribe-user confirm'), { claims, expiresAt: 0 }),
    ];
    const seen = new Set<string>();
    for (const path of ['/confirm', ...tokens.map((token) => `/confirm?token=${token}`)])
      for (const answer of [await suite.show(path), await suite.confirm(path)]) {
        expect(answer.status).toBe(400);
        seen.add(await answer.text());
      }
    // Signed by us, for a subscription that is not there: POST finds out, and says no more than the others.
    const gone = signToken(suite.platform.keys('subscribe-user confirm'), {
      claims: ['newsletter', 'f'.repeat(64), 'en'],
      expiresAt,
    });
    const answer = await suite.confirm(`/confirm?token=${gone}`);
    expect(answer.status).toBe(400);
    seen.add(await answer.text());
    expect(seen.size).toBe(1);
    expect(await suite.records()).toMatchObject([{ state: 'pending' }]);
  });

  test('speaks the language of the subscriber, in the mail and on the pages', async () => {
    const suite = start();
    await suite.subscribe({ ...ada, locale: 'fr-CA' });
    expect(suite.platform.mails[0]?.subject).toBe('Confirmez votre abonnement');
    expect(await (await suite.show(linkOf(suite))).text()).toContain('<html lang="fr">');
    const bad = await suite.show('/confirm', { headers: { 'accept-language': 'de-AT;q=1,en' } });
    expect(await bad.text()).toContain('<html lang="de">');
  });

  test('says in the mail how long the link is good', async () => {
    const suite = start();
    await suite.subscribe(ada);
    expect(suite.platform.mails[0]?.text).toMatch(/good until January 3, 2026 at 12:00\sAM UTC\./);
  });

  test.each(HOSTILE_ADDRESSES.map((email) => [email]))('mails nobody for %j', async (email) => {
    const suite = start();
    await expect(suite.subscribe({ email })).rejects.toMatchObject({
      code: 'invalid_input',
      errors: expect.arrayContaining([expect.objectContaining({ pointer: '/email' })]),
    });
    expect(suite.platform.mails).toEqual([]);
    expect(await suite.records()).toEqual([]);
  });

  test.each(['', 'News', 'a/b', '../x', 'a b', 'a\n', 'x'.repeat(41), 7, null])(
    'knows no list %j',
    async (list) => {
      const suite = start();
      await expect(suite.subscribe({ ...ada, list })).rejects.toMatchObject({
        code: 'invalid_input',
        errors: [expect.objectContaining({ pointer: '/list' })],
      });
      expect(await suite.records()).toEqual([]);
    },
  );

  test('sends nothing while the store is away', async () => {
    const away = () => Promise.reject(new Failure('store_unavailable'));
    const suite = start();
    const store = { ...suite.platform.store, get: away, compareAndSwap: away };
    const broken = start({ store: store as unknown as Platform['store'] });
    await expect(broken.subscribe(ada)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(broken.platform.mails).toEqual([]);
  });

  test('refuses a link that is gone before it can be read', () => {
    const make = () =>
      subscribeUser.create({ ...CONFIG, SUBSCRIBE_USER_CONFIRM_TTL: 1_000 }, testPlatform());
    expect(make).toThrow(TypeError);
  });

  test('lets the public confirm, and backends alone subscribe', () => {
    const { callers, routes } = subscribeUser;
    expect(callers).toBe('backend');
    expect(routes['POST /']).not.toHaveProperty('callers');
    expect(routes['GET /confirm'].callers).toBe('public');
    expect(routes['POST /confirm'].callers).toBe('public');
  });
});

describe('what a request for a subscription leads to', () => {
  const known: Subscription = {
    address: 'ada@example.com',
    list: 'newsletter',
    state: 'pending',
    generation: 'first',
    requestedAt: 0,
    requestedBy: 'me',
    attemptUntil: 100,
  };
  test.each<[string, Subscription | undefined, string | undefined, number, string]>([
    ['nobody asked before', undefined, undefined, 0, 'mail'],
    ['the mail went out', { ...known, mailedAt: 5 }, 'me', 1_000, 'nothing'],
    ['it is confirmed', { ...known, state: 'confirmed' }, 'me', 1_000, 'nothing'],
    ['its owner has left', { ...known, state: 'unsubscribed', mailedAt: 5 }, 'you', 0, 'mail'],
    ['its owner has left, of no name', { ...known, state: 'unsubscribed' }, undefined, 99, 'mail'],
    ['it is what its owner took back', { ...known, state: 'unsubscribed' }, 'me', 1_000, 'nothing'],
    ['this request is at it', known, 'me', 99, 'wait'],
    ['another request is at it', known, 'you', 99, 'nothing'],
    ['a request without a key is at it', { ...known, requestedBy: 'x' }, undefined, 99, 'nothing'],
    ['the attempt has ended without a mail', known, 'you', 100, 'mail'],
  ])('when %s', (_, subscription, requestedBy, now, decision) => {
    expect(decideRequest(subscription, { requestedBy, now })).toBe(decision);
  });
});
