/** Audit events: what they say, to the log and over real HTTP to a sink, and what they never say. */
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  AUDIT_SETTINGS,
  type Audit,
  type AuditEvent,
  createAudit,
  MAX_WAITING,
  WIDTH,
} from '../../../functions/two-factor/audit';
import { AUDIT_FIELDS } from '../../../functions/two-factor/audit-schema';
import { systemClock } from '../../../shared/clock';
import { readConfig } from '../../../shared/config';
import { readEvent } from '../../../shared/event';
import type { Context } from '../../../shared/handler';
import { deriveKeys } from '../../../shared/keys';
import { createLog } from '../../../shared/log';
import { systemRandom } from '../../../shared/random';
import { verifyWebhook } from '../../../shared/webhook/verify';
import { closeReceivers, type Hit, nobody, receiver } from '../../shared/webhook/receiver';
import { testContext } from '../../support/invoke';

afterEach(closeReceivers);

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const CHALLENGE = 'wq3mZkq0T0-7q1_3uYx2Bg';

const platform = {
  keys: deriveKeys('a test secret of at least 32 characters'),
  clock: systemClock,
  random: systemRandom,
};

const auditTo = (sink?: string, secrets?: string, keys = platform.keys): Audit =>
  createAudit({ ...platform, keys }, { TWO_FACTOR_AUDIT_SINK: sink, WEBHOOK_SECRET: secrets });

const taking = () => receiver((response) => void response.writeHead(202).end());

/** A request's context over the real log, at its most talkative. */
const listening = () => {
  const lines: Record<string, unknown>[] = [];
  const { background, ...context } = testContext();
  const log = createLog({
    now: systemClock.now,
    level: 'debug',
    write: (line) => lines.push(JSON.parse(line)),
  });
  return {
    lines,
    context: { ...context, log, waitUntil: (work: Promise<unknown>) => void background.push(work) },
    done: () => Promise.all(background),
  };
};

const failed: AuditEvent = {
  type: 'verification_failed',
  challenge: CHALLENGE,
  user: 'user-7',
  channel: 'sms',
  purpose: 'login',
  reason: 'wrong',
  attemptsLeft: 3,
};

const without = ({ time, ...rest }: Record<string, unknown> = {}) => rest;

describe('an event', () => {
  test('is a line that tells who and what by references and words', () => {
    const { context, lines } = listening();
    auditTo()(context, failed);
    expect(lines.map(without)).toEqual([
      {
        severity: 'INFO',
        message: 'audit',
        event: 'verification_failed',
        challengeRef: expect.stringMatching(/^[\da-f]{16}$/),
        userRef: expect.stringMatching(/^[\da-f]{16}$/),
        channel: 'sms',
        purpose: 'login',
        reason: 'wrong',
        attemptsLeft: 3,
      },
    ]);
  });

  test('refers to the same one by the same reference, which says nothing without the key', () => {
    const { context, lines } = listening();
    const audit = auditTo();
    audit(context, failed);
    audit(context, { type: 'token_redeemed', challenge: CHALLENGE, user: 'user-7' });
    audit(context, { type: 'verified', challenge: 'user-7', user: CHALLENGE });
    const others = auditTo(undefined, undefined, deriveKeys('another secret of 32 characters...'));
    others(context, failed);
    const refs = lines.map(({ challengeRef, userRef }) => [challengeRef, userRef]);
    expect(refs[1]).toEqual(refs[0]);
    expect(new Set([refs[0], refs[2], refs[3]].flat()).size).toBe(6);
  });

  test('is complete whatever its type: no word of it is taken for a secret by the log', async () => {
    const values: Record<string, unknown> = {
      channel: 'totp',
      purpose: 'psd2-payment',
      country: 'DE',
      providerCode: 30_006,
      attemptsLeft: 0,
      available: 'recovery',
      state: 'unknown',
    };
    for (const [type, fields] of Object.entries(AUDIT_FIELDS)) {
      const { context, lines } = listening();
      const reasons = ['address', 'wrong', 'unsigned'];
      const given = Object.fromEntries(
        Object.entries(fields).map(([name, isAllowed]) => [
          name,
          name === 'reason' ? reasons.find((reason) => isAllowed(reason)) : values[name],
        ]),
      );
      auditTo()(context, { type, ...given } as AuditEvent);
      expect(lines.map(without)).toEqual([
        { severity: 'INFO', message: 'audit', event: type, ...given },
      ]);
    }
  });

  test('goes to the sink as a signed CloudEvent', async () => {
    const sink = await taking();
    const { context, done } = listening();
    const before = Date.now();
    auditTo(`${sink.url}/audit`, SECRET)(context, failed);
    await done();
    const { url, headers, body } = sink.hits[0] as Hit;
    const request = () =>
      new Request(`http://sink.test${url}`, {
        method: 'POST',
        body,
        headers: Object.entries(headers).map(([k, v]) => [k, String(v)] as [string, string]),
      });
    const { id } = await verifyWebhook(request(), { secrets: SECRET });
    const event = await readEvent(request(), testContext() as Context, {
      name: 'sink',
      check: () => [],
    });
    expect(event.data).toEqual({
      challengeRef: headers['ce-subject'],
      userRef: expect.any(String),
      channel: 'sms',
      purpose: 'login',
      reason: 'wrong',
      attemptsLeft: 3,
    });
    expect([url, id, headers.traceparent]).toEqual([
      '/audit',
      headers['ce-id'],
      context.traceparent,
    ]);
    expect(headers).toMatchObject({
      'ce-specversion': '1.0',
      'ce-type': 'two-factor.verification_failed',
      'ce-source': '/two-factor',
      'ce-subject': expect.stringMatching(/^[\da-f]{16}$/),
    });
    expect(Date.parse(headers['ce-time'] as string)).toBeGreaterThanOrEqual(before);
  });

  test('is one of its own each time, and unsigned without a secret', async () => {
    const sink = await taking();
    const { context, done } = listening();
    const { log, waitUntil } = context;
    const audit = auditTo(sink.url);
    // As a worker has it, between requests.
    for (let i = 0; i < 3; i += 1) audit({ log, waitUntil }, { type: 'recovery_codes_made' });
    await done();
    expect(new Set(sink.hits.map(({ headers }) => headers['ce-id'])).size).toBe(3);
    for (const { headers, body } of sink.hits) {
      expect(body.toString()).toBe('{}');
      expect(Object.keys(headers).filter((name) => /^webhook|trace|subject/.test(name))).toEqual(
        [],
      );
    }
  });

  test('does not leave the process where there is no sink', () => {
    const context = testContext();
    auditTo()(context, failed);
    expect([context.background, context.lines.length]).toEqual([[], 1]);
  });
});

/** What must be nowhere. Each is tried in every field of every type. */
const CANARIES: readonly unknown[] = [
  '482913',
  482_913,
  '482-913',
  ' 4829 ',
  '+12025550123',
  12_025_550_123,
  '12025550123',
  'joe.canary@example.com',
  'eyJhbGciOi.canaryCANARY.c2lnbmF0dXJl',
  CHALLENGE,
  'The number +12025550123 cannot be served',
  ['482913'],
  { sms: '482913' },
  Object.assign(['sms'], { toString: () => '482913' }),
  'sms\n482913',
  'DE482913',
  '__proto__',
  Number.NaN,
];
const LEAK = /4829|2025550123|canary|example\.com|served|__proto__|wq3mZkq0T0/i;

describe('nothing else is said', () => {
  const types = Object.keys(AUDIT_FIELDS) as (keyof typeof AUDIT_FIELDS)[];
  const names = [...new Set(Object.values(AUDIT_FIELDS).flatMap((fields) => Object.keys(fields)))];
  const more = ['code', 'to', 'phoneNumber', 'email', 'token', 'error', 'detail', 'messageId'];

  test.each(types)('by %s, whatever it is given', async (type) => {
    const sink = await taking();
    const { context, lines, done } = listening();
    const audit = auditTo(sink.url, SECRET);
    for (const canary of CANARIES) {
      const given = Object.fromEntries([...names, ...more].map((name) => [name, canary]));
      const subject = { challenge: canary, user: canary };
      audit(context, { ...given, ...subject, type } as unknown as AuditEvent);
    }
    await done();
    expect(lines).toHaveLength(CANARIES.length);
    expect(sink.hits).toHaveLength(CANARIES.length);
    const said = [
      ...lines.map((line) => JSON.stringify(without(line))),
      ...sink.hits.map(({ url, headers, body }) => {
        // Random ids and signatures hold any four digits sometimes; of the rest nothing may.
        const { 'ce-id': _, 'webhook-id': __, 'webhook-signature': ___, ...rest } = headers;
        const { 'webhook-timestamp': ____, 'ce-time': _____, host: ______, ...fields } = rest;
        const { 'ce-subject': subject, ...named } = fields;
        const { challengeRef, userRef, ...data } = JSON.parse(body.toString());
        expect(subject).toBe(challengeRef);
        return `${url} ${JSON.stringify(named)} ${JSON.stringify(data)}`;
      }),
    ].map((text) => text.replace(/"(?:challengeRef|userRef)":"[\da-f]{16}"/g, ''));
    expect(said.filter((text) => LEAK.test(text))).toEqual([]);
  });

  test('by an event of a type that there is not', async () => {
    const sink = await taking();
    const { context, lines, done } = listening();
    for (const type of ['482913', 'constructor', '__proto__', 'toString'])
      auditTo(sink.url)(context, { ...failed, type } as unknown as AuditEvent);
    await done();
    expect([lines, sink.hits]).toEqual([[], []]);
  });
});

describe('a sink', () => {
  test('that fails once is asked once more, with the same event', async () => {
    const sink = await receiver((response, { hits }) =>
      response.writeHead(hits.length === 1 ? 503 : 200).end(),
    );
    const { context, lines, done } = listening();
    auditTo(sink.url, SECRET)(context, failed);
    await done();
    const [first, second, ...rest] = sink.hits as [Hit, Hit];
    expect(second.body).toEqual(first.body);
    expect(second.headers['ce-id']).toBe(first.headers['ce-id']);
    expect([rest, lines.length]).toEqual([[], 1]);
  });

  test.each([
    [500, 2],
    [400, 1],
    [307, 1],
  ])(
    'that says %d costs the event and no more: %d requests, and a line without what it held',
    async (status, requests) => {
      const elsewhere = await taking();
      const sink = await receiver((response) =>
        response.writeHead(status, { location: elsewhere.url }).end('482913'),
      );
      const { context, lines, done } = listening();
      auditTo(sink.url, SECRET)(context, failed);
      expect(lines).toHaveLength(1);
      await done();
      expect(lines.slice(1).map(without)).toEqual([
        {
          severity: 'WARNING',
          message: 'audit_event_lost',
          event: 'verification_failed',
          status,
        },
      ]);
      expect([sink.hits.length, elsewhere.hits.length]).toEqual([requests, 0]);
    },
  );

  test('that is dead costs no more either', async () => {
    const { context, lines, done } = listening();
    auditTo(await nobody())(context, failed);
    await done();
    expect(without(lines[1])).toMatchObject({ message: 'audit_event_lost', error: 'unreachable' });
  });

  test('that is slow keeps so many waiting and no more; those come in when it goes on', async () => {
    let isStuck = true;
    const stuck: (() => void)[] = [];
    const sink = await receiver((response) => {
      const answer = () => void response.writeHead(200).end();
      if (isStuck) stuck.push(answer);
      else answer();
    });
    const { context, lines, done } = listening();
    const audit = auditTo(sink.url);
    for (let i = 0; i < WIDTH + MAX_WAITING + 3; i += 1) audit(context, failed);
    const lost = lines.filter(({ message }) => message === 'audit_event_lost');
    expect(lost.map(({ event, error }) => [event, error])).toEqual(
      Array(3).fill(['verification_failed', 'queue_full']),
    );
    expect(lines.filter(({ message }) => message === 'audit')).toHaveLength(
      WIDTH + MAX_WAITING + 3,
    );
    while (stuck.length < WIDTH) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(sink.hits).toHaveLength(WIDTH);
    isStuck = false;
    for (const answer of stuck) answer();
    await done();
    expect(sink.hits).toHaveLength(WIDTH + MAX_WAITING);
    audit(context, failed);
    await done();
    expect(sink.hits).toHaveLength(WIDTH + MAX_WAITING + 1);
  });
});

describe('settings', () => {
  const create = (environment: Record<string, string>) => {
    const { config, mistakes } = readConfig(AUDIT_SETTINGS, environment, { production: true });
    expect(mistakes).toEqual([]);
    return createAudit(platform, config);
  };

  test.each([
    ['https://u:canary@sink.example.com', SECRET],
    ['https://sink.example.com', 'whsec_canary'],
    ['https://sink.example.com', 'canary'],
  ])(
    '%s with %s is refused, without what is secret in it',
    (TWO_FACTOR_AUDIT_SINK, WEBHOOK_SECRET) => {
      const act = () => create({ TWO_FACTOR_AUDIT_SINK, WEBHOOK_SECRET });
      expect(act).toThrow(TypeError);
      expect(act).not.toThrow(/canary/);
    },
  );

  test('none: there is the log', () => {
    expect(create({})).toBeInstanceOf(Function);
  });
});
