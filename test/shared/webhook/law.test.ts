/** The law of delivery over a script of a thousand deliveries, against a server that plays it and a still clock. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseAllow } from '../../../shared/webhook/allow';
import { type Delivery, deliver } from '../../../shared/webhook/deliver';
import { createGuard } from '../../../shared/webhook/guard';
import { callOutcome, type Ended, type Judgement, judge } from '../../../shared/webhook/law';
import { verifyWebhookSignature } from '../../../shared/webhook/sign';
import { buildStepCall } from '../../../shared/webhook/step-call';
import { manualClock } from '../../support/manual-clock';
import { closeReceivers, listen } from './receiver';

afterEach(closeReceivers);

const KEYS = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const RETRY = { attempts: 4, backoff: 500, maxBackoff: 1_500, jitter: 0.5 };
const START = Date.UTC(2026, 10, 20, 12, 0, 0, 250);
/** Of each run, in ms. */
const DEADLINE = 3 * 3_600_000;

/** One answer of the receiver: a status, perhaps with Retry-After; or none. */
interface Fault {
  readonly answer: number | 'reset' | 'garbage' | 'hang';
  readonly retryAfter?: RetryAfter;
}

/** All instants in ms since the epoch. */
interface RetryAfter {
  /** The field as it is sent at an instant. */
  readonly field: (now: number) => string;
  /** Until when it puts us off; not at all when it says nothing that counts. */
  readonly until?: (now: number) => number;
}

const MAX_WAIT = 3_600_000;

/** A date is in whole seconds. */
const date = (form: (at: Date) => string, seconds: number): RetryAfter => {
  const at = (now: number) => Math.floor(now / 1000 + seconds) * 1000;
  return {
    field: (now) => form(new Date(at(now))),
    ...(seconds > 0 && { until: (now) => Math.min(at(now), now + MAX_WAIT) }),
  };
};
const imf = (at: Date) => at.toUTCString();
const rfc850 = (at: Date) => {
  const day = ['Sun', 'Mon', 'Tues', 'Wednes', 'Thurs', 'Fri', 'Satur'][at.getUTCDay()];
  const [, dd, month, year = '', time] = at.toUTCString().split(' ');
  return `${day}day, ${dd}-${month}-${year.slice(2)} ${time} GMT`;
};
const asctime = (at: Date) => {
  const [day = '', dd, month, year, time] = at.toUTCString().split(' ');
  return `${day.slice(0, 3)} ${month} ${`${Number(dd)}`.padStart(2)} ${time} ${year}`;
};
const said = (text: string, seconds?: number): RetryAfter => ({
  field: () => text,
  ...(seconds !== undefined && { until: (now) => now + seconds * 1000 }),
});

const RETRY_AFTERS: readonly RetryAfter[] = [
  said('7', 7),
  said('120', 120),
  said('3600', 3_600),
  said('3601', 3_600),
  said('315360000', 3_600),
  date(imf, 30),
  date(rfc850, 45),
  date(asctime, 60),
  date(imf, 10 * 365 * 86_400),
  date(imf, -60),
  date(rfc850, -60),
  date(asctime, -60),
  said('0'),
  said('-5'),
  said('1.5'),
  said('soon'),
  said('7, 8'),
  said('2026-11-20T13:00:00Z'),
];

const DELIVERED = [200, 201, 202, 204, 299];
const AGAIN = [408, 409, 425, 429, 500, 502, 503, 504, 599];
const DEAD = [300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 413, 422, 451, 499];

/** The same numbers each time (mulberry32). */
const numbers = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
};

const script = (random: () => number): Fault[] => {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: RETRY.attempts }, (): Fault => {
    const lot = random();
    const retryAfter = random() < 0.5 ? { retryAfter: pick(RETRY_AFTERS) } : {};
    if (lot < 0.25) return { answer: pick(DELIVERED), ...retryAfter };
    if (lot < 0.75) return { answer: pick(AGAIN), ...retryAfter };
    if (lot < 0.85) return { answer: pick(DEAD), ...retryAfter };
    if (lot < 0.9) return { answer: 410, ...retryAfter };
    if (lot < 0.945) return { answer: 'reset' };
    return { answer: lot < 0.98 ? 'garbage' : 'hang' };
  });
};

interface Hit {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** By the clock of the test. */
  readonly at: number;
}

/** The law once more, in words of its own: how many attempts, and how it ends. */
const expected = (faults: readonly Fault[]): readonly [attempts: number, end: string] => {
  const last = faults.findIndex(
    ({ answer }) => typeof answer === 'number' && !AGAIN.includes(answer),
  );
  const attempts = last < 0 ? RETRY.attempts : last + 1;
  const { answer } = faults[attempts - 1] as Fault;
  if (answer === 'reset') return [attempts, 'upstream_unreachable'];
  if (answer === 'garbage') return [attempts, 'upstream_invalid'];
  if (answer === 'hang') return [attempts, 'upstream_timeout'];
  if (answer === 410) return [attempts, 'target_gone'];
  return [attempts, DELIVERED.includes(answer) ? 'delivered' : 'refused'];
};

/** The first and the last instant at which the attempt after this one may begin: jitter only lengthens. */
const window = ({ retryAfter }: Fault, attempt: number, now: number): readonly [number, number] => {
  const usual = [500, 1_000, 1_500][attempt - 1] as number;
  const told = retryAfter?.until?.(now) ?? now;
  return [Math.max(now + usual, told), Math.max(now + usual * 1.5, told)];
};

test('a thousand deliveries go by the law, line by line', async () => {
  const clock = manualClock(START);
  const faults = new Map<string, Fault[]>();
  const hits = new Map<string, Hit[]>();
  let elsewhere = 0;
  const trap = await listen(
    createServer((_, response) => {
      elsewhere += 1;
      response.end();
    }),
  );
  const url = await listen(
    createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const run = (request.headers['webhook-id'] as string).split(':')[0] as string;
      const seen = hits.get(run) ?? [];
      hits.set(run, [
        ...seen,
        { headers: request.headers, body: Buffer.concat(parts), at: clock.now() },
      ]);
      const { answer, retryAfter } = (faults.get(run) as Fault[])[seen.length] as Fault;
      if (answer === 'hang') return;
      if (answer === 'reset') return void request.socket.resetAndDestroy();
      if (answer === 'garbage') return void request.socket.end('garbage\r\n\r\n');
      response
        .writeHead(answer, {
          location: trap,
          ...(retryAfter && { 'retry-after': retryAfter.field(clock.now()) }),
        })
        .end();
    }),
  );
  const guard = createGuard({ allow: parseAllow('127.0.0.1') });
  const random = numbers(20_261_120);
  const ends = new Set<string>();

  for (let i = 0; i < 1_000; i += 1) {
    const runId = `run-${i}`;
    const plan = script(random);
    faults.set(runId, plan);
    const startedAt = clock.now();
    let judgement: Judgement | undefined;
    for (let attempt = 1; !judgement || judgement.verdict === 'again'; attempt += 1) {
      if (judgement) await clock.advance(judgement.at - clock.now());
      const call = buildStepCall({
        pipeline: 'signup',
        step: 'crm',
        runId,
        input: { n: i },
        url,
        keys: KEYS,
        now: clock.now(),
        startedAt,
        traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920${(attempt % 10_000).toString().padStart(4, '0')}-01`,
      });
      const { signal } = new AbortController();
      const timeout = plan[attempt - 1]?.answer === 'hang' ? 50 : 10_000;
      const delivery = await deliver({ ...call, timeout, signal, guard });
      judgement = judge(delivery as Ended, {
        attempt,
        retry: RETRY,
        now: clock.now(),
        random01: random(),
        deadline: startedAt + DEADLINE,
      });
    }

    const end = judgement.verdict === 'delivered' ? 'delivered' : judgement.error.code;
    const attempts = hits.get(runId) as Hit[];
    expect([i, attempts.length, end]).toEqual([i, ...expected(plan)]);
    ends.add(end);
    for (const [n, { headers, body, at }] of attempts.entries()) {
      const [first] = attempts as [Hit];
      for (const name of ['webhook-id', 'ce-id', 'idempotency-key'])
        expect(headers[name]).toBe(`${runId}:crm`);
      expect(headers['ce-time']).toBe(first.headers['ce-time']);
      expect(body).toEqual(first.body);
      expect(headers['webhook-timestamp']).toBe(`${Math.floor(at / 1000)}`);
      for (const keys of [[KEYS[0]], [KEYS[1]]] as Buffer[][])
        expect(
          verifyWebhookSignature({
            id: headers['webhook-id'] as string,
            timestamp: headers['webhook-timestamp'] as string,
            signature: headers['webhook-signature'] as string,
            body,
            keys,
            now: at,
          }),
        ).toBe(true);
      const before = attempts[n - 1];
      if (!before) continue;
      const [from, to] = window(plan[n - 1] as Fault, n, before.at);
      expect(at).toBeGreaterThanOrEqual(from);
      expect(at).toBeLessThanOrEqual(to);
    }
  }
  expect(elsewhere).toBe(0);
  // Every end has come about, so every line was read.
  expect([...ends].sort()).toEqual([
    'delivered',
    'refused',
    'target_gone',
    'upstream_invalid',
    'upstream_timeout',
    'upstream_unreachable',
  ]);
}, 60_000);

describe('the law', () => {
  const NOW = START;
  const options = { attempt: 1, retry: RETRY, now: NOW, random01: 0 };
  const answer = (status: number, retryAfter?: string): Ended => ({
    status,
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    body: Buffer.alloc(0),
    truncated: false,
  });

  test('honours Retry-After to the millisecond', () => {
    for (const status of AGAIN)
      expect(judge(answer(status, '7'), options)).toMatchObject({ at: NOW + 7_000 });
    const at = new Date(Math.ceil(NOW / 1000) * 1000 + 30_000);
    for (const form of [imf, rfc850, asctime])
      expect(judge(answer(503, form(at)), options)).toMatchObject({ at: at.getTime() });
  });

  test('ends at the deadline: no attempt begins then or later', () => {
    const late = { ...options, deadline: NOW + 7_000 };
    expect(judge(answer(503, '7'), late)).toEqual({
      verdict: 'dead',
      error: { code: 'refused', status: 503 },
    });
    expect(judge(answer(503, '6'), late)).toMatchObject({ verdict: 'again', at: NOW + 6_000 });
  });

  test.each([
    [{ error: 'timeout' }, 'again', 'upstream_timeout', 'failed'],
    [{ error: 'unreachable' }, 'again', 'upstream_unreachable', 'failed'],
    [{ error: 'invalid_answer' }, 'again', 'upstream_invalid', 'failed'],
    [{ error: 'forbidden_target' }, 'dead', 'forbidden_target', 'unmade'],
    [{ error: 'invalid_request' }, 'dead', 'invalid_request', 'unmade'],
    [{ error: 'too_large' }, 'dead', 'body_too_large', 'unmade'],
    [answer(500), 'again', 'refused', 'failed'],
    [answer(599), 'again', 'refused', 'failed'],
    [answer(429), 'again', 'refused', 'answered'],
    [answer(408), 'again', 'refused', 'answered'],
    [answer(404), 'dead', 'refused', 'answered'],
    [answer(302), 'dead', 'refused', 'answered'],
    [answer(410), 'dead', 'target_gone', 'gone'],
  ] as const)('%j: %s, %s; of the target: %s', (delivery, verdict, code, outcome) => {
    expect(judge(delivery as Ended, options)).toMatchObject({ verdict, error: { code } });
    expect(callOutcome(delivery as Delivery)).toBe(outcome);
  });

  test('takes a call that was delivered, or called off, for what it is', () => {
    expect(judge(answer(204, '7'), options)).toEqual({ verdict: 'delivered' });
    expect(callOutcome(answer(204))).toBe('answered');
    expect(callOutcome({ error: 'aborted' })).toBe('unmade');
  });
});
