/** One attempt against a real receiver: what goes out, and what is made of the answer. */
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_KEPT } from '../../../shared/pipeline/answer';
import {
  type Address,
  type AttemptOptions,
  type AttemptOutcome,
  attemptStep,
  type Destination,
  type GoneTargets,
  type Resolved,
} from '../../../shared/pipeline/attempt';
import { type Call, STEP_DEFAULTS, type Step } from '../../../shared/pipeline/pipeline';
import { type Random, systemRandom } from '../../../shared/random';
import { MAX_RETRY_AFTER } from '../../../shared/retry';
import { deliver } from '../../../shared/webhook/deliver';
import { createGuard, unguarded } from '../../../shared/webhook/guard';
import { verifyWebhookSignature } from '../../../shared/webhook/sign';
import { createTargets, type Targets } from '../../../shared/webhook/targets';
import { type ManualClock, manualClock } from '../../support/manual-clock';
import { pipelineOf } from './engines/lab';

const START = Date.UTC(2026, 0, 1);
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const KEY = Buffer.alloc(32, 7);
const OLD_KEY = Buffer.alloc(32, 8);

interface Hit {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const hits: Hit[] = [];
let server: Server;
let url: string;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method, url, headers } = request;
    hits.push({ method, url, headers, body: Buffer.concat(parts) });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/email-user`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  hits.length = 0;
  answer = (response) => response.writeHead(204).end();
});

const replies =
  (status: number, headers: Record<string, string> = {}, body = '') =>
  (response: ServerResponse) =>
    response.writeHead(status, headers).end(body);
const json = (body: string) => replies(200, { 'content-type': 'application/json' }, body);

const step = (fields: Partial<Step> = {}): Step => ({
  name: 'welcome',
  target: { function: 'email-user' },
  after: [],
  required: true,
  expose: [],
  keep: [],
  ...STEP_DEFAULTS,
  ...fields,
});

const clock = manualClock(START + 60_000);
/** Half of the greatest jitter. */
const random: Random = { ...systemRandom, below: (limit) => limit / 2 };

interface AttemptFields {
  readonly step?: Partial<Step>;
  /** Whether what undoes the step is called. */
  readonly undo?: boolean;
  readonly generation?: number;
  readonly attempt?: number;
  readonly input?: unknown;
  /** What was kept of other steps' answers. */
  readonly kept?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** ms since the epoch */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  readonly entering?: AbortSignal;
  readonly destination?: Destination;
  readonly targets?: Targets;
  readonly gone?: GoneTargets;
  readonly deliver?: AttemptOptions['deliver'];
  readonly clock?: ManualClock;
}

/** One receiver: what it is named, and which keys sign. */
const at = (fields: Partial<Address> = {}, more: Partial<Resolved> = {}): Resolved => ({
  name: 'email-user',
  addresses: [{ url, keys: [KEY, OLD_KEY], guard: unguarded, ...fields }],
  canBeGone: false,
  ...more,
});

/** Targets that are gone, as a set that remembers. */
const goneSet = (...names: string[]) => {
  const set = new Set(names);
  return { has: (name: string) => set.has(name), add: async (name: string) => void set.add(name) };
};

const make = (fields: AttemptFields = {}): Promise<AttemptOutcome> => {
  const { undo = false, generation, attempt = 1, deadline = START + 86_400_000 } = fields;
  const { input = { username: 'ada', email: 'ada@example.com' }, kept = {}, entering } = fields;
  const { signal = new AbortController().signal, destination = () => at() } = fields;
  const { clock: time = clock, gone = goneSet(), deliver: send = deliver } = fields;
  const targets = fields.targets ?? createTargets({ clock: time });
  const made = step(fields.step);
  return attemptStep({ destination, deliver: send, targets, gone, clock: time, random })({
    run: {
      id: 'dG8gYmUgb3Igbm90IHRvIA',
      pipeline: pipelineOf({}, 'signup'),
      input,
      traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
      createdAt: new Date(START).toISOString(),
    },
    progress: {
      results: Object.fromEntries(
        Object.entries(kept).map(([name, values]) => [
          name,
          { state: 'succeeded', attempts: 1, kept: values },
        ]),
      ),
      deadlineAt: new Date(deadline).toISOString(),
    },
    activity: {
      id: 'welcome#1',
      step: made,
      undo,
      call: undo ? (made.undo as Call) : made,
      attempt,
      startedAt: START,
      ...(generation !== undefined && { generation }),
    },
    ...(entering && { entering }),
    signal,
  });
};

describe('an attempt', () => {
  test('is one POST of JSON: a CloudEvent, a Standard Webhook, and a part of the trace', async () => {
    expect(await make()).toEqual({ verdict: 'delivered', output: undefined });
    expect(hits).toHaveLength(1);
    const { method, url, headers, body } = hits[0] as Hit;
    expect([method, url]).toEqual(['POST', '/email-user']);
    expect(JSON.parse(body.toString())).toEqual({ username: 'ada', email: 'ada@example.com' });
    const id = 'dG8gYmUgb3Igbm90IHRvIA:welcome';
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': 'signup.welcome',
      'ce-source': '/signup/runs',
      'ce-time': '2026-01-01T00:00:00.000Z',
      'idempotency-key': id,
      'webhook-id': id,
      'webhook-timestamp': String((START + 60_000) / 1000),
      'webhook-signature': expect.stringMatching(/^v1,\S{44} v1,\S{44}$/),
      traceparent: expect.stringMatching(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`)),
    });
  });

  test.each([
    ['current', KEY, true],
    ['old', OLD_KEY, true],
    ['wrong', Buffer.alloc(32, 9), false],
  ])('is verified with the %s key: %s', async (_name, key, verified) => {
    await make();
    const { headers, body } = hits[0] as Hit;
    const isVerified = verifyWebhookSignature({
      id: headers['webhook-id'] as string,
      timestamp: headers['webhook-timestamp'] as string,
      signature: headers['webhook-signature'] as string,
      body,
      keys: [key],
      now: clock.now(),
    });
    expect(isVerified).toBe(verified);
  });

  test('has a span of its own each time, and all else the same', async () => {
    await make();
    await make({ attempt: 2 });
    const [first, second] = hits.map(({ headers: { traceparent, ...rest }, body }) => ({
      traceparent,
      rest,
      body,
    }));
    expect(second?.rest).toEqual(first?.rest);
    expect(second?.body).toEqual(first?.body);
    expect(second?.traceparent).not.toBe(first?.traceparent);
    for (const { headers } of hits) {
      expect(headers.traceparent).toContain(TRACE);
      expect(headers.traceparent).not.toContain('b7ad6b7169203331');
    }
  });

  test('sends what the map of the step names, of the input nothing else', async () => {
    await make({
      step: { input: { user: '/username', phoneNumber: '/phone/0' } },
      input: { username: 'ada', email: 'ada@example.com', phone: ['+14155552671'] },
    });
    expect(JSON.parse((hits[0] as Hit).body.toString())).toEqual({
      user: 'ada',
      phoneNumber: '+14155552671',
    });
  });

  test('of a step without an address fails for good, and nothing is sent', async () => {
    expect(await make({ destination: () => undefined })).toEqual({
      verdict: 'dead',
      error: { code: 'not_configured' },
    });
    expect(hits).toEqual([]);
  });

  test('is never sent unsigned', async () => {
    await expect(make({ destination: () => at({ keys: [] }) })).rejects.toThrow(TypeError);
    expect(hits).toEqual([]);
  });

  test('rejects with `aborted` when the signal aborts, before or in the middle', async () => {
    await expect(make({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    expect(hits).toEqual([]);
    const cut = new AbortController();
    answer = () => cut.abort();
    await expect(make({ signal: cut.signal })).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('the verdict', () => {
  const first = START + 60_000 + 500 * 1.25;

  test.each([200, 201, 202, 204])('of %d is that it was delivered', async (status) => {
    answer = replies(status);
    expect(await make()).toMatchObject({ verdict: 'delivered' });
  });

  test.each([301, 302, 303, 307, 308, 400, 401, 403, 404, 413, 422])(
    'of %d is that it never will be; no redirect is followed',
    async (status) => {
      answer = replies(status, { location: url });
      expect(await make()).toEqual({ verdict: 'dead', error: { code: 'refused', status } });
      expect(hits).toHaveLength(1);
    },
  );

  test.each([408, 409, 425, 429, 500, 502, 503, 504])('of %d is to try again', async (status) => {
    answer = replies(status);
    const error = { code: 'refused', status };
    expect(await make()).toEqual({ verdict: 'again', error, at: first });
  });

  test.each([
    [1, 500 * 1.25],
    [2, 1_000 * 1.25],
    [3, 2_000 * 1.25],
    [4, 4_000 * 1.25],
  ])('after attempt %d is to wait %d ms', async (attempt, wait) => {
    answer = replies(500);
    expect(await make({ attempt })).toMatchObject({ verdict: 'again', at: clock.now() + wait });
  });

  test('after the last attempt is that it has failed', async () => {
    answer = replies(503, { 'retry-after': '1' });
    expect(await make({ attempt: 5 })).toEqual({
      verdict: 'dead',
      error: { code: 'refused', status: 503 },
    });
    expect(
      await make({
        attempt: 1,
        step: { retry: { attempts: 1, backoff: 1, maxBackoff: 1, jitter: 0 } },
      }),
    ).toMatchObject({ verdict: 'dead' });
  });

  test.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:03:00 GMT', 120_000],
    ['999999', MAX_RETRY_AFTER],
    ['0', first - clock.now()],
    ['Thu, 01 Jan 2015 00:00:00 GMT', first - clock.now()],
    ['soon', first - clock.now()],
    ['-5', first - clock.now()],
  ])('heeds Retry-After: %s', async (field, wait) => {
    answer = replies(503, { 'retry-after': field });
    expect(await make()).toMatchObject({ verdict: 'again', at: clock.now() + wait });
  });

  test('of no answer is to try again, without a status', async () => {
    answer = (response) => response.destroy();
    expect(await make()).toEqual({
      verdict: 'again',
      error: { code: 'upstream_unreachable' },
      at: first,
    });
    answer = () => {};
    expect(await make({ step: { timeout: 50 } })).toMatchObject({
      verdict: 'again',
      error: { code: 'upstream_timeout' },
    });
  });

  test('of what may not be sent is that it never will be', async () => {
    const large = 'x'.repeat(1_048_577);
    expect(await make({ input: large })).toEqual({
      verdict: 'dead',
      error: { code: 'body_too_large' },
    });
    const destination = () => at({ url: url.replace('//', '//user:secret@') });
    expect(await make({ destination })).toEqual({
      verdict: 'dead',
      error: { code: 'invalid_request' },
    });
    expect(hits).toEqual([]);
  });
});

describe('the output', () => {
  const exposing = { step: { expose: ['/challenge'] } };

  test('is what the step exposes of the answer, and nothing else', async () => {
    answer = json('{"challenge":"c","code":"123456"}');
    expect(await make(exposing)).toEqual({ verdict: 'delivered', output: { challenge: 'c' } });
    expect(await make()).toEqual({ verdict: 'delivered', output: undefined });
  });

  test.each([
    ['no JSON', json('{"challenge":')],
    ['JSON that means two things', json('{"challenge":"a","challenge":"b"}')],
    ['JSON without it', json('{}')],
    ['not even an object', json('null')],
    ['another media type', replies(200, { 'content-type': 'text/html' }, '{"challenge":"c"}')],
    ['no media type', replies(200, {}, '{"challenge":"c"}')],
    ['an encoding that was not asked for', gzipped],
    ['more than is kept', json(`{"challenge":"c"}${' '.repeat(70_000)}`)],
  ])('of %s is none, and it was delivered all the same', async (_name, reply) => {
    answer = reply;
    expect(await make(exposing)).toEqual({ verdict: 'delivered', output: undefined });
  });

  function gzipped(response: ServerResponse): void {
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(Buffer.from('1f8b0800000000000003', 'hex'));
  }

  test('of an answer that refuses is none', async () => {
    answer = replies(422, { 'content-type': 'application/json' }, '{"challenge":"c"}');
    expect(await make(exposing)).toEqual({
      verdict: 'dead',
      error: { code: 'refused', status: 422 },
    });
  });
});

describe('the key', () => {
  const undo: Call = {
    ...STEP_DEFAULTS,
    target: { function: 'take-back' },
    input: { id: 'welcome#/id' },
  };

  test.each([
    [{}, ':welcome', 'signup.welcome'],
    [{ generation: 2 }, ':welcome:2', 'signup.welcome'],
    [{ step: { undo }, undo: true }, ':welcome:undo', 'signup.welcome.undo'],
    [{ step: { undo }, undo: true, generation: 3 }, ':welcome:3:undo', 'signup.welcome.undo'],
    [
      { step: { target: { event: 'user.signed-up' } }, generation: 2 },
      ':welcome:2',
      'user.signed-up',
    ],
  ])('of %j ends with %s, and the type is %s', async (fields, key, type) => {
    await make({ ...fields, attempt: 4 });
    const id = `dG8gYmUgb3Igbm90IHRvIA${key}`;
    expect((hits[0] as Hit).headers).toMatchObject({
      'webhook-id': id,
      'idempotency-key': id,
      'ce-id': id,
      'ce-type': type,
    });
  });

  test('what undoes a step has a target and an input of its own, and leaves nothing of its answer', async () => {
    answer = json('{"challenge":"c","id":2}');
    const asked: unknown[] = [];
    const destination: Destination = (target) => {
      asked.push(target);
      return at();
    };
    const step = { undo, expose: ['/challenge'], keep: ['/id'] };
    const kept = { welcome: { '/id': 7 } };
    expect(await make({ step, undo: true, kept, destination })).toEqual({ verdict: 'delivered' });
    expect(asked).toEqual([{ function: 'take-back' }]);
    expect(JSON.parse((hits[0] as Hit).body.toString())).toEqual({ id: 7 });
  });
});

describe('the deadline of the run', () => {
  const sent: number[] = [];
  const send: AttemptOptions['deliver'] = async ({ timeout }) => {
    sent.push(timeout);
    return { error: 'timeout' };
  };
  beforeEach(() => {
    sent.length = 0;
  });

  test.each([0, -1, -86_400_000])('%d ms ahead: nothing is sent any more', async (ahead) => {
    expect(await make({ deadline: clock.now() + ahead, deliver: send })).toEqual({
      verdict: 'dead',
      error: { code: 'deadline_exceeded' },
    });
    expect(sent).toEqual([]);
  });

  test.each([
    [1, 1],
    [9_999, 9_999],
    [10_000, 10_000],
    [86_400_000, 10_000],
  ])('%d ms ahead gives an attempt %d ms', async (ahead, timeout) => {
    await make({ deadline: clock.now() + ahead, deliver: send });
    expect(sent).toEqual([timeout]);
  });

  test('is the end when the next attempt would begin then or later', async () => {
    const next = 500 * 1.25;
    const error = { code: 'upstream_timeout' };
    for (const [ahead, verdict] of [
      [next, 'dead'],
      [next + 1, 'again'],
    ] as const)
      expect(await make({ deadline: clock.now() + ahead, deliver: send })).toMatchObject({
        verdict,
        error,
      });
  });

  test('is none for what takes an effect back', async () => {
    const undo = { ...STEP_DEFAULTS, target: { function: 'take-back' } };
    const fields = { step: { undo }, undo: true, deadline: clock.now() - 1, deliver: send };
    expect(await make(fields)).toMatchObject({ verdict: 'again' });
    expect(sent).toEqual([10_000]);
  });

  test('is looked at again after the wait for a place', async () => {
    const time = manualClock(START);
    const targets = createTargets({ limit: 1, clock: time });
    const place = await targets.enter('other', { signal: new AbortController().signal });
    const waiting = make({ clock: time, targets, deadline: START + 1_000, deliver: send });
    await time.advance(1_000);
    if ('leave' in place) place.leave('answered');
    expect(await waiting).toMatchObject({ error: { code: 'deadline_exceeded' } });
    expect(sent).toEqual([]);
  });
});

describe('a target that says it is gone', () => {
  const webhook = () => at({}, { name: 'CRM_URL.0a1b', canBeGone: true });
  beforeEach(() => {
    answer = replies(410);
  });

  test('is not called again, by no run and no step, until somebody takes it off the list', async () => {
    const gone = goneSet();
    const dead = { verdict: 'dead', error: { code: 'target_gone', status: 410 } };
    expect(await make({ destination: webhook, gone })).toEqual(dead);
    expect(gone.has('CRM_URL.0a1b')).toBe(true);
    expect(await make({ destination: webhook, gone })).toEqual({
      verdict: 'dead',
      error: { code: 'target_disabled' },
    });
    expect(hits).toHaveLength(1);
    expect(await make({ destination: () => at({}, { name: 'OTHER' }), gone })).toEqual(dead);
  });

  test('is not waited for: neither for a place, nor until it has rested', async () => {
    const targets = createTargets({ limit: 1, clock });
    await targets.enter('CRM_URL.0a1b', { signal: new AbortController().signal });
    const gone = goneSet('CRM_URL.0a1b');
    expect(await make({ destination: webhook, gone, targets })).toEqual({
      verdict: 'dead',
      error: { code: 'target_disabled' },
    });
  });

  test('is called by none of those either that wait for their place just then', async () => {
    const gone = goneSet();
    const targets = createTargets({ limit: 1, clock });
    const all = await Promise.all(
      Array.from({ length: 5 }, () => make({ destination: webhook, gone, targets })),
    );
    expect(hits).toHaveLength(1);
    expect(all.map((one) => ('error' in one ? one.error.code : ''))).toEqual([
      'target_gone',
      ...Array(4).fill('target_disabled'),
    ]);
  });

  test('is a function of our own: the call has failed, and that is all', async () => {
    const gone = goneSet();
    const targets = createTargets({ clock });
    for (let time = 0; time < 2; time += 1)
      expect(await make({ gone, targets })).toMatchObject({ error: { code: 'target_gone' } });
    expect(gone.has('email-user')).toBe(false);
    expect(hits).toHaveLength(2);
  });
});

describe('an attempt is put off, and not counted,', () => {
  test('while its target rests after ten failures, whichever step asks; others are called', async () => {
    const targets = createTargets({ clock });
    answer = replies(503);
    for (let time = 0; time < 10; time += 1)
      expect(await make({ targets })).toMatchObject({ verdict: 'again' });
    expect(await make({ targets, step: { name: 'other' } })).toEqual({
      verdict: 'postponed',
      at: clock.now() + 5_000,
    });
    expect(hits).toHaveLength(10);
    const elsewhere = () => at({}, { name: 'elsewhere' });
    expect(await make({ targets, destination: elsewhere })).toMatchObject({ verdict: 'again' });
  });

  test('not for answers that refuse, nor for what was never sent', async () => {
    const targets = createTargets({ clock });
    answer = replies(422);
    const forbidden = () => at({ guard: createGuard() });
    for (let time = 0; time < 12; time += 1) {
      await make({ targets });
      expect(await make({ targets, destination: forbidden })).toEqual({
        verdict: 'dead',
        error: { code: 'forbidden_target' },
      });
    }
    expect(hits).toHaveLength(12);
  });

  test('to keep the pace of the step; what takes an effect back keeps none', async () => {
    const time = manualClock(START);
    const targets = createTargets({ clock: time });
    const undo = { ...STEP_DEFAULTS, target: { function: 'take-back' } };
    const step = { rate: 0.1, undo };
    expect(await make({ clock: time, targets, step })).toMatchObject({ verdict: 'delivered' });
    expect(await make({ clock: time, targets, step })).toEqual({
      verdict: 'postponed',
      at: START + 10_000,
    });
    expect(await make({ clock: time, targets, step, undo: true })).toEqual({
      verdict: 'delivered',
    });
    expect(hits).toHaveLength(2);
  });
});

describe('the wait for a place', () => {
  test('ends, as `aborted`, when nothing more is to begin; what is called goes on', async () => {
    const targets = createTargets({ limit: 1, clock });
    const entering = new AbortController();
    let finish = () => {};
    answer = (response) => {
      finish = () => response.writeHead(204).end();
      entering.abort();
    };
    const [first, second] = await Promise.allSettled([
      make({ targets, entering: entering.signal }),
      make({ targets, entering: entering.signal }).finally(() => finish()),
    ]);
    expect(first).toMatchObject({ status: 'fulfilled', value: { verdict: 'delivered' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'aborted' } });
    expect(hits).toHaveLength(1);
  });
});

describe('an event', () => {
  const event = { target: { event: 'user.signed-up' } };
  const both = (...paths: string[]) => ({
    name: 'event user.signed-up',
    addresses: paths.map((path) => ({
      url: url.replace('email-user', path),
      keys: [KEY],
      guard: unguarded,
    })),
    canBeGone: false,
  });
  const urls = () => hits.map((hit) => hit.url);

  test('goes to each who subscribes, one after the other, under one key', async () => {
    expect(await make({ step: event, destination: () => both('one', 'two') })).toMatchObject({
      verdict: 'delivered',
    });
    expect(urls()).toEqual(['/one', '/two']);
    expect(new Set(hits.map(({ headers }) => headers['ce-id'])).size).toBe(1);
    expect(new Set(hits.map(({ headers }) => headers.traceparent)).size).toBe(2);
  });

  test('stops at the first who has not taken it; the next attempt begins with the first', async () => {
    const seen: ServerResponse[] = [];
    answer = (response) => response.writeHead(seen.push(response) === 2 ? 503 : 204).end();
    const destination = () => both('one', 'two', 'three');
    expect(await make({ step: event, destination })).toMatchObject({
      verdict: 'again',
      error: { code: 'refused', status: 503 },
    });
    expect(urls()).toEqual(['/one', '/two']);
    await make({ step: event, destination, attempt: 2 });
    expect(urls().slice(2)).toEqual(['/one', '/two', '/three']);
  });

  test('goes to nobody more once the deadline has passed', async () => {
    const time = manualClock(START);
    const send: AttemptOptions['deliver'] = async (options) => {
      const delivery = await deliver(options);
      await time.advance(1_000);
      return delivery;
    };
    const outcome = await make({
      step: event,
      destination: () => both('one', 'two'),
      clock: time,
      deadline: START + 1_000,
      deliver: send,
    });
    expect(outcome).toEqual({ verdict: 'dead', error: { code: 'deadline_exceeded' } });
    expect(urls()).toEqual(['/one']);
  });

  test('goes unsigned where there is no key, and signed where there is one', async () => {
    await make({ step: event, destination: () => at({ keys: [] }) });
    await make({ step: event, destination: () => at() });
    expect(hits.map(({ headers }) => 'webhook-signature' in headers)).toEqual([false, true]);
  });

  test('to nobody at all is a fault of ours', async () => {
    await expect(make({ step: event, destination: () => both() })).rejects.toThrow(TypeError);
  });
});

describe('what is kept of an answer', () => {
  const step = { expose: ['/shown'], keep: ['/id', '/deep/er', '/none'] };

  test('is what other steps read, apart from what is shown', async () => {
    answer = json('{"shown":1,"id":2,"deep":{"er":[3],"other":4}}');
    expect(await make({ step })).toEqual({
      verdict: 'delivered',
      output: { shown: 1 },
      kept: { '/id': 2, '/deep/er': [3] },
    });
  });

  test('is given to the step that reads it', async () => {
    await make({
      step: { input: { user: 'create#/id', mail: '/email', none: 'create#/none' } },
      kept: { create: { '/id': 'u1' } },
    });
    expect(JSON.parse((hits[0] as Hit).body.toString())).toEqual({
      user: 'u1',
      mail: 'ada@example.com',
    });
  });

  test.each([
    ['as much as there may be', MAX_KEPT - '{"id":""}'.length, true],
    ['a byte more', MAX_KEPT - '{"id":""}'.length + 1, false],
  ])('%s is %d letters', async (_name, letters, isKept) => {
    const id = 'x'.repeat(letters);
    answer = json(JSON.stringify({ id, other: 'y' }));
    expect(await make({ step: { expose: ['/id'] } })).toEqual({
      verdict: 'delivered',
      output: isKept ? { id } : undefined,
    });
    // The name of a member is a pointer there: a letter longer.
    answer = json(JSON.stringify({ id: id.slice(1) }));
    expect('kept' in (await make({ step: { keep: ['/id'] } }))).toBe(isKept);
  });

  test('is counted in bytes', async () => {
    answer = json(JSON.stringify({ id: '€'.repeat(1_500) }));
    expect(await make({ step: { expose: ['/id'], keep: ['/id'] } })).toEqual({
      verdict: 'delivered',
      output: undefined,
    });
  });
});
