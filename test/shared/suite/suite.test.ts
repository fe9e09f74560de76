/** The composition root with the real catalogue: what production demands, and who may call. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../../functions';
import { systemClock } from '../../../shared/clock';
import { systemRandom } from '../../../shared/random';
import { createSuite, type Suite } from '../../../shared/suite/suite';
import { testContext } from '../../support/invoke';
import { SHARD_SETTINGS } from '../../support/shard-settings';

const ROOT = path.resolve(__dirname, '../../..');
let folder: string;
const opened: Suite[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
});

afterEach(async () => {
  for (const suite of opened.splice(0)) {
    await suite.stop(AbortSignal.timeout(1_000));
    await suite.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

const create = async (environment: Record<string, string> = {}): Promise<Suite> => {
  const suite = await createSuite({
    catalogue,
    environment: { PIPELINES_DIR: path.join(ROOT, 'pipelines'), ...environment },
    folder,
    ownUrl: () => 'http://localhost:8080',
    log: testContext().log,
    clock: systemClock,
    random: systemRandom,
  });
  opened.push(suite);
  return suite;
};

const complaint = (environment: Record<string, string>): Promise<string> =>
  create(environment).then(
    () => 'it started',
    (error: Error) => error.message,
  );

const ask = async (suite: Suite, at: string, init: RequestInit = {}): Promise<Response> =>
  suite.application(new Request(`http://localhost${at}`, init), { ...testContext(), path: at });

const PRODUCTION = {
  NODE_ENV: 'production',
  STORE_URL: 'memory:',
  ENGINE_URL: 'local:./runs.db',
  SECRET_KEY: 'a production secret of 32 characters or more',
  SMTP_URL: 'smtps://u:p@mail.example.com',
  MAIL_FROM: 'hello@example.com',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_FROM: '+15005550006',
  PUBLIC_URL: 'https://api.example.com',
  ...SHARD_SETTINGS,
  ADD_DEFAULTS_TARGET: 'https://behind.example.com',
  ADD_DEFAULTS_SCHEMA: '{"type":"object"}',
};

describe('production', () => {
  test('starts with all that it needs', async () => {
    const pipelines = readdirSync(path.join(ROOT, 'pipelines'))
      .flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? [])
      .sort();
    expect((await create(PRODUCTION)).describe().map(({ name }) => name)).toEqual([
      ...Object.keys(catalogue),
      ...pipelines,
    ]);
  });

  test('without its settings it is refused with every missing one named', async () => {
    const message = await complaint({ NODE_ENV: 'production' });
    for (const name of Object.keys(PRODUCTION).filter((name) => name !== 'NODE_ENV'))
      expect(message).toMatch(new RegExp(`^  ${name} +is required in production`, 'm'));
  });

  test.each(Object.keys(PRODUCTION).filter((name) => name !== 'NODE_ENV'))(
    '%s alone missing is named alone',
    async (name) => {
      const { [name]: _, ...rest } = PRODUCTION as Record<string, string>;
      expect(await complaint(rest)).toMatch(
        new RegExp(`^One setting is wrong or missing:\\n  ${name} `),
      );
    },
  );

  test('a function alone needs only what it uses', async () => {
    const { NODE_ENV, STORE_URL, SECRET_KEY } = PRODUCTION;
    expect(
      (
        await create({ NODE_ENV, STORE_URL, SECRET_KEY, FUNCTION_TARGET: 'create-user' })
      ).describe(),
    ).toHaveLength(1);
  });

  test('there is no outbox, and the list of functions is for admins', async () => {
    const suite = await create({ ...PRODUCTION, ADMIN_TOKENS: 'one,two' });
    await expect(ask(suite, '/outbox')).rejects.toMatchObject({ code: 'not_found' });
    await expect(ask(suite, '/')).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await ask(suite, '/', { headers: { authorization: 'Bearer two' } })).status).toBe(200);
  });

  test('no route that is not public answers without a token', async () => {
    const suite = await create(PRODUCTION);
    for (const { routes } of suite.describe())
      for (const { method, path: at, callers } of routes) {
        const asked = ask(suite, at.replace('/*', ''), {
          method: method === '*' ? 'POST' : method,
        });
        if (callers === 'public')
          await asked.catch((thrown: { code: string }) =>
            expect(String(thrown.code)).not.toMatch(/forbidden|unauthorized/),
          );
        else await expect(asked).rejects.toMatchObject({ code: 'forbidden' });
      }
  });
});

describe('what is wrong is told before anything starts', () => {
  test.each([
    [{ STORE_URL: 'etcd://secret@x' }, /STORE_URL +names etcd, for which there is no adapter yet/],
    [
      { ENGINE_URL: 'restate+http://x' },
      /ENGINE_URL +names restate, whose SDK is not installed: npm install @restatedev/,
    ],
    [{ ENGINE_URL: 'restate+http://' }, /ENGINE_URL +is not the URL of an engine/],
    [
      { ENGINE_URL: 'restate+http://x', RESTATE_SERVICE_URL: 'http://hosts.example.com' },
      /RESTATE_IDENTITY_KEYS +is required with a RESTATE_SERVICE_URL that is not on this machine/,
    ],
    [
      { ENGINE_URL: 'restate+http://x', NODE_ENV: 'production' },
      /RESTATE_IDENTITY_KEYS +is required in production, unless RESTATE_PORT is set/,
    ],
    [{ FUNCTION_TARGET: 'signup' }, /FUNCTIONS_URL +is required/],
    [
      { FUNCTION_TARGET: 'sign-up' },
      /there is no function "sign-up"; there are add-defaults, .*signup/,
    ],
    [
      { CRM_WEBHOOK_URL: 'https://crm.example.com' },
      /signup\.yaml:\d+:\d+ +WEBHOOK_SECRET is not set/,
    ],
    [
      { CRM_WEBHOOK_URL: 'nowhere', WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}` },
      /CRM_WEBHOOK_URL +must be an http or https URL/,
    ],
    [{ WEBHOOK_SECRET: 'short' }, /WEBHOOK_SECRET +must match/],
    [{ SECRET_KEY: 'short' }, /SECRET_KEY +each secret must have at least 32 characters/],
    [{ PIPELINES_DIR: '/nowhere/at/all' }, /does not exist/],
    [{ ADD_DEFAULTS_SCHEMA: '{"type":"nonsense"}' }, /ADD_DEFAULTS_SCHEMA/],
    [{ MAIL_FROM: 'a@example.com, b@example.com', SMTP_URL: 'smtp://x' }, /MAIL_FROM/],
  ])('%j', async (environment, expected) => {
    const message = await complaint(environment as Record<string, string>);
    expect(message).toMatch(expected);
    expect(message).not.toMatch(/secret@x/);
  });

  test.each([
    [
      'a function that takes a step back',
      'steps:\n  a: { webhook: A_URL, undo: { function: create-user } }\n',
      {},
      true,
    ],
    ['no function at all', 'steps:\n  a: { webhook: A_URL }\n', {}, false],
    [
      'an event that starts another of ours',
      'emits: { type: done }\nsteps:\n  a: { webhook: A_URL }\n',
      {},
      true,
    ],
    [
      'an event that goes to a sink',
      'emits: { type: done }\nsteps:\n  a: { webhook: A_URL }\n',
      { K_SINK: 'http://broker.example.com' },
      false,
    ],
  ])('one function alone, that calls %s', async (_name, text, more, needsUrl) => {
    writeFileSync(path.join(folder, 'in.json'), '{"type":"object"}');
    writeFileSync(
      path.join(folder, 'orders.yaml'),
      `name: orders\nsummary: Orders.\ninput: in.json\n${text}`,
    );
    writeFileSync(
      path.join(folder, 'other.yaml'),
      'name: other\nsummary: Other.\ninput: in.json\non: { type: done }\nsteps:\n  a: { webhook: A_URL }\n',
    );
    const message = await complaint({
      PIPELINES_DIR: folder,
      FUNCTION_TARGET: 'orders',
      A_URL: 'https://a.example.com',
      WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`,
      ...more,
    });
    if (needsUrl) expect(message).toMatch(/FUNCTIONS_URL +is required/);
    else expect(message).toBe('it started');
  });

  test('a broken pipeline file, with its place', async () => {
    writeFileSync(
      path.join(folder, 'broken.yaml'),
      'name: broken\nsteps:\n  one: { function: nobody, affter: [] }\n',
    );
    const message = await complaint({ PIPELINES_DIR: folder });
    expect(message).toMatch(/broken\.yaml:3:\d+ /);
    expect(message).toMatch(/affter/);
  });
});

describe('development', () => {
  test('the list at / is a page for a browser and JSON for others', async () => {
    const suite = await create();
    const list = (await (await ask(suite, '/')).json()) as { functions: { name: string }[] };
    expect(list.functions.map(({ name }) => name)).toContain('signup');
    const page = await ask(suite, '/', { headers: { accept: 'text/html,*/*' } });
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    expect(await page.text()).toMatch(/curl -s http:\/\/localhost:8080\/signup/);
  });

  test('a secret is made once and kept for the next start', async () => {
    await create();
    const first = await ask(await create(), '/two-factor', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"user":"a","email":"a@example.com"}',
    });
    const { challenge } = (await first.json()) as { challenge: string };
    const again = await create();
    let code: string | undefined;
    // It goes out behind the answer.
    for (let turn = 0; !code && turn < 500; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const { messages } = (await (
        await ask(again, '/outbox', { headers: { accept: 'application/json' } })
      ).json()) as { messages: { text: string }[] };
      code = /\d{6}/.exec(messages.at(-1)?.text ?? '')?.[0];
    }
    const verified = await ask(again, '/two-factor/verify', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ challenge, code }),
    });
    expect(await verified.json()).toMatchObject({ status: 'verified' });
  });

  test('a required webhook without its URL is refused', async () => {
    writeFileSync(path.join(folder, 'in.json'), '{"type":"object"}');
    writeFileSync(
      path.join(folder, 'orders.yaml'),
      'name: orders\nsummary: Orders.\ninput: in.json\nsteps:\n  ship: { webhook: SHIP_URL }\n',
    );
    expect(await complaint({ PIPELINES_DIR: folder })).toMatch(/SHIP_URL/);
    expect(
      await complaint({
        PIPELINES_DIR: folder,
        SHIP_URL: 'https://ship.example.com',
        WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`,
      }),
    ).toBe('it started');
  });
});
