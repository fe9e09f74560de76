/** What is asked of a run over HTTP: to take an answer, to end, to run again. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../shared/failure';
import { deriveKeys } from '../../../../shared/keys';
import type { Run } from '../../../../shared/pipeline/run';
import { signWebhook } from '../../../../shared/webhook/sign';
import { DEAD, DELIVERED, pipelineOf } from '../engines/lab';
import { type Served, server } from '../serve';

const { serve, close, clean } = server();
afterEach(close);
afterAll(clean);

const asking = pipelineOf({
  ask: { target: { wait: 'order.approved' }, timeout: 80_000_000, expose: ['/yes'] },
  ship: { after: ['ask'] },
});
const failing = {
  pipeline: pipelineOf({ a: {}, b: { after: ['a'] } }),
  script: ({ step }: { readonly step: { readonly name: string } }) =>
    step.name === 'b' ? DEAD : DELIVERED,
};
const WHY = { reason: 'a reason' };

const started = async (one: Served): Promise<Run> => (await (await one.post({})).json()) as Run;
const problem = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const text = await response.text();
  expect(text).not.toMatch(/\\n +at |\.ts\b|node_modules|sqlite/i);
  const { status, code, detail, errors } = JSON.parse(text) as Record<string, unknown>;
  expect(status).toBe(response.status);
  return { status: response.status, code, detail, errors };
};

describe('POST …/signal/:step', () => {
  test('answers the step: 202, with the run and where it is', async () => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    const response = await one.send(`/runs/${id}/signal/ask`, { yes: true, secret: 'hidden' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/signup/runs/${id}`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const text = await response.text();
    expect(JSON.parse(text).steps.ask).toMatchObject({ state: 'succeeded', output: { yes: true } });
    expect(text).not.toMatch(/hidden|answered/);
  });

  test.each([{ yes: [] }, [], 'text', 0, false, null])('takes any JSON: %j', async (data) => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    expect((await one.send(`/runs/${id}/signal/ask`, JSON.stringify(data))).status).toBe(202);
  });

  test('takes the event that the step waits for, and none that went astray', async () => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    const event = (type: string) => ({
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/shop',
      'ce-type': type,
    });
    const path = `/runs/${id}/signal/ask`;
    expect(await problem(await one.send(path, {}, event('order.rejected')))).toMatchObject({
      status: 400,
      code: 'invalid_event',
      detail: 'ask waits for events of the type order.approved.',
    });
    expect((await one.find({ id, pipeline: 'signup' } as Run)).steps.ask?.state).toBe('running');
    expect((await one.send(path, {}, event('order.approved'))).status).toBe(202);
    // Redelivered.
    expect((await one.send(path, {}, event('order.approved'))).status).toBe(202);
  });

  test('says what is in the way', async () => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    const ask = async (path: string, data: unknown = {}) => problem(await one.send(path, data));
    expect(await ask(`/runs/${id}/signal/ship`)).toMatchObject({ status: 404, code: 'not_found' });
    expect(await ask(`/runs/${id}/signal/nobody`)).toMatchObject({ status: 404 });
    expect(await ask('/runs/AAAAAAAAAAAAAAAAAAAAAA/signal/ask')).toMatchObject({ status: 404 });
    expect(await ask(`/runs/${id}/signal/ask`, '{"a":1')).toMatchObject({ code: 'invalid_json' });
    expect(await ask(`/runs/${id}/signal/ask`, '{"a":1,"a":2}')).toMatchObject({
      code: 'invalid_json',
    });
    await one.send(`/runs/${id}/signal/ask`, { yes: 1 });
    expect(await ask(`/runs/${id}/signal/ask`, { yes: 2 })).toMatchObject({
      status: 422,
      code: 'not_waiting',
    });
  });
});

describe('POST …/cancel', () => {
  test('calls the run off: 202, with who and why; twice is the same', async () => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    for (const body of [{ reason: 'no stock', by: 'ada' }, WHY]) {
      const response = await one.send(`/runs/${id}/cancel`, body);
      expect(response.status).toBe(202);
      expect(response.headers.get('location')).toBe(`/signup/runs/${id}`);
      expect(await response.json()).toMatchObject({
        state: 'cancelled',
        cancelled: { by: 'ada', reason: 'no stock' },
      });
    }
  });

  test('of who does not say who they are notes an operator', async () => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    const response = await one.send(`/runs/${id}/cancel`, WHY);
    expect(await response.json()).toMatchObject({ cancelled: { by: 'operator' } });
  });

  test('after another end is 422', async () => {
    const one = await serve({ pipeline: pipelineOf({ a: {} }) });
    const run = await started(one);
    await one.ended(run);
    expect(await problem(await one.send(`/runs/${run.id}/cancel`, WHY))).toMatchObject({
      status: 422,
      code: 'run_ended',
    });
  });
});

describe('POST …/replay', () => {
  test('runs again what failed: 202; a step, what is behind it, and once more', async () => {
    const one = await serve(failing);
    const run = await started(one);
    await one.ended(run);
    for (const [order, steps, resend] of [
      [{}, ['b'], false],
      [{ step: 'b', by: 'ada' }, ['b'], false],
      [{ step: 'a', resend: true }, ['a'], true],
      [{ step: 'a', downstream: true, resend: true }, ['a', 'b'], true],
      [{ upgrade: true }, ['b'], false],
    ] as const) {
      const response = await one.send(`/runs/${run.id}/replay`, { ...WHY, ...order });
      expect(response.status).toBe(202);
      expect(response.headers.get('location')).toBe(`/signup/runs/${run.id}`);
      const { replays } = (await response.json()) as Run;
      expect(replays?.at(-1)).toMatchObject({
        steps,
        resend,
        reason: 'a reason',
        by: 'by' in order ? order.by : 'operator',
      });
      await one.ended(run);
    }
  });

  test('says what is in the way', async () => {
    const one = await serve({
      ...failing,
      pipeline: pipelineOf({ a: {}, b: { after: ['a'] }, c: { after: ['b'] } }),
    });
    const run = await started(one);
    await one.ended(run);
    const ask = async (order: object, id = run.id) =>
      problem(await one.send(`/runs/${id}/replay`, { ...WHY, ...order }));
    expect(await ask({ step: 'a' })).toMatchObject({ status: 422, code: 'nothing_to_replay' });
    expect(await ask({ step: 'c' })).toMatchObject({ status: 422, code: 'replay_blocked' });
    expect(await ask({ step: 'nobody' })).toMatchObject({ status: 404, code: 'not_found' });
    expect(await ask({}, 'A'.repeat(22))).toMatchObject({ status: 404, code: 'not_found' });
    const open = await serve({ pipeline: asking });
    const running = await started(open);
    expect(await problem(await open.send(`/runs/${running.id}/replay`, WHY))).toMatchObject({
      status: 422,
      code: 'run_not_ended',
    });
  });

  test('on a graph that does not fit says which steps are not the same', async () => {
    const one = await serve(failing);
    one.engine.replay = async () => ({
      refused: {
        code: 'graph_conflict',
        detail: 'Steps that have begun are not the same in the graph of now.',
        changes: [
          { step: 'a', change: 'changed', fields: ['after', 'target'] },
          { step: 'b', change: 'removed' },
          { step: '', change: 'changed', fields: ['deadline'] },
        ],
      },
    });
    expect(await problem(await one.send('/runs/x/replay', WHY))).toMatchObject({
      status: 422,
      code: 'graph_conflict',
      errors: [
        { pointer: '/steps/a', message: 'changed: after, target' },
        { pointer: '/steps/b', message: 'removed' },
        { pointer: '', message: 'changed: deadline' },
      ],
    });
  });
});

describe('hostile orders', () => {
  test.each([
    ['no reason', {}, ['/reason']],
    ['an empty reason', { reason: '' }, ['/reason']],
    ['a reason without end', { reason: 'x'.repeat(501) }, ['/reason']],
    ['a reason that is none', { reason: 7 }, ['/reason']],
    ['somebody without a name', { ...WHY, by: '' }, ['/by']],
    ['a name without end', { ...WHY, by: 'x'.repeat(101) }, ['/by']],
    ['a field that nobody knows', { ...WHY, force: true }, ['/force']],
    ['several at once', { by: 1, force: true }, ['/by', '/force', '/reason']],
    ['a list', [], ['']],
    ['nothing', null, ['']],
  ])('%s is 400, for both', async (_name, body, pointers) => {
    const one = await serve(failing);
    const run = await started(one);
    const before = await one.ended(run);
    for (const path of ['cancel', 'replay']) {
      const { status, code, errors } = await problem(
        await one.send(`/runs/${run.id}/${path}`, JSON.stringify(body)),
      );
      expect([status, code]).toEqual([400, 'invalid_input']);
      expect((errors as { pointer: string }[]).map(({ pointer }) => pointer).sort()).toEqual(
        pointers,
      );
    }
    expect(await one.find(run)).toEqual(before);
  });

  test.each([
    { step: 1 },
    { step: 'x'.repeat(64) },
    { downstream: 'yes' },
    { resend: 1 },
    { upgrade: null },
  ])('a replay with %j is 400', async (order) => {
    const one = await serve(failing);
    expect(await problem(await one.send('/runs/x/replay', { ...WHY, ...order }))).toMatchObject({
      status: 400,
      code: 'invalid_input',
    });
  });

  test.each([
    ['no JSON', '{"reason":', {}, 400],
    ['a name twice', '{"reason":"a","reason":"b"}', {}, 400],
    ['a prototype', '{"reason":"a","__proto__":{"by":"root"}}', {}, 400],
    ['a form', 'reason=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['too much', `{"reason":"${'x'.repeat(1_100_000)}"}`, {}, 413],
  ])('%s is refused', async (_name, body, headers, status) => {
    const one = await serve(failing);
    for (const path of ['cancel', 'replay'])
      expect((await problem(await one.send(`/runs/x/${path}`, body, headers))).status).toBe(status);
  });
});

describe('an engine that cannot record', () => {
  test('is 503, and one that stops too, with when to come back', async () => {
    const one = await serve({ pipeline: asking });
    const { id } = await started(one);
    const asks = () => [
      one.send(`/runs/${id}/signal/ask`, {}),
      one.send(`/runs/${id}/cancel`, WHY),
      one.send(`/runs/${id}/replay`, WHY),
    ];
    await one.engine.close(AbortSignal.abort());
    for (const response of await Promise.all(asks())) {
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await problem(response)).toMatchObject({ status: 503, code: 'stopping' });
    }
    const broken = () => Promise.reject(new Failure('engine_unavailable'));
    Object.assign(one.engine, { signal: broken, cancel: broken, replay: broken });
    for (const response of await Promise.all(asks()))
      expect(await problem(response)).toMatchObject({ status: 503, code: 'engine_unavailable' });
  });
});

describe('in production', () => {
  const keys = deriveKeys('a production secret of 32 characters or more');
  const access = {
    production: true,
    adminTokens: ['admin'],
    callerTokens: ['caller'],
    stepKeys: () => keys('step'),
  };
  const ROUTES = [
    ['POST', '', 'backend'],
    ['GET', '/runs/x', 'public'],
    ['GET', '/runs/x/events', 'public'],
    ['GET', '/runs', 'admin'],
    ['GET', '/runs/x/record', 'admin'],
    ['GET', '/graph', 'admin'],
    ['POST', '/runs/x/signal/ask', 'backend'],
    ['POST', '/runs/x/cancel', 'admin'],
    ['POST', '/runs/x/replay', 'admin'],
    ['GET', '/dead-letters', 'admin'],
    ['GET', '/targets', 'admin'],
    ['POST', '/targets/x/enable', 'admin'],
  ] as const;

  test.each(ROUTES)('%s %s is for %s', async (method, path, callers) => {
    const one = await serve({
      pipeline: pipelineOf({ a: {} }, 'signup', { callers: 'backend' }),
      access,
    });
    const as = async (token?: string) =>
      (
        await one.request(`/signup${path}`, {
          method,
          headers: {
            'content-type': 'application/json',
            ...(token && { authorization: `Bearer ${token}` }),
          },
          ...(method === 'POST' && { body: '{"reason":"r"}' }),
        })
      ).status;
    const [nobody, caller, admin] = [await as(), await as('caller'), await as('admin')];
    const isLetIn = (status: number) => status !== 401 && status !== 403;
    expect([isLetIn(nobody), isLetIn(caller), isLetIn(admin)]).toEqual([
      callers === 'public',
      callers !== 'admin',
      callers !== 'backend',
    ]);
    if (callers !== 'public') expect(nobody).toBe(401);
  });

  test('every route of the function is in this list', async () => {
    const one = await serve({ access });
    const patterns = Object.keys(one.declaration.routes).map((route) =>
      route
        .replace(/:id|:name/, 'x')
        .replace(/:step/, 'ask')
        .replace(/ \/$/, ' '),
    );
    expect(patterns.sort()).toEqual(ROUTES.map(([method, path]) => `${method} ${path}`).sort());
  });

  test('an answer may come from a step of our own, by its signature', async () => {
    const one = await serve({ pipeline: asking, access });
    const { id } = await started(one);
    const body = '{"yes":true}';
    const timestamp = Math.floor(one.clock.now() / 1_000);
    const signed = (key: Uint8Array) => ({
      'webhook-id': 'run:step',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signWebhook({
        id: 'run:step',
        timestamp,
        body: Buffer.from(body),
        keys: [key],
      }),
    });
    const path = `/runs/${id}/signal/ask`;
    expect((await one.send(path, body, signed(Buffer.alloc(32)))).status).toBe(401);
    expect((await one.send(path, body, signed(keys('step').current.bytes))).status).toBe(202);
  });
});
