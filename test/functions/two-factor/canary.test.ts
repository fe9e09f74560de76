/**
 * A13, A14: no secret is where it does not belong, whatever goes wrong. A real host with a secret in every setting, real
 * peers with all their faults, and then a search through all that was said and kept: the host's output, its answers, its
 * audit events, its store. What an answer rightly tells its caller is in a list, by route, in the rig.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import Database from 'libsql';
import {
  LOGIN_FAULTS,
  loginFaults,
  SMTP_FAULTS,
  sinkFaults,
  smtpFaults,
  storeFaults,
  TWILIO_FAULTS,
  twilioFaults,
} from '../../support/two-factor-canary-faults';
import { hostileInputs } from '../../support/two-factor-canary-inputs';
import { peace } from '../../support/two-factor-canary-peace';
import { openRig, type Rig } from '../../support/two-factor-canary-rig';
import { scan } from '../../support/two-factor-canary-scan';

const KINDS = [
  ...['code', 'challenge', 'result token', 'TOTP secret', 'recovery code'],
  ...['user', 'phone', 'address', 'Twilio auth token', 'SMTP password', 'SECRET_KEY'],
  ...['LOGIN_SERVICE_SECRET', 'webhook secret', 'caller token', 'admin token', 'Redis password'],
];

const drive = async (rig: Rig): Promise<void> => {
  const { redis } = rig;
  await peace(rig);
  await Promise.all([twilioFaults(rig), smtpFaults(rig), loginFaults(rig)]);
  await sinkFaults(rig);
  await hostileInputs(rig);
  rig.keep('in the middle');
  await storeFaults(rig, async () => {
    if (redis) {
      await redis.kill();
      return () => redis.start();
    }
    const database = new Database(rig.database);
    database.exec('BEGIN EXCLUSIVE');
    return async () => {
      database.exec('ROLLBACK');
      database.close();
    };
  });
  for (const path of ['/', '/metrics', '/outbox', '/two-factor', '/health/readiness'])
    await rig.call(path, undefined, { method: 'GET' });
  // What hangs ends by then, and the worker has been there again.
  await new Promise((resolve) => setTimeout(resolve, 6_000));
};

const ENVIRONMENTS = [
  { environment: 'production', store: 'redis' },
  { environment: 'development', store: 'sqlite' },
] as const;
const rigs: Rig[] = [];

beforeAll(async () => {
  rigs.push(...(await Promise.all(ENVIRONMENTS.map(openRig))));
  const ended = await Promise.allSettled(rigs.map(drive));
  await Promise.all(rigs.map((rig) => rig.close()));
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
}, 180_000);

describe.each(ENVIRONMENTS)('in $environment, over $store', ({ environment }) => {
  let rig: Rig;
  let output = '';
  beforeAll(() => {
    rig = rigs[ENVIRONMENTS.findIndex((one) => one.environment === environment)] as Rig;
    output = rig.host.output();
  });

  test('A13, A14: no secret is anywhere in what was said and kept', () => {
    expect(scan(rig.canaries, rig.places).slice(0, 20)).toEqual([]);
  });

  test('each kind of secret was there to be lost, and each fault was met', () => {
    expect(new Set(rig.canaries.map(({ kind }) => kind))).toEqual(new Set(KINDS));
    const failures = TWILIO_FAULTS.length + SMTP_FAULTS.length;
    expect(output.split('"event":"send_state"').length - 1).toBeGreaterThan(failures / 2);
    for (const word of ['accepted', 'unknown', 'failed', 'delivered'])
      expect(output).toContain(`"state":"${word}"`);
    expect(output.split('"registration_failed"').length).toBeGreaterThan(LOGIN_FAULTS.length);
    for (const word of [
      'audit_event_lost',
      'store_unavailable',
      'callback_refused',
      'invalid_json',
    ])
      expect(output).toContain(word);
    expect(output).not.toMatch(/uncaught_exception|unhandled|background_failed/i);
  });

  test('the scan finds each secret that is planted, in every spelling', () => {
    const spellings = [
      (value: string) => value.replace(/^\+/, ''),
      (value: string) => encodeURIComponent(`@example.com #${value}`),
      (value: string) => JSON.stringify(`Your code is\n${value.replace(/^\+/, '')}`),
      (value: string) => JSON.stringify({ error: { config: { data: value } } }),
      (value: string) => `Basic ${Buffer.from(`AC0:${value}`).toString('base64')}`,
      (value: string) => Buffer.from(`x ${value}`).toString('base64url'),
      (value: string) => Buffer.from(value).toString('hex'),
    ];
    const firsts = KINDS.map((kind) => rig.canaries.find((one) => one.kind === kind));
    for (const canary of firsts)
      for (const [at, spell] of spellings.entries()) {
        // So few characters are found as they are only.
        if (canary === undefined || (canary.value.length <= 8 && at > 3)) continue;
        const planted = Buffer.from(`{"message":"a line","more":" ${spell(canary.value)} "}`);
        const hits = scan(rig.canaries, [{ name: 'planted', bytes: planted }]);
        expect(hits.filter((hit) => hit.startsWith(canary.kind))).not.toEqual([]);
      }
  });
});

describe('a host that says what it sends', () => {
  /** As somebody who looks for a fault might do. */
  const LEAK = `
    const { ClientRequest } = require('node:http');
    const { end, write } = ClientRequest.prototype;
    for (const [name, method] of Object.entries({ end, write }))
      ClientRequest.prototype[name] = function (data, ...rest) {
        console.log(this.getHeaders(), String(data));
        return method.call(this, data, ...rest);
      };`;
  const file = join(tmpdir(), `leak-${process.pid}.cjs`);
  let rig: Rig;
  beforeAll(async () => {
    writeFileSync(file, LEAK);
    rig = await openRig({
      ...{ environment: 'production', store: 'sqlite' },
      more: { NODE_OPTIONS: `--require ${file}` },
    });
    await rig.sent('/', { user: 'somebody', phoneNumber: '+4915112345678' });
    rig.secret('phone', '+4915112345678');
    while (rig.twilio.messages.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await rig.close();
  }, 60_000);
  afterAll(() => rmSync(file, { force: true }));

  test('is found out: the credentials, the code and the number are in its output', () => {
    const hits = scan(rig.canaries, rig.places).join('\n');
    for (const kind of ['Twilio auth token', 'code', 'phone'])
      expect(hits).toMatch(new RegExp(`^${kind} \\(.*\\) in the output of the host`, 'm'));
  });
});
