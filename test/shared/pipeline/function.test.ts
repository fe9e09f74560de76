/** A pipeline as a function, over real HTTP, with a real engine behind it. */
import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { Route } from '../../../shared/define';
import { Failure } from '../../../shared/failure';
import type { Handler } from '../../../shared/handler';
import { attemptStep } from '../../../shared/pipeline/attempt';
import { pipelineFunction } from '../../../shared/pipeline/function';
import { STEP_DEFAULTS } from '../../../shared/pipeline/pipeline';
import { MAX_WAIT } from '../../../shared/pipeline/routes/accept';
import type { Run } from '../../../shared/pipeline/run';
import { systemRandom } from '../../../shared/random';
import { unguarded } from '../../../shared/webhook/guard';
import { createTargets } from '../../../shared/webhook/targets';
import { invoke, testContext } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';
import { DEAD, now, pipelineOf } from './engines/lab';
import { ADA, pipeline, server } from './serve';

const { serve, close, clean } = server();
afterEach(close);
afterAll(clean);

const HOLD = () => undefined;

const read = async (response: Response): Promise<Run> => (await response.json()) as Run;

describe('POST', () => {
  test('answers 202 with the location of the run and the run as it stands', async () => {
    const { post, request } = await serve({ script: HOLD });
    const response = await post(ADA);
    const run = await read(response);
    expect(response.status).toBe(202);
    expect(run).toEqual({
      id: expect.stringMatching(/^[\w-]{30}$/),
      pipeline: 'signup',
      graph: pipeline.hash,
      state: 'running',
      createdAt: '2026-01-01T00:00:00.000Z',
      deadlineAt: '2026-01-02T00:00:00.000Z',
      steps: {
        create: { state: 'running', attempts: 1, startedAt: '2026-01-01T00:00:00.000Z' },
        confirm: { state: 'pending', attempts: 0 },
      },
    });
    expect(response.headers.get('location')).toBe(`/signup/runs/${run.id}`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.has('preference-applied')).toBe(false);
    const found = await request(response.headers.get('location') as string);
    expect(found.status).toBe(200);
    expect(found.headers.get('cache-control')).toBe('no-store');
    expect(await read(found)).toEqual(run);
  });

  test('refuses what the schema does not take, with every pointer, and starts nothing', async () => {
    const { post, calls } = await serve();
    const response = await post({ username: '', phone: 1 });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const { code, errors } = (await response.json()) as {
      code: string;
      errors: { pointer: string }[];
    };
    expect(code).toBe('invalid_input');
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/email', '/phone', '/username']);
    await delay(20);
    expect(calls).toEqual([]);
  });

  test('answers 503 when the run cannot be recorded, and starts nothing', async () => {
    const { post, calls } = await serve({
      wrap: (journal) => ({
        ...journal,
        accept: () => Promise.reject(new Failure('engine_unavailable')),
      }),
    });
    const response = await post(ADA);
    expect(response.status).toBe(503);
    expect(response.headers.has('location')).toBe(false);
    expect(await response.json()).toMatchObject({ code: 'engine_unavailable', status: 503 });
    await delay(20);
    expect(calls).toEqual([]);
  });

  test('answers 503 with Retry-After when the engine is stopping', async () => {
    const { post, engine } = await serve();
    await engine.close(now());
    const response = await post(ADA);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({ code: 'stopping' });
  });
});

describe('Prefer: wait', () => {
  test.each([
    ['wait=10', 10],
    ['respond-async, wait=2', 2],
    ['respond-async; a=b,wait=2', 2],
    ['wait=5; a=b', 5],
    ['wait="3"', 3],
    ['WAIT = 4', 4],
    ['a="b, wait=9\\", wait=8", wait=7', 7],
    ['wait=1, wait=2', 1],
    ['wait=61', MAX_WAIT],
    ['wait=99999999999999999999', MAX_WAIT],
  ])('%s waits for the end, for %d s at most', async (prefer, seconds) => {
    const { post } = await serve();
    const response = await post(ADA, { prefer });
    expect(response.status).toBe(200);
    expect(response.headers.get('preference-applied')).toBe(`wait=${seconds}`);
    const run = await read(response);
    expect(run.state).toBe('succeeded');
    expect(response.headers.get('location')).toBe(`/signup/runs/${run.id}`);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    'respond-async',
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=1e3',
    'wait=ten',
    'wait="10',
    'wait="1"0',
    'wait=1 0',
    'await=10',
    'wait-for=10',
    'a; wait=10',
    'a="b, wait=10"',
    'wait; a=10',
    'wait=x, wait=10',
    ',;=",',
  ])('%s means nothing', async (prefer) => {
    const { post } = await serve({ script: HOLD });
    const response = await post(ADA, { prefer });
    expect(response.status).toBe(202);
    expect(response.headers.has('preference-applied')).toBe(false);
  });

  test('answers 200 also when the run has failed', async () => {
    const { post } = await serve({ script: () => DEAD });
    const response = await post(ADA, { prefer: 'wait=10' });
    expect(response.status).toBe(200);
    expect((await read(response)).state).toBe('failed');
  });

  test('answers 202 with the run as it is when the time is over, not before', async () => {
    const { post, clock, until, calls } = await serve({ script: HOLD });
    let answered = false;
    const waiting = post(ADA, { prefer: 'wait=2' }).finally(() => {
      answered = true;
    });
    await until(() => calls.length === 1);
    await delay(50);
    await clock.advance(1_999);
    await delay(50);
    expect(answered).toBe(false);
    await clock.advance(1);
    const response = await waiting;
    expect(response.status).toBe(202);
    expect(response.headers.get('preference-applied')).toBe('wait=2');
    const run = await read(response);
    expect(run.state).toBe('running');
    expect(response.headers.get('location')).toBe(`/signup/runs/${run.id}`);
  });

  test('answers 202 at once for no time at all', async () => {
    const { post, clock, until } = await serve({ script: HOLD });
    let answered = false;
    const waiting = post(ADA, { prefer: 'wait=0' }).finally(() => {
      answered = true;
    });
    await until(async () => {
      await clock.advance(0);
      return answered;
    });
    const { status, headers } = await waiting;
    expect([status, headers.get('preference-applied')]).toEqual([202, 'wait=0']);
  });

  test('answers 202 when the engine closes', async () => {
    const { post, engine, until, calls } = await serve({ script: HOLD });
    const waiting = post(ADA, { prefer: 'wait=10' });
    await until(() => calls.length === 1);
    await delay(50);
    await engine.close(now());
    expect((await waiting).status).toBe(202);
  });

  test('tells of an accepted run also when the journal has gone meanwhile', async () => {
    let gone = false;
    const { post } = await serve({
      wrap: (journal) => ({
        ...journal,
        record: async (compose, options) => {
          const recorded = await journal.record(compose, options);
          gone = recorded.progress.state !== 'running';
          return recorded;
        },
        find: (name, id) =>
          gone ? Promise.reject(new Failure('engine_unavailable')) : journal.find(name, id),
      }),
    });
    const response = await post(ADA, { prefer: 'wait=10' });
    expect(gone).toBe(true);
    expect([response.status, (await read(response)).state]).toEqual([200, 'succeeded']);
  });

  test('leaves no listener on the signal of the request, and no wait', async () => {
    const { handlers, engine, calls, until, end } = await serve({ script: HOLD });
    const leaving = new AbortController();
    const call = () =>
      invoke(
        handlers['POST /'] as Handler,
        '/',
        { body: ADA, headers: { prefer: 'wait=10' } },
        testContext({ signal: leaving.signal }),
      );
    const first = call();
    await until(() => calls.length === 1);
    expect(getEventListeners(leaving.signal, 'abort').length).toBeGreaterThan(0);
    end('create 1', DEAD);
    expect((await first).status).toBe(200);
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    const second = call();
    await until(() => calls.length === 2);
    leaving.abort();
    expect((await second).status).toBe(202);
    expect((await call()).status).toBe(202);
    await engine.close(now());
  });
});

describe('Idempotency-Key', () => {
  const key = { 'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };

  test('with the same input gives the same run, and no step is called twice', async () => {
    const { post, calls, ended } = await serve();
    const first = await read(await post(ADA, key));
    const again = await post({ email: ADA.email, username: ADA.username }, key);
    expect(again.status).toBe(202);
    expect(again.headers.get('location')).toBe(`/signup/runs/${first.id}`);
    const run = await ended(first);
    const late = await post(ADA, { ...key, prefer: 'wait=10' });
    expect(late.status).toBe(200);
    expect(await read(late)).toEqual(run);
    expect(calls).toHaveLength(2);
  });

  test('with another input is a 422 that says nothing of the first', async () => {
    const { post, calls, ended } = await serve();
    const run = await read(await post(ADA, key));
    const response = await post({ ...ADA, username: 'bob' }, key);
    expect(response.status).toBe(422);
    expect(response.headers.has('location')).toBe(false);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'idempotency_mismatch' });
    expect(text).not.toContain(run.id);
    await ended(run);
    expect(calls.every((call) => call.run.id === run.id)).toBe(true);
  });

  test('may be the source and id of an event', async () => {
    const { post } = await serve();
    const event = {
      'ce-specversion': '1.0',
      'ce-type': 'signup.request',
      'ce-source': '/web',
      'ce-id': '1',
    };
    const first = await read(await post(ADA, event));
    expect((await read(await post(ADA, event))).id).toBe(first.id);
    expect((await read(await post(ADA, { ...event, 'ce-id': '2' }))).id).not.toBe(first.id);
  });

  test('of an event that does not start this pipeline is not looked at: it went astray', async () => {
    const { post, calls } = await serve({
      pipeline: pipelineOf({ a: {} }, 'signup', { on: 'cart.paid' }),
    });
    const event = (type: string, source = '/shop') => ({
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-type': type,
      'ce-source': source,
    });
    const stray = await post({}, event('cart.left'));
    expect(stray.status).toBe(400);
    expect(await stray.json()).toMatchObject({ code: 'invalid_event' });
    await delay(20);
    expect(calls).toEqual([]);
    for (const headers of [
      event('cart.paid'),
      // A step of a pipeline calls by name; so does who sends plain JSON.
      event('orders.start', '/orders/runs'),
      {},
    ])
      expect((await post({}, headers)).status).toBe(202);
    expect((await post({}, event('x', '/orders/runs/evil'))).status).toBe(400);
  });

  test('that is empty is refused', async () => {
    const { post } = await serve();
    expect((await post(ADA, { 'idempotency-key': '""' })).status).toBe(400);
  });
});

describe('GET of a run', () => {
  test.each([
    ['unknown', 'AAAAAAAAAAAAAAAAAAAAAA'],
    ['a NUL', 'AAAA%00AAAA'],
    ['an emoji', '%F0%9F%92%A9'],
    ['a lone byte', '%FF'],
    ['an open escape', '%'],
    ['a way up', '%2e%2e%2fruns'],
    ['SQL', "'%20OR%20'1'='1"],
    ['a wildcard', '%25'],
    ['very long', 'A'.repeat(5_000)],
  ])('%s is 404', async (_name, id) => {
    const { request } = await serve();
    const response = await request(`/signup/runs/${id}`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found' });
  });

  test('answers 503 when the journal cannot be read', async () => {
    const { request } = await serve({
      wrap: (journal) => ({
        ...journal,
        find: () => Promise.reject(new Failure('engine_unavailable')),
      }),
    });
    expect((await request('/signup/runs/AAAAAAAAAAAAAAAAAAAAAA')).status).toBe(503);
  });
});

describe('what is shown', () => {
  test('is what a step exposes; the input and the rest of the answers never', async () => {
    const body = Buffer.from('{"challenge":"shown","code":"hidden"}');
    const headers = { 'content-type': 'application/json' };
    const { post, request } = await serve({
      script: (call) =>
        attemptStep({
          destination: () => ({
            name: 'all',
            addresses: [{ url: 'http://localhost/', keys: [Buffer.alloc(32)], guard: unguarded }],
            canBeGone: false,
          }),
          deliver: async () => ({ status: 200, headers, body, truncated: false }),
          targets: createTargets({ clock: manualClock() }),
          gone: { has: () => false, add: async () => {} },
          clock: manualClock(),
          random: systemRandom,
        })(call),
    });
    const response = await post(ADA, { prefer: 'wait=10', 'idempotency-key': 'a-key' });
    const text = await response.text();
    const run = JSON.parse(text) as Run;
    expect(run.state).toBe('succeeded');
    expect(run.steps.create).not.toHaveProperty('output');
    expect(run.steps.confirm?.output).toEqual({ challenge: 'shown' });
    const found = await (await request(`/signup/runs/${run.id}`)).text();
    expect(found).toBe(text);
    for (const secret of ['hidden', 'ada', 'example.com', 'a-key'])
      expect(text).not.toContain(secret);
  });

  test('has routes that say who may call: a start like the file, a run whoever knows its id', () => {
    const { callers, routes, needs } = pipelineFunction({ ...pipeline, callers: 'backend' });
    expect(callers).toBe('backend');
    expect(needs).toEqual(['engine']);
    expect(routes).toMatchObject({ 'GET /runs/:id': { callers: 'public' } });
    expect(routes['POST /']).not.toHaveProperty('callers');
  });
});

describe('the declaration', () => {
  const webhook = (variable: string) => ({ target: { webhook: variable, secret: 'SECRET' } });
  const declared = pipelineFunction(
    pipelineOf({
      a: {},
      b: { ...webhook('B_URL'), required: false },
      c: webhook('C_URL'),
    }),
    { example: { username: 'ada' } },
  );

  test('has a variable for each webhook, required where the step is', () => {
    expect(declared.config).toEqual({
      B_URL: {
        type: 'string',
        format: 'uri',
        description: 'URL of the step b. Unset: the step is skipped.',
      },
      C_URL: {
        type: 'string',
        format: 'uri',
        description: 'URL of the step c.',
        required: 'always',
      },
      SECRET: {
        type: 'string',
        secret: true,
        description:
          'Signs the calls of the step b: whsec_ and base64; several, comma-separated, for rotation.',
      },
    });
  });

  test.each([true, false])(
    'a variable that two steps share is required when one of them needs it, also the first: %s',
    (isFirst) => {
      const needs = { ...webhook('URL'), required: true };
      const could = { ...webhook('URL'), required: false };
      const [a, b] = isFirst ? [needs, could] : [could, needs];
      expect(pipelineFunction(pipelineOf({ a, b })).config).toMatchObject({
        URL: { required: 'always', description: `URL of the step ${isFirst ? 'a' : 'b'}.` },
      });
    },
  );

  test('has the variables, and names the targets, of what undoes a step too', () => {
    const call = { ...STEP_DEFAULTS, target: { webhook: 'UNDO_URL', secret: 'UNDO_SECRET' } };
    const { config, calls } = pipelineFunction(
      pipelineOf({
        a: { undo: call },
        b: { undo: { ...STEP_DEFAULTS, target: { function: 'take-back' } } },
      }),
    );
    expect(config).toMatchObject({
      UNDO_URL: { description: 'URL of what undoes the step a.', required: 'always' },
      UNDO_SECRET: { secret: true },
    });
    expect(calls?.({ UNDO_URL: 'https://u.example' })).toEqual([
      'a',
      'https://u.example',
      'b',
      'take-back',
    ]);
  });

  test('says which events start it and which it sends; who waits calls nobody', () => {
    const { on, emits, calls, config } = pipelineFunction(
      pipelineOf(
        {
          ask: { target: { wait: 'order.approved' } },
          emits: { target: { event: 'order.placed' } },
        },
        'orders',
        { on: 'cart.paid' },
      ),
    );
    expect([on, emits, calls?.({}), config]).toEqual([['cart.paid'], ['order.placed'], [], {}]);
    expect(declared).not.toHaveProperty('on');
    expect(declared.emits).toEqual([]);
  });

  test('names whom it calls', () => {
    expect(declared.calls?.({ C_URL: 'https://c.example' })).toEqual(['a', 'https://c.example']);
  });

  test('shows an example where there is one', () => {
    expect((declared.routes['POST /'] as Route).example?.body).toEqual({ username: 'ada' });
    expect(pipelineFunction(pipeline).routes['POST /']).not.toHaveProperty('example');
  });
});
