/** Walks every route of every function in production, on both hosts, as someone who may not call it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deriveKeys } from '../../shared/keys';
import type { FunctionDescription } from '../../shared/suite/describe';
import { parseWebhookSecrets, signWebhook } from '../../shared/webhook/sign';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange, type RawAnswer } from '../support/raw-http';
import { SHARD_SETTINGS } from '../support/shard-settings';

const SECRET_KEY = 'the secret of this production suite, with a newer one'.replace(',', '');
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const CALLER = 'caller-token-of-the-backend';
const ADMIN = 'admin-token-of-the-operators';

/** What anybody may call, and why. A route that is added here has been thought about. */
const PUBLIC: Readonly<Record<string, string>> = {
  '* /add-defaults/*': 'a decorator is as open as the API behind it',
  '* /shard-owner/*': 'a decorator is as open as the shard behind it',
  '* /shard-router/*': 'a router is as open as the shards behind it',
  'GET /subscribe-user/confirm': 'a link in a mail, with a signed token',
  'POST /subscribe-user/confirm': 'its button',
  'GET /subscribe-user/unsubscribe': 'a link in a mail, with a signed token',
  'POST /subscribe-user/unsubscribe': 'its button, and one-click of RFC 8058',
  'POST /signup': 'people sign themselves up',
  'GET /signup/runs/:id': 'its location is a capability of 128 random bits',
  'GET /signup/runs/:id/events': 'the same',
  'POST /two-factor/status': 'reports of the SMS provider, which signs them',
};

const environment = {
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  STORE_URL: 'sqlite:./faas.db',
  ENGINE_URL: 'local:./runs.db',
  SECRET_KEY,
  SMTP_URL: 'smtp://127.0.0.1:1',
  MAIL_FROM: 'hello@suite.example',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'twilio-token',
  TWILIO_FROM: '+15005550006',
  TWILIO_BASE_URL: 'http://127.0.0.1:1',
  PUBLIC_URL: 'https://api.example.com',
  ...SHARD_SETTINGS,
  ADD_DEFAULTS_TARGET: 'http://127.0.0.1:1',
  ADD_DEFAULTS_SCHEMA: '{"type":"object"}',
  CRM_WEBHOOK_URL: 'https://crm.example.com/hook',
  WEBHOOK_SECRET,
};

const signed = (key: Uint8Array, body = '{}'): (readonly [string, string])[] => {
  const timestamp = Math.floor(Date.now() / 1000);
  return [
    ['webhook-id', 'run:step'],
    ['webhook-timestamp', String(timestamp)],
    [
      'webhook-signature',
      signWebhook({ id: 'run:step', timestamp, body: Buffer.from(body), keys: [key] }),
    ],
  ];
};

const [webhookKey] = parseWebhookSecrets(WEBHOOK_SECRET) as [Uint8Array];
const stepKey = deriveKeys(SECRET_KEY)('step').current.bytes;

/** Let in, a request is answered for what it is: an empty body, no key to look for, or a run that there is not. */
const letInBy = ({ path }: { readonly path: string }): number => {
  if (path.endsWith('/owner/table')) return 200;
  return path.includes('/signal/') ? 404 : 400;
};

/** Those who may not: none of these opens a route that is not public. */
const STRANGERS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'without a token': [],
  'with a wrong token': [['authorization', 'Bearer caller-token-of-the-backenD']],
  'with an empty token': [['authorization', 'Bearer ']],
  'with both tokens in one': [['authorization', `Bearer ${CALLER},${ADMIN}`]],
  'with the secret key itself': [['authorization', `Bearer ${SECRET_KEY}`]],
  'with a step signature of another key': signed(
    deriveKeys('another secret of at least 32 characters')('step').current.bytes,
  ),
  'with a signature of the webhook secret': signed(webhookKey),
  'with a step signature of another body': signed(stepKey).map(([name, value]) =>
    name === 'webhook-id' ? [name, 'run:other'] : [name, value],
  ),
};

describe.each(['node', 'functions-framework'])('on the %s host in production', (name) => {
  const file = bundle(`deploy/entry/${name}.ts`);
  let host: HostProcess;
  let closed: HostProcess;
  let functions: readonly FunctionDescription[];

  beforeAll(async () => {
    host = await startHost({
      file,
      environment: { ...environment, CALLER_TOKENS: CALLER, ADMIN_TOKENS: `old-${ADMIN},${ADMIN}` },
    });
    closed = await startHost({ file, environment });
    const list = await exchange(host.port, {
      path: '/',
      headers: [['authorization', `Bearer ${ADMIN}`]],
    });
    ({ functions } = JSON.parse(list.body.toString()) as {
      functions: readonly FunctionDescription[];
    });
  });

  afterAll(async () => {
    await host.stop('SIGKILL');
    await closed.stop('SIGKILL');
  });

  const routes = () => functions.flatMap((one) => one.routes);
  const guarded = () => [
    ...routes().filter(({ callers }) => callers !== 'public'),
    { method: 'GET', path: '/', callers: 'admin' },
  ];

  const call = (
    at: HostProcess,
    { method, path }: { method: string; path: string },
    headers: readonly (readonly [string, string])[],
  ): Promise<RawAnswer> =>
    exchange(at.port, {
      method: method === '*' ? 'POST' : method,
      path: path.replace('/*', '/x').replace(':id', 'x'),
      headers: [['content-type', 'application/json'], ...headers],
      ...(method !== 'GET' && { body: '{}' }),
    });

  test('the public routes are these and no others', () => {
    const open = routes()
      .filter(({ callers }) => callers === 'public')
      .map(({ method, path }) => `${method} ${path}`);
    expect(open.filter((route) => !Object.hasOwn(PUBLIC, route))).toEqual([]);
    expect(guarded().length).toBeGreaterThanOrEqual(6);
  });

  test.each(Object.entries(STRANGERS))('a stranger %s opens nothing', async (_, headers) => {
    for (const route of guarded()) {
      const { status, body } = await call(host, route, headers);
      expect([route.method, route.path, status, JSON.parse(body.toString()).code]).toEqual([
        route.method,
        route.path,
        401,
        'unauthorized',
      ]);
    }
  });

  test('where no token is set, nobody may, with 403', async () => {
    for (const route of guarded()) expect((await call(closed, route, [])).status).toBe(403);
  });

  test('a signed step may call what is for the backend, and nothing that is for admins', async () => {
    for (const route of guarded()) {
      const body = route.method === 'GET' ? '' : '{}';
      const { status } = await call(host, route, signed(stepKey, body));
      expect([route.path, status === (route.callers === 'backend' ? letInBy(route) : 401)]).toEqual(
        [route.path, true],
      );
    }
  });

  test('each token opens its own routes only', async () => {
    for (const route of guarded()) {
      const statuses = [];
      for (const token of [CALLER, ADMIN])
        statuses.push(
          (await call(host, route, [['authorization', `Bearer ${token}`]])).status === 401,
        );
      expect([route.path, statuses]).toEqual([
        route.path,
        route.callers === 'admin' ? [true, false] : [false, true],
      ]);
    }
  });

  test('there is no outbox', async () => {
    expect(
      (
        await exchange(host.port, {
          path: '/outbox',
          headers: [['authorization', `Bearer ${ADMIN}`]],
        })
      ).status,
    ).toBe(404);
  });
});
