/** A signup through the whole suite, as a process, with real peers: SMTP, Twilio's API, a webhook, a second host. */
import { createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Run } from '../../shared/pipeline/run';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { SHARD_SETTINGS } from '../support/shard-settings';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer';
import { startTwilioPeer, type TwilioPeer } from '../support/twilio-peer';

const SECRET = Buffer.alloc(32, 7);
const ADA = {
  username: 'ada',
  email: 'ada@example.com',
  phoneNumber: '+12025550123',
  newsletter: true,
};

interface Received {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

let smtp: SmtpPeer;
let twilio: TwilioPeer;
let crm: http.Server;
let received: Received[] = [];

beforeAll(async () => {
  smtp = await startSmtpPeer();
  twilio = await startTwilioPeer();
  crm = http.createServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (part) => {
      body += part;
    });
    incoming.on('end', () => {
      received.push({ headers: incoming.headers, body });
      outgoing.end();
    });
  });
  await new Promise<void>((resolve) => crm.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await smtp.close();
  await twilio.close();
  crm.close();
});

const post = (
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const states = ({ steps }: Run) =>
  Object.fromEntries(
    Object.entries(steps).map(([name, { state, reason }]) => [
      name,
      reason ? `${state}: ${reason}` : state,
    ]),
  );

describe.each(['node', 'functions-framework'])('on the %s host', (name) => {
  const file = bundle(`deploy/entry/${name}.ts`);
  let host: HostProcess | undefined;

  afterEach(async () => {
    if (host && host.child.exitCode === null) expect(await host.stop()).toBe(0);
    received = [];
  });

  test('with nothing set, one signup makes two mails and one message in the outbox, and the code verifies', async () => {
    host = await startHost({ file });
    const response = await post(`${host.url}/signup`, ADA, { prefer: 'wait=10' });
    expect(response.status).toBe(200);
    const run = (await response.json()) as Run;
    expect([run.state, states(run)]).toEqual([
      'succeeded',
      {
        'create-user': 'succeeded',
        welcome: 'succeeded',
        'confirm-phone': 'succeeded',
        newsletter: 'succeeded',
        crm: 'skipped: condition',
      },
    ]);
    expect(JSON.stringify(run)).not.toMatch(/ada@|12025550123/);

    // A code is on its way once it is recorded; it need not have arrived when the run has ended.
    const outbox = await outboxWith(host.url, 3);
    expect(outbox.messages.map(({ channel }) => channel).sort()).toEqual(['mail', 'mail', 'sms']);
    const code = /#(\d{6})$/.exec(
      outbox.messages.find(({ channel }) => channel === 'sms')?.text ?? '',
    )?.[1];
    const { challenge } = (run.steps['confirm-phone']?.output ?? {}) as { challenge?: string };
    const verified = await post(`${host.url}/two-factor/verify`, { challenge, code });
    expect([verified.status, await verified.json()]).toMatchObject([200, { status: 'verified' }]);
    expect((await post(`${host.url}/two-factor/verify`, { challenge, code })).status).toBe(401);

    const link = /http\S+confirm\?token=\S+/.exec(
      outbox.messages.map(({ text }) => text).join('\n'),
    )?.[0] as string;
    expect(link.startsWith(`http://localhost:${host.port}/subscribe-user/confirm`)).toBe(true);
    const page = await fetch(link.replace('localhost', '127.0.0.1'));
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(JSON.stringify(host.lines())).not.toMatch(
      new RegExp(`ada@example|12025550123|\\D${code}\\D`),
    );
  });

  test('without phone and newsletter those steps are skipped', async () => {
    host = await startHost({ file });
    const run = (await (
      await post(
        `${host.url}/signup`,
        { username: 'bob', email: 'bob@example.com' },
        { prefer: 'wait=10' },
      )
    ).json()) as Run;
    expect([run.state, states(run)]).toEqual([
      'succeeded',
      {
        'create-user': 'succeeded',
        welcome: 'succeeded',
        'confirm-phone': 'skipped: condition',
        newsletter: 'skipped: condition',
        crm: 'skipped: condition',
      },
    ]);
  });

  test('a second signup with the same address fails, and sends nothing', async () => {
    host = await startHost({ file });
    await post(
      `${host.url}/signup`,
      { username: 'ada', email: 'ada@example.com' },
      { prefer: 'wait=10' },
    );
    const run = (await (
      await post(`${host.url}/signup`, { ...ADA, email: 'ADA@example.com' }, { prefer: 'wait=10' })
    ).json()) as Run;
    expect(run.state).toBe('failed');
    expect(run.steps['create-user']).toMatchObject({
      state: 'failed',
      attempts: 1,
      error: { status: 422 },
    });
    expect(run.steps.welcome).toMatchObject({ state: 'skipped', reason: 'upstream' });
    const outbox = (await (
      await fetch(`${host.url}/outbox`, { headers: { accept: 'application/json' } })
    ).json()) as { messages: unknown[] };
    expect(outbox.messages).toHaveLength(1);
  });

  test('with accounts set, mails go by SMTP, the message by Twilio, and the webhook is called with its signature', async () => {
    host = await startHost({
      file,
      environment: {
        SMTP_URL: smtp.url,
        MAIL_FROM: 'Suite <hello@suite.example>',
        TWILIO_ACCOUNT_SID: twilio.accountSid,
        TWILIO_AUTH_TOKEN: twilio.authToken,
        TWILIO_FROM: '+15005550006',
        TWILIO_BASE_URL: twilio.url,
        CRM_WEBHOOK_URL: `http://127.0.0.1:${(crm.address() as AddressInfo).port}/hook?tenant=1`,
        WEBHOOK_ALLOW: '127.0.0.1',
        WEBHOOK_SECRET: `whsec_${SECRET.toString('base64')}`,
      },
    });
    const before = [smtp.mails.length, twilio.messages.length] as const;
    const response = await post(
      `${host.url}/signup`,
      { ...ADA, company: 'Engines' },
      { prefer: 'wait=10', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    );
    const run = (await response.json()) as Run;
    expect([run.state, run.steps.crm?.state]).toEqual(['succeeded', 'succeeded']);
    expect(smtp.mails.slice(before[0]).map(({ recipients }) => recipients)).toEqual([
      ['ada@example.com'],
      ['ada@example.com'],
    ]);
    expect(twilio.messages.slice(before[1]).map(({ to, from }) => [to, from])).toEqual([
      ['+12025550123', '+15005550006'],
    ]);

    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [Received];
    expect(headers).toMatchObject({
      'ce-type': 'signup.crm',
      'ce-source': '/signup/runs',
      'ce-id': `${run.id}:crm`,
      'idempotency-key': `${run.id}:crm`,
      'webhook-id': `${run.id}:crm`,
    });
    expect(headers.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`,
    );
    expect(JSON.parse(body)).toMatchObject({ username: 'ada', company: 'Engines' });
  });

  test('in production, steps of one process call the functions of another, signed, and strangers are refused', async () => {
    const accounts = {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      SECRET_KEY: 'one secret that both processes share and that is long',
      SMTP_URL: smtp.url,
      MAIL_FROM: 'hello@suite.example',
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_AUTH_TOKEN: twilio.authToken,
      TWILIO_FROM: '+15005550006',
      TWILIO_BASE_URL: twilio.url,
      PUBLIC_URL: 'https://api.example.com',
      STORE_URL: 'sqlite:./faas.db',
      ...SHARD_SETTINGS,
      ADD_DEFAULTS_TARGET: 'https://behind.example.com',
      ADD_DEFAULTS_SCHEMA: '{"type":"object"}',
    };
    const functions = await startHost({
      file,
      environment: { ...accounts, ENGINE_URL: 'local:./other.db' },
    });
    host = await startHost({
      file,
      environment: {
        ...accounts,
        FUNCTION_TARGET: 'signup',
        FUNCTIONS_URL: functions.url,
        ENGINE_URL: 'local:./runs.db',
      },
    });
    const run = (await (
      await post(`${host.url}/signup`, ADA, { prefer: 'wait=10' })
    ).json()) as Run;
    expect(run.state).toBe('succeeded');
    for (const [at, body] of [
      ['create-user', { username: 'eve', email: 'eve@example.com' }],
      ['email-user', { email: 'eve@example.com' }],
      ['two-factor', { user: 'eve', email: 'eve@example.com' }],
    ] as const)
      expect((await post(`${functions.url}/${at}`, body)).status).toBe(403);
    expect(await functions.stop()).toBe(0);
  });
});

test('the stock command line of functions-framework runs a function after a build', async () => {
  const path = await import('node:path');
  const { spawn } = await import('node:child_process');
  const source = bundle('deploy/entry/index.ts');
  const cli = path.resolve(
    __dirname,
    '../../node_modules/@google-cloud/functions-framework/build/src/main.js',
  );
  const probe = http.createServer().listen(0);
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const child = spawn(
    process.execPath,
    [cli, '--target=add-defaults', `--source=${source}`, `--port=${port}`],
    { env: { PATH: process.env.PATH }, cwd: path.dirname(source) },
  );
  try {
    let response: Response | undefined;
    for (let i = 0; i < 100 && !response; i += 1) {
      response = await post(`http://127.0.0.1:${port}/add-defaults/x?y=%20`, { name: 'ada' }).catch(
        () => undefined,
      );
      if (!response) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(response?.status).toBe(200);
    expect(await response?.json()).toMatchObject({
      method: 'POST',
      path: '/x',
      query: 'y=%20',
      body: { name: 'ada', color: 'blue' },
    });
  } finally {
    child.kill('SIGKILL');
  }
});

interface Outbox {
  readonly messages: { channel: string; to: string; text: string }[];
}

/** As soon as there are so many, or after a while as it is. */
const outboxWith = async (url: string, count: number): Promise<Outbox> => {
  for (let tries = 100; ; tries -= 1) {
    const response = await fetch(`${url}/outbox`, { headers: { accept: 'application/json' } });
    const outbox = (await response.json()) as Outbox;
    if (outbox.messages.length >= count || tries === 0) return outbox;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
