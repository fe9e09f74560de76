/** `pipeline run --dry-run`: what would be sent, and that nothing is. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { PlannedStep } from '../../../shared/cli/plan';
import { deriveKeys } from '../../../shared/keys';
import { parseWebhookSecrets, verifyWebhookSignature } from '../../../shared/webhook/sign';
import { createLab, run, SECRET } from './lab';

let folder: string;
let listener: Server;
let connects = 0;
let url: string;

beforeAll(async () => {
  listener = createServer((socket) => {
    connects += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
});
beforeEach(() => {
  connects = 0;
  folder = mkdtempSync(path.join(tmpdir(), 'dry-'));
  mkdirSync(path.join(folder, 'pipelines'));
  write('order.schema.json', JSON.stringify(SCHEMA));
  write('order.yaml', ORDER);
});
afterEach(() => rmSync(folder, { recursive: true }));
afterAll(() => new Promise((resolve) => listener.close(resolve)));

const write = (name: string, text: string) =>
  writeFileSync(path.join(folder, 'pipelines', name), text);

const SCHEMA = {
  type: 'object',
  required: ['email'],
  additionalProperties: false,
  properties: {
    email: { type: 'string' },
    plan: { enum: ['free', 'pro'] },
    company: { type: 'string' },
  },
};

const ORDER = `name: order
summary: An order.
input: order.schema.json
steps:
  pay:
    webhook: PAY_URL
    secret: PAY_SECRET
    undo: { webhook: REFUND_URL, secret: PAY_SECRET, input: { payment: pay#/id } }
  user:    { function: create-user, after: [pay], delay: 5s }
  greet:   { function: email-user, after: [user], input: { id: user#/id, to: /email, paid: pay#/sum } }
  pro:     { function: email-user, after: [pay], when: { pointer: /plan, equals: pro } }
  crm:     { webhook: CRM_URL, after: [pay], when: /company, required: false }
  stats:   { webhook: STATS_URL, required: false }
  approve: { wait: { for: order.approved, timeout: 2h }, after: [greet] }
emits: { type: order.done }
`;

const KEY = 'a secret of the suite with 32 characters and more';
const settings = (): Record<string, string> => ({
  PAY_URL: `${url}/pay`,
  PAY_SECRET: SECRET,
  REFUND_URL: `${url}/refund`,
  FUNCTIONS_URL: url,
  FAAS_URL: url,
  K_SINK: `${url}/sink`,
  WEBHOOK_SECRET: SECRET,
  WEBHOOK_ALLOW: '127.0.0.1',
  SECRET_KEY: KEY,
});

const dry = (
  input: unknown,
  { args = [], environment = settings(), target = 'order' }: Options = {},
) =>
  run(['pipeline', 'run', target, '--dry-run', '--data', JSON.stringify(input), ...args], {
    folder,
    environment,
  });

interface Options {
  readonly args?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly target?: string;
}

const plan = async (input: unknown, options: Options = {}) => {
  const { code, out, err } = await dry(input, { ...options, args: ['--json'] });
  expect([code, err]).toEqual([0, '']);
  const whole = JSON.parse(out) as { runId: string; steps: PlannedStep[]; sent: boolean };
  return {
    ...whole,
    step: (name: string) => whole.steps.find(({ step }) => step === name) as PlannedStep,
  };
};

const ADA = { email: 'ada@example.com' };

describe('pipeline run --dry-run', () => {
  test('sends nothing, to nobody, and writes nothing', async () => {
    expect((await dry({ ...ADA, company: 'x', plan: 'pro' })).code).toBe(0);
    expect((await dry(ADA, { args: ['--json'] })).code).toBe(0);
    await delay(100);
    expect(connects).toBe(0);
    expect(readdirSync(folder)).toEqual(['pipelines']);
    // What counts, counts.
    await fetch(url).catch(() => undefined);
    expect(connects).toBe(1);
  });

  test('says in the order of a run what runs, what waits, what is skipped, and why', async () => {
    const { steps } = await plan(ADA);
    expect(steps.map(({ level, step, action, reason }) => [level, step, action, reason])).toEqual([
      [1, 'pay', 'call', undefined],
      [1, 'stats', 'skip', 'not_configured'],
      [2, 'user', 'call', undefined],
      [2, 'pro', 'skip', 'condition'],
      [2, 'crm', 'skip', 'condition'],
      [3, 'greet', 'call', undefined],
      [4, 'approve', 'wait', undefined],
      [5, 'emits', 'call', undefined],
    ]);
    const because = Object.fromEntries(steps.map(({ step, because }) => [step, because]));
    expect(because).toMatchObject({
      stats: 'STATS_URL is not set',
      pro: '/plan is not "pro"',
      crm: '/company is absent, false, null or empty',
      approve: 'order.approved',
    });
    expect((await plan({ ...ADA, plan: 'pro' })).step('pro').action).toBe('call');
  });

  test('shows URL and body of each call, with a placeholder for what an earlier step will answer', async () => {
    const { step } = await plan(ADA);
    const call = (name: string) => step(name).calls.map(({ url, body }) => [url, body]);
    expect(call('pay')).toEqual([[`${url}/pay`, ADA]]);
    expect(call('user')).toEqual([[`${url}/create-user`, ADA]]);
    expect(call('greet')).toEqual([
      [`${url}/email-user`, { id: '<user#/id>', to: ADA.email, paid: '<pay#/sum>' }],
    ]);
    expect(call('emits')).toEqual([[`${url}/sink`, ADA]]);
    expect(step('pay').undo).toMatchObject([
      { url: `${url}/refund`, body: { payment: '<pay#/id>' } },
    ]);
    expect(step('user')).toMatchObject({ delay: 5_000, timeout: 10_000, attempts: 5 });
  });

  test('reads nothing of a step that is skipped', async () => {
    write(
      'order.yaml',
      ORDER.replace(
        'steps:',
        'steps:\n  last: { webhook: PAY_URL, secret: PAY_SECRET, after: [crm], required: false, input: { to: /email, crm: crm#/id } }',
      ),
    );
    const { step } = await plan(ADA);
    expect(step('last').calls[0]?.body).toEqual({ to: ADA.email });
    const other = await plan(
      { ...ADA, company: 'x' },
      { environment: { ...settings(), CRM_URL: url } },
    );
    expect(other.step('last').calls[0]?.body).toEqual({ to: ADA.email, crm: '<crm#/id>' });
  });

  test('signs as a run would, each with its own key, which is never shown', async () => {
    const { runId, step } = await plan(ADA);
    const verify = (name: string, keys: readonly Uint8Array[], text: string) => {
      const headers = step(name).calls[0]?.headers ?? {};
      expect(headers['webhook-id']).toBe(`${runId}:${name}`);
      return verifyWebhookSignature({
        id: headers['webhook-id'] ?? '',
        timestamp: headers['webhook-timestamp'] ?? '',
        signature: headers['webhook-signature'] ?? '',
        body: Buffer.from(text),
        keys,
        now: Number(headers['webhook-timestamp']) * 1000,
      });
    };
    const step32 = deriveKeys(KEY)('step').current.bytes;
    expect(verify('pay', parseWebhookSecrets(SECRET), JSON.stringify(ADA))).toBe(true);
    expect(verify('user', [step32], JSON.stringify(ADA))).toBe(true);
    expect(verify('user', [step32], '{}')).toBe(false);
    expect(step('pay').undo?.[0]?.headers['webhook-id']).toBe(`${runId}:pay:undo`);
    for (const args of [[], ['--json']]) {
      const { out } = await dry(ADA, { args });
      for (const secret of [SECRET, SECRET.slice(6), KEY, Buffer.from(step32).toString('base64')])
        expect(out).not.toContain(secret);
    }
  });

  test('says what is not signed, and for want of what', async () => {
    const { SECRET_KEY: _, WEBHOOK_SECRET: __, PAY_SECRET: ___, ...environment } = settings();
    const { step } = await plan(ADA, { environment });
    const unsigned = (name: string) => step(name).calls.map((call) => call.unsigned);
    expect(unsigned('pay')).toEqual(['PAY_SECRET is not set']);
    expect(unsigned('user')).toEqual(['SECRET_KEY is not set, and no start has made one here yet']);
    expect(unsigned('emits')).toEqual(['WEBHOOK_SECRET is not set']);
    expect(step('pay').calls[0]?.headers).not.toHaveProperty('webhook-signature');
    expect((await dry(ADA, { environment })).out).toContain(
      '     (no webhook-signature: PAY_SECRET is not set)\n',
    );
  });

  test('signs with the key that a start in development has made, but not in production', async () => {
    const { SECRET_KEY: _, ...environment } = settings();
    mkdirSync(path.join(folder, '.data'));
    writeFileSync(path.join(folder, '.data/secret-key'), `${KEY}\n`);
    const user = async (environment: Record<string, string>) =>
      (await plan(ADA, { environment })).step('user').calls[0]?.unsigned;
    expect(await user(environment)).toBeUndefined();
    expect(await user({ ...environment, NODE_ENV: 'production' })).toMatch(/^SECRET_KEY is not/);
  });

  test('shows a required webhook without a URL as not set', async () => {
    const { PAY_URL: _, ...environment } = settings();
    expect((await plan(ADA, { environment })).step('pay')).toMatchObject({
      action: 'call',
      calls: [{ url: null, refused: 'PAY_URL is not set', body: ADA }],
    });
    const { out } = await dry(ADA, { environment });
    expect(out).toContain('   POST (not set)\n   fails: PAY_URL is not set\n');
  });

  test('says which target would be refused, as the guard of a run does', async () => {
    const { WEBHOOK_ALLOW: _, ...environment } = settings();
    const { step } = await plan(ADA, { environment });
    expect(step('pay').calls[0]?.refused).toMatch(/^forbidden_target: /);
    // Our own functions and the sink of the platform are not guarded.
    expect(step('user').calls[0]?.refused).toBeUndefined();
    expect(step('emits').calls[0]?.refused).toBeUndefined();
    expect((await plan(ADA)).step('pay').calls[0]?.refused).toBeUndefined();
    const v6 = { ...environment, PAY_URL: 'https://[::1]/pay' };
    expect((await plan(ADA, { environment: v6 })).step('pay').calls[0]?.refused).toBeDefined();
  });

  test('names the pipelines beside it that an event would start', async () => {
    const { K_SINK: _, ...environment } = settings();
    const emits = async () => (await plan(ADA, { environment })).step('emits');
    expect(await emits()).toMatchObject({
      action: 'skip',
      because: 'nobody takes order.done, and K_SINK is not set',
    });
    for (const name of ['ship', 'bill'])
      write(
        `${name}.yaml`,
        `name: ${name}\nsummary: Next.\ninput: order.schema.json\non: { type: order.done }\nsteps:\n  a: { function: create-user }\n`,
      );
    expect((await emits()).calls).toMatchObject([
      { url: `${url}/bill`, headers: { 'ce-type': 'order.done' } },
      { url: `${url}/ship` },
    ]);
  });

  test('tells it to people in the same order', async () => {
    const { code, out, err } = await dry(ADA, { target: 'pipelines/order.yaml' });
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')[0]).toBe('order: a dry run of pipelines/order.yaml, nothing is sent');
    expect(out.match(/^\d\. .*$/gm)).toEqual([
      '1. pay runs: up to 5 attempts of 10s',
      '1. stats is skipped (not_configured): STATS_URL is not set',
      '2. user runs after pay, 5s later: up to 5 attempts of 10s',
      '2. pro is skipped (condition): /plan is not "pro"',
      '2. crm is skipped (condition): /company is absent, false, null or empty',
      '3. greet runs after user: up to 5 attempts of 10s',
      '4. approve waits after greet for order.approved, 2h at most',
      '5. emits runs after pro, crm, stats, approve: up to 5 attempts of 10s',
    ]);
    expect(out).toContain(`   POST ${url}/pay\n     host: ${new URL(url).host}\n`);
    expect(out).toContain(
      '\n     {"id":"<user#/id>","to":"ada@example.com","paid":"<pay#/sum>"}\n',
    );
    expect(out).toContain(`   to take it back:\n   POST ${url}/refund\n`);
  });

  test('lets nothing of the input get hold of the terminal', async () => {
    const { out } = await dry({ email: '\u001b[2J\u009b2J\u007f' });
    expect(out).toContain('"\\u001b[2J\\u009b2J\\u007f"');
    expect(out).not.toContain('\u001b');
    expect(out).not.toContain('\u009b');
  });
});

describe('a dry run is refused', () => {
  test('with every mistake of the file', async () => {
    write('order.yaml', ORDER.replace('create-user', 'create-usr'));
    const { code, out, err } = await dry(ADA);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(
      /^pipelines\/order\.yaml:9:\d+ unknown_function .*did you mean create-user/,
    );
    const machine = await dry(ADA, { args: ['--json'] });
    expect([machine.code, machine.err]).toEqual([1, '']);
    expect(JSON.parse(machine.out)).toMatchObject({
      valid: false,
      errors: [{ code: 'unknown_function', line: 9 }],
    });
  });

  test('with every mistake of the input', async () => {
    expect(await dry({ emial: 'x' })).toEqual({
      code: 1,
      out: '',
      err: 'the input does not match what order takes\n  /email is required\n  /emial is not known here\n',
    });
    expect(JSON.parse((await dry({}, { args: ['--json'] })).out)).toEqual({
      valid: false,
      errors: [{ pointer: '/email', message: 'is required' }],
    });
  });

  test.each([
    ['a URL that is none', { PAY_URL: 'ftp://x' }, 1, /bad_webhook_url PAY_URL must be/],
    ['a secret that is none', { PAY_SECRET: 'whsec_x' }, 1, /bad_webhook_secret PAY_SECRET: /],
    ['a key that is too short', { SECRET_KEY: 'short' }, 2, /at least 32 characters/],
    [
      'an allow-list that is none',
      { WEBHOOK_ALLOW: '10.0.0.0/99' },
      2,
      /environment cannot be used/,
    ],
  ])('for %s, which is not told', async (_, wrong, expected, message) => {
    const { code, out, err } = await dry(ADA, { environment: { ...settings(), ...wrong } });
    expect([code, out]).toEqual([expected, '']);
    expect(err).toMatch(message);
    expect(err).not.toContain(SECRET);
  });

  test('for a pipeline that is not there, with the nearest name', async () => {
    const { code, err } = await dry(ADA, { target: 'orders' });
    expect([code, err]).toEqual([
      2,
      `faas-patterns pipeline run: there is no pipeline orders in ${path.join(folder, 'pipelines')} (PIPELINES_DIR); did you mean order?\n`,
    ]);
    const file = await dry(ADA, { target: './none.yaml' });
    expect(file).toMatchObject({
      code: 2,
      err: expect.stringMatching(/unreadable.*does not exist/),
    });
  });
});

test('what a run sends is what a dry run has shown', async () => {
  const lab = await createLab();
  try {
    const args = ['pipeline', 'run', 'order', '--data', JSON.stringify(ADA)];
    const shown = await lab.run([...args, '--dry-run', '--json']);
    expect(lab.receiver.calls).toEqual([]);
    expect((await lab.run([...args, '--wait'])).code).toBe(0);
    const { steps } = JSON.parse(shown.out) as { steps: PlannedStep[] };
    const calls = steps.flatMap(({ calls }) => calls);
    expect(calls.map(({ url }) => new URL(url as string).pathname)).toEqual(
      lab.receiver.calls.map(({ path }) => path),
    );
    const volatile =
      /^(?:ce-id|ce-time|idempotency-key|webhook-id|webhook-timestamp|webhook-signature|traceparent|content-length)$/;
    for (const [i, { headers }] of lab.receiver.calls.entries()) {
      const { connection: _, ...sent } = headers as Record<string, string>;
      const planned = calls[i]?.headers ?? {};
      expect(Object.keys(planned).sort()).toEqual(Object.keys(sent).sort());
      for (const [name, value] of Object.entries(sent))
        if (!volatile.test(name)) expect([name, planned[name]]).toEqual([name, value]);
    }
    expect(lab.receiver.calls[0]?.body).toBe(JSON.stringify(calls[0]?.body));
    expect(lab.receiver.calls[1]?.headers['content-length']).toBe(
      String(Buffer.byteLength(JSON.stringify({ id: 'id-1', to: ADA.email }))),
    );
    expect(existsSync(path.join(lab.folder, '.data'))).toBe(true);
  } finally {
    await lab.close();
  }
});
