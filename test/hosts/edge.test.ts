/** How a worker starts, who may call it, and what it tells: in the real workerd. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { deriveKeys } from '../../shared/keys';
import { signWebhook } from '../../shared/webhook/sign';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange, type RawAnswer, type RawRequest } from '../support/raw-http';
import { bundleForEdge, provideWorkerd, startWorkerd, type Workerd } from '../support/workerd';

const SECRET = 'a test secret of at least 32 characters';

let code: string;
const workers: Workerd[] = [];

beforeAll(async () => {
  await provideWorkerd();
  code = bundleForEdge('test/support/probe/edge-callers.ts');
}, PEERS_TIMEOUT);

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

const start = async (environment: Record<string, string> = {}, own = code): Promise<Workerd> => {
  const worker = await startWorkerd({
    code: own,
    environment: { SECRET_KEY: SECRET, ...environment },
  });
  workers.push(worker);
  return worker;
};

const show = ({ status, body }: RawAnswer) => {
  const text = body.toString();
  const value = text.startsWith('{') ? JSON.parse(text) : text;
  return [status, value.code ?? value];
};

const ask = async (worker: Workerd, request: RawRequest) =>
  show(await exchange(worker.port, request));

const PUBLIC = '/probe-callers/public';

describe('a worker', () => {
  test('has the parts of the platform that the edge has, its settings, and nothing of Node', async () => {
    const worker = await start({ PROBE_CALLERS_LIMIT: '7', PROBE_CALLERS_TOPIC: 'ü "quoted"\n' });
    const [status, value] = await ask(worker, { path: PUBLIC });
    expect(status).toBe(200);
    expect(value).toMatchObject({
      production: true,
      limit: 7,
      topic: 'ü "quoted"',
      parts: ['undefined', 'undefined'],
      key: deriveKeys(SECRET)('a label').current.id,
      drawn: [0, 3, 36],
      node: ['undefined', 'undefined'],
    });
    expect(value.id).toMatch(/^[\w-]{24}$/);
    expect(value.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('of one function answers at the root, too', async () => {
    const worker = await start();
    expect((await ask(worker, { path: '/public' }))[0]).toBe(200);
    expect(await ask(worker, { path: '/nowhere' })).toEqual([404, 'not_found']);
  });

  test('waits for work that goes on, logs what breaks of it, and keeps secrets out of its lines', async () => {
    const worker = await start();
    await ask(worker, { path: '/background', headers: [['x-request-id', 'mine-1']] });
    for (let i = 0; i < 100 && !worker.output().includes('background_done'); i += 1)
      await sleep(20);
    const lines = worker.lines();
    expect(lines.map(({ message, id }) => [message, id])).toEqual(
      expect.arrayContaining([
        ['probe', 'mine-1'],
        ['background_failed', 'mine-1'],
        ['background_done', 'mine-1'],
      ]),
    );
    expect(lines.find(({ message }) => message === 'probe')).toMatchObject({
      severity: 'INFO',
      trace: expect.stringMatching(/^[0-9a-f]{32}$/),
      token: '[redacted]',
      fine: 'shown',
    });
    expect(worker.output()).not.toMatch(/canary/);
  });

  test('sends the bytes of an answer as they are, whatever coding it names', async () => {
    const worker = await start();
    const { headers, body } = await exchange(worker.port, { path: '/encoded' });
    expect([new Map(headers).get('content-encoding'), body.toString()]).toEqual([
      'gzip',
      'as they are',
    ]);
  });

  test('sends no body where none may be', async () => {
    const worker = await start();
    const { status, body } = await exchange(worker.port, { path: '/bodiless' });
    expect([status, body.length]).toEqual([304, 0]);
  });

  test('logs a line for each request when it is asked to', async () => {
    const worker = await start({ LOG_LEVEL: 'debug' });
    await ask(worker, { path: PUBLIC });
    expect(worker.lines().at(-1)).toMatchObject({
      severity: 'DEBUG',
      message: 'request',
      method: 'GET',
      path: PUBLIC,
      status: 200,
    });
  });
});

describe('a worker that cannot start answers every request with 500, and says why once', () => {
  const refused = async (environment: Record<string, string>, own = code): Promise<string> => {
    const worker = await start(environment, own);
    for (let i = 0; i < 3; i += 1)
      expect(await ask(worker, { path: PUBLIC })).toEqual([500, 'internal']);
    expect((await exchange(worker.port, { path: '/health/readiness' })).status).toBe(503);
    expect((await exchange(worker.port, { path: '/health/liveness' })).status).toBe(200);
    const told = worker.lines().filter(({ message }) => message === 'cannot_start');
    expect(told).toHaveLength(1);
    expect(told[0]?.severity).toBe('ERROR');
    return told[0]?.reason as string;
  };

  test('with every wrong setting at once', async () => {
    const reason = await refused({
      PROBE_CALLERS_LIMIT: 'many',
      TRUSTED_PROXY_HOPS: '99',
      EDGE_BINDINGS: 'http://a.example=NOBODY',
      LOG_LEVEL: 'loud',
      SECRET_KEY: 'canary',
    });
    for (const line of [
      /^6 settings|^5 settings/,
      /PROBE_CALLERS_LIMIT +must be integer, is "many"/,
      /TRUSTED_PROXY_HOPS +must be <= 16, is "99"/,
      /EDGE_BINDINGS +there is no service binding NOBODY/,
      /LOG_LEVEL +must be one of/,
      /SECRET_KEY +each secret must have at least 32 characters/,
    ])
      expect(reason).toMatch(line);
    expect(reason).not.toMatch(/canary/);
  });

  test('with a need of what the edge does not have', async () => {
    expect(await refused({ PROBE_CALLERS_STORE: 'true' })).toMatch(
      /probe-callers +needs the store, which the edge does not have/,
    );
  });

  test('with settings that its function refuses', async () => {
    expect(await refused({ PROBE_CALLERS_LIMIT: '13' })).toMatch(/probe-callers +13 cannot work/);
  });

  test('with a function that does not run at the edge', async () => {
    expect(await refused({}, bundleForEdge('test/support/probe/edge-misplaced.ts'))).toMatch(
      /probe-misplaced +does not run at the edge/,
    );
  });
});

describe('who may call', () => {
  const tokens = { ADMIN_TOKENS: 'admin-1,admin-2', CALLER_TOKENS: 'caller-1' };
  const post = (...headers: (readonly [string, string])[]): RawRequest => ({
    method: 'POST',
    path: '/probe-callers',
    headers: [['content-type', 'application/json'], ...headers],
    body: '{"a":1}',
  });
  const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;

  test('is asked unless development is said: a worker is on the internet at once', async () => {
    expect(await ask(await start(), post())).toEqual([403, 'forbidden']);
    expect(await ask(await start({ NODE_ENV: 'test' }), post())).toEqual([403, 'forbidden']);
    expect(await ask(await start({ NODE_ENV: 'development' }), post())).toEqual([200, { a: 1 }]);
  });

  test('is known by a bearer token', async () => {
    const worker = await start(tokens);
    expect(await ask(worker, post(bearer('caller-1')))).toEqual([200, { a: 1 }]);
    expect(await ask(worker, post(bearer('caller-2')))).toEqual([401, 'unauthorized']);
    expect(await ask(worker, post(bearer('admin-1')))).toEqual([401, 'unauthorized']);
    expect(await ask(worker, post())).toEqual([401, 'unauthorized']);
    const admin = (token: string) =>
      ask(worker, { path: '/probe-callers/admin', headers: [bearer(token)] });
    expect(await admin('admin-2')).toEqual([200, '"admin"']);
    expect(await admin('caller-1')).toEqual([401, 'unauthorized']);
  });

  test('is known by the signature of one of our own steps, with any of the secrets', async () => {
    const older = 'an older secret of at least 32 characters';
    const worker = await start({ SECRET_KEY: `${SECRET}, ${older}` });
    const signed = (secret: string, { body = '{"a":1}', age = 0 } = {}) => {
      const timestamp = Math.floor(Date.now() / 1000) - age;
      const options = { id: 'run-1:step', timestamp, body: Buffer.from(body) };
      const keys = [deriveKeys(secret)('step').current.bytes];
      return post(
        ['webhook-id', options.id],
        ['webhook-timestamp', String(timestamp)],
        ['webhook-signature', signWebhook({ ...options, keys })],
      );
    };
    expect(await ask(worker, signed(SECRET))).toEqual([200, { a: 1 }]);
    expect(await ask(worker, signed(older))).toEqual([200, { a: 1 }]);
    expect(await ask(worker, signed(`${SECRET}!`))).toEqual([401, 'unauthorized']);
    expect(await ask(worker, signed(SECRET, { body: '{"a":2}' }))).toEqual([401, 'unauthorized']);
    expect(await ask(worker, signed(SECRET, { age: 301 }))).toEqual([401, 'unauthorized']);
  });
});

describe('the address of the caller', () => {
  const address = async (
    worker: Workerd,
    ...headers: (readonly [string, string])[]
  ): Promise<string | null> => (await ask(worker, { path: PUBLIC, headers }))[1].address;

  test('is the other end of the socket, whatever fields say', async () => {
    const worker = await start();
    expect(await address(worker)).toBe('127.0.0.1');
    expect(
      await address(
        worker,
        ['cf-connecting-ip', '203.0.113.9'],
        ['x-forwarded-for', '203.0.113.9'],
      ),
    ).toBe('127.0.0.1');
  });

  test('is as many entries from the right as there are proxies, and none where it is missing', async () => {
    const worker = await start({ TRUSTED_PROXY_HOPS: '2' });
    const forwarded = (text: string) => address(worker, ['x-forwarded-for', text]);
    expect(await forwarded('198.51.100.1, 203.0.113.9, 10.0.0.1')).toBe('203.0.113.9');
    expect(await forwarded('[2001:DB8::0:1]:443, 10.0.0.1')).toBe('2001:db8::1');
    expect(await forwarded('10.0.0.1')).toBe(null);
    expect(await forwarded('unknown, 10.0.0.1')).toBe(null);
    expect(await address(worker)).toBe(null);
  });
});
