/** One attempt against a real receiver: what goes out, and what is made of the answer. */
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Attempt,
  type AttemptOutcome,
  attemptStep,
  type Destination,
} from '../../../shared/pipeline/attempt';
import { STEP_DEFAULTS, type Step } from '../../../shared/pipeline/pipeline';
import { type Random, systemRandom } from '../../../shared/random';
import { MAX_RETRY_AFTER } from '../../../shared/retry';
import { deliver } from '../../../shared/webhook/deliver';
import { verifyWebhookSignature } from '../../../shared/webhook/sign';
import { manualClock } from '../../support/manual-clock';

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
  ...STEP_DEFAULTS,
  ...fields,
});

const clock = manualClock(START + 60_000);
/** Half of the greatest jitter. */
const random: Random = { ...systemRandom, below: (limit) => limit / 2 };

interface AttemptFields {
  readonly step?: Partial<Step>;
  readonly attempt?: number;
  readonly input?: unknown;
  readonly signal?: AbortSignal;
  readonly destination?: Destination;
}

const make = ({
  step: fields,
  attempt = 1,
  input = { username: 'ada', email: 'ada@example.com' },
  signal = new AbortController().signal,
  destination = () => ({ url, keys: [KEY, OLD_KEY] }),
}: AttemptFields = {}): Promise<AttemptOutcome> =>
  attemptStep({ destination, deliver, clock, random })({
    run: {
      id: 'dG8gYmUgb3Igbm90IHRvIA',
      pipeline: { name: 'signup' },
      input,
      traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
    },
    step: step(fields),
    attempt,
    startedAt: START,
    signal,
  } satisfies Parameters<Attempt>[0]);

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
    await expect(make({ destination: () => ({ url, keys: [] }) })).rejects.toThrow(TypeError);
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

  test.each([301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 413, 422])(
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
      await make({ attempt: 1, step: { retry: { attempts: 1, backoff: 1, maxBackoff: 1 } } }),
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
    const destination = () => ({ url: url.replace('//', '//user:secret@'), keys: [KEY] });
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
