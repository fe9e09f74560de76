/** Codes that a login service can verify by itself: over real HTTP, with a service that knows nothing of our code. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createLoginService,
  LOGIN_SETTINGS,
  type LoginService,
  type Registration,
} from '../../../functions/two-factor/login-service';
import { systemClock } from '../../../shared/clock';
import { readConfig } from '../../../shared/config';
import type { Failure } from '../../../shared/failure';
import { systemRandom } from '../../../shared/random';
import { verifyWebhook } from '../../../shared/webhook/verify';
import { closeReceivers, type Hit, nobody, receiver } from '../../shared/webhook/receiver';

afterEach(closeReceivers);

const SECRET = 'a secret of the login service and of us';
const WHSEC = `whsec_${Buffer.from('another secret of 32 byte length').toString('base64')}`;
const CODE = '482913';

const registration: Registration = {
  challenge: 'wq3mZkq0T0-7q1_3uYx2Bg',
  n: 0,
  user: 'user-7',
  purpose: 'login',
  code: CODE,
  expiresAt: Date.UTC(2026, 0, 1, 0, 10),
};

const parts = { clock: systemClock, random: systemRandom };
const none = new AbortController().signal;

const serviceAt = (url: string, secrets = SECRET): LoginService =>
  createLoginService(parts, {
    LOGIN_SERVICE_URL: url,
    LOGIN_SERVICE_SECRET: secrets,
  }) as LoginService;

const taking = () => receiver((response) => void response.writeHead(204).end());

const failureOf = async (work: Promise<void>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('it was taken')),
    (thrown) => thrown as Failure,
  );

/** What is given to whoever writes a login service: all of its verification. */
const isRight = (
  secret: string,
  { salt, challenge, user, purpose, hash }: Record<string, string>,
  code: string,
): boolean => {
  const bytes = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
  const key = createHmac('sha256', bytes).update('two-factor code').digest();
  const hmac = createHmac('sha256', key);
  for (const part of [salt, challenge, user, purpose, code] as string[])
    hmac.update(`${Buffer.byteLength(part)}:${part},`);
  return timingSafeEqual(hmac.digest(), Buffer.from(hash as string, 'hex'));
};

const bodyOf = ({ body }: Hit) => JSON.parse(body.toString()) as Record<string, string>;

describe('the service', () => {
  test.each([
    ['a text', SECRET],
    ['whsec_', WHSEC],
  ])('verifies the code by itself, with %s for a secret', async (_, secret) => {
    const peer = await taking();
    await serviceAt(`${peer.url}/codes`, secret).register(registration, none);
    const body = bodyOf(peer.hits[0] as Hit);
    expect(body).toEqual({
      challenge: registration.challenge,
      user: 'user-7',
      purpose: 'login',
      salt: expect.stringMatching(/^[\w-]{22}$/),
      hash: expect.stringMatching(/^[\da-f]{64}$/),
      algorithm: 'hmac-sha256',
      expiresAt: '2026-01-01T00:10:00.000Z',
    });
    expect(isRight(secret, body, CODE)).toBe(true);
    expect(isRight(secret, body, '482914')).toBe(false);
    expect(isRight(`${secret.slice(0, -2)}AA`, body, CODE)).toBe(false);
    for (const field of ['salt', 'challenge', 'user', 'purpose'])
      expect(isRight(secret, { ...body, [field]: 'another' }, CODE)).toBe(false);
  });

  test('knows by the signature that it is from us, to the byte', async () => {
    const peer = await taking();
    await serviceAt(peer.url, WHSEC).register(registration, none);
    const { headers, body } = peer.hits[0] as Hit;
    const fields = Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('webhook-') ? [[name, String(value)] as [string, string]] : [],
    );
    const read = (bytes: Buffer, secrets: string) =>
      verifyWebhook(
        new Request('http://login.test', { method: 'POST', headers: fields, body: bytes }),
        { secrets },
      );
    expect((await read(body, WHSEC)).id).toBe(headers['webhook-id']);
    await expect(read(Buffer.concat([body, Buffer.from(' ')]), WHSEC)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    const other = `whsec_${Buffer.alloc(32).toString('base64')}`;
    await expect(read(body, other)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('may know several secrets: the first is used, for signature and hash', async () => {
    const peer = await taking();
    await serviceAt(peer.url, ` ${WHSEC} , ${SECRET}`).register(registration, none);
    const body = bodyOf(peer.hits[0] as Hit);
    expect([isRight(WHSEC, body, CODE), isRight(SECRET, body, CODE)]).toEqual([true, false]);
    expect((peer.hits[0] as Hit).headers['webhook-signature']).not.toContain(' ');
  });

  test('gets a repeat of another process to the byte, and the next message as another', async () => {
    const peer = await taking();
    for (const n of [0, 0, 1]) await serviceAt(peer.url).register({ ...registration, n }, none);
    const [first, repeat, next] = peer.hits as [Hit, Hit, Hit];
    expect(repeat.body).toEqual(first.body);
    expect(repeat.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(next.headers['webhook-id']).not.toBe(first.headers['webhook-id']);
    expect([bodyOf(next).salt, bodyOf(next).hash]).not.toContain(bodyOf(first).salt);
    expect(bodyOf(next).hash).not.toBe(bodyOf(first).hash);
  });

  test('is shown the code in nothing but the hash, and the challenge in nothing but the body', async () => {
    const peer = await taking();
    await serviceAt(`${peer.url}/codes?for=us`).register(registration, none);
    const { url, headers, body } = peer.hits[0] as Hit;
    const all = [url, JSON.stringify(headers), body.toString()].join('\n');
    const { hash, ...rest } = bodyOf(peer.hits[0] as Hit);
    for (const secret of [CODE, SECRET, Buffer.from(CODE).toString('base64')])
      expect(all).not.toContain(secret);
    // Without the key a million tries are a second.
    const { salt, challenge, user, purpose } = rest as Record<string, string>;
    const plain = [salt, challenge, user, purpose, CODE]
      .map((part) => `${Buffer.byteLength(part as string)}:${part},`)
      .join('');
    expect(hash).not.toBe(createHmac('sha256', '').update(plain).digest('hex'));
    expect(`${url}${JSON.stringify(headers)}`).not.toContain(registration.challenge);
  });
});

describe('who does not take it', () => {
  test('at first is asked again', async () => {
    const peer = await receiver((response, { hits }) =>
      response.writeHead(hits.length < 3 ? 503 : 200).end(),
    );
    await serviceAt(peer.url).register(registration, none);
    expect(peer.hits).toHaveLength(3);
    expect(new Set(peer.hits.map(({ body }) => body.toString())).size).toBe(1);
    expect(new Set(peer.hits.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test.each([
    [500, 3],
    [429, 3],
    [401, 1],
    [404, 1],
    [410, 1],
  ])('with %d has failed after %d requests', async (status, requests) => {
    const peer = await receiver((response) => response.writeHead(status).end(`about ${CODE}`));
    const failure = await failureOf(serviceAt(peer.url).register(registration, none));
    expect(failure).toMatchObject({
      code: 'registration_failed',
      status: 502,
      retryable: true,
      cause: { status },
    });
    expect(peer.hits).toHaveLength(requests);
  });

  test('but sends us elsewhere is not followed', async () => {
    const elsewhere = await taking();
    for (const status of [301, 302, 303, 307, 308]) {
      const peer = await receiver((response) =>
        response.writeHead(status, { location: elsewhere.url }).end(),
      );
      const failure = await failureOf(serviceAt(peer.url).register(registration, none));
      expect([failure.code, failure.cause]).toEqual(['registration_failed', { status }]);
      expect(peer.hits).toHaveLength(1);
    }
    expect(elsewhere.hits).toHaveLength(0);
  });

  test('or asks for more time than anybody waits has failed at once', async () => {
    const peer = await receiver((response) =>
      response.writeHead(503, { 'retry-after': '60' }).end(),
    );
    expect(await failureOf(serviceAt(peer.url).register(registration, none))).toMatchObject({
      code: 'registration_failed',
    });
    expect(peer.hits).toHaveLength(1);
  });

  test('is dead: it has failed', async () => {
    const failure = await failureOf(serviceAt(await nobody()).register(registration, none));
    expect([failure.code, failure.cause]).toEqual([
      'registration_failed',
      { error: 'unreachable' },
    ]);
  });

  test('or never answers has failed within seconds', async () => {
    const peer = await receiver(() => {});
    const failure = await failureOf(serviceAt(peer.url).register(registration, none));
    expect([failure.code, failure.cause]).toEqual(['registration_failed', { error: 'timeout' }]);
    expect(peer.hits.length).toBeGreaterThan(1);
  });

  test('is let go of when nobody waits any more, under way or between two tries', async () => {
    const leaving = new AbortController();
    const silent = await receiver(() => leaving.abort());
    const cut = await failureOf(serviceAt(silent.url).register(registration, leaving.signal));
    expect([cut.code, silent.hits.length]).toEqual(['aborted', 1]);
    const later = new AbortController();
    const busy = await receiver((response) => {
      response.writeHead(503).end();
      setTimeout(() => later.abort(), 50);
    });
    const given = await failureOf(serviceAt(busy.url).register(registration, later.signal));
    expect([given.code, busy.hits.length]).toEqual(['aborted', 1]);
  });

  test('learns nothing of it by the error, nor does a log', async () => {
    const peer = await receiver((response) => response.writeHead(400).end(`no ${CODE} ${SECRET}`));
    const failure = await failureOf(serviceAt(peer.url).register(registration, none));
    const text = `${failure.stack} ${JSON.stringify(failure)} ${JSON.stringify(failure.cause)}`;
    for (const secret of [CODE, SECRET, registration.challenge, registration.user])
      expect(text).not.toContain(secret);
  });
});

describe('settings', () => {
  const create = (environment: Record<string, string>) => {
    const { config, mistakes } = readConfig(LOGIN_SETTINGS, environment, { production: true });
    expect(mistakes).toEqual([]);
    return createLoginService(parts, config);
  };

  test('none: there is no such service', () => {
    expect(create({})).toBeUndefined();
  });

  test.each([
    'https://login.example.com/codes',
    'https://10.0.0.7:8443/',
    'http://127.0.0.1:9000',
    'http://localhost:9000/codes',
    'http://[::1]:9000',
  ])('%s will do', (LOGIN_SERVICE_URL) => {
    expect(create({ LOGIN_SERVICE_URL, LOGIN_SERVICE_SECRET: SECRET })).toBeDefined();
  });

  test.each([
    ['http://login.example.com', SECRET, /https/],
    ['http://10.0.0.7/', SECRET, /https/],
    ['http://127.0.0.1.example.com/', SECRET, /https/],
    ['https://user:canary@login.example.com', SECRET, /without credentials/],
    ['https://login.example.com', 'canary', /32 characters/],
    ['https://login.example.com', `${SECRET},canary`, /32 characters/],
    ['https://login.example.com', `whsec_canary${'!'.repeat(40)}`, /whsec_ and base64/],
    ['https://login.example.com', '', /need each other/],
    ['', SECRET, /need each other/],
  ])('%s with %j will not', (LOGIN_SERVICE_URL, LOGIN_SERVICE_SECRET, message) => {
    const act = () => create({ LOGIN_SERVICE_URL, LOGIN_SERVICE_SECRET });
    expect(act).toThrow(TypeError);
    expect(act).toThrow(message);
    expect(act).not.toThrow(/canary/);
  });
});
