import { expect, test } from '@jest/globals';
import type { Engine } from '../../../shared/pipeline/engine';
import { progress, runEvents } from '../../../shared/pipeline/events';
import type { Run } from '../../../shared/pipeline/run';
import { invoke, testContext } from '../../support/invoke';
import { manualClock } from '../../support/manual-clock';

const at = '2026-01-01T00:00:00.000Z';
const RUN: Run = {
  id: 'r1',
  pipeline: 'p',
  graph: 'g',
  state: 'running',
  steps: { a: { state: 'running', attempts: 1, startedAt: at } },
  createdAt: at,
  deadlineAt: at,
};
const WAITING: Run = {
  ...RUN,
  steps: { a: { state: 'running', attempts: 1, startedAt: at, nextAttemptAt: at } },
};
const AGAIN: Run = { ...RUN, steps: { a: { state: 'running', attempts: 2, startedAt: at } } };
const ENDED: Run = {
  ...RUN,
  state: 'succeeded',
  endedAt: at,
  steps: { a: { state: 'succeeded', attempts: 2, startedAt: at, endedAt: at } },
};

/** An engine that gives one run as told, and waits for the signal when it has no more. */
const engineOf = (states: readonly Run[], { hang = false } = {}) => {
  let released = false;
  const engine = {
    find: async () => states[0],
    watch: async function* (_pipeline: string, _id: string, signal: AbortSignal) {
      try {
        yield* states;
        if (hang && !signal.aborted)
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      } finally {
        released = true;
      }
    },
  } as unknown as Engine;
  return { engine, isReleased: () => released };
};

const open = (
  engine: Engine,
  { signal = new AbortController().signal, headers = {}, clock = manualClock() } = {},
) =>
  invoke(
    (request, context) =>
      runEvents({ pipeline: 'p', engine, clock })(
        request,
        Object.create(context, { params: { value: { id: 'r1' } } }),
      ),
    '/runs/r1/events',
    { headers },
    testContext({ signal }),
  );

test('every state is an event with the whole run, and the stream ends with it', async () => {
  const response = await open(engineOf([RUN, ENDED]).engine);
  expect([
    response.status,
    response.headers.get('content-type'),
    response.headers.get('cache-control'),
  ]).toEqual([200, 'text/event-stream', 'no-store']);
  expect(await response.text()).toBe(
    `retry: 1000\n\nid: 4\nevent: run\ndata: ${JSON.stringify(RUN)}\n\nid: 11\nevent: run\ndata: ${JSON.stringify(ENDED)}\n\n`,
  );
});

test('the id grows with everything that happens to a run', () => {
  const ids = [RUN, WAITING, AGAIN, ENDED].map(progress);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
});

test('who has seen the end is told to stop asking; who has not gets it', async () => {
  const { engine } = engineOf([ENDED]);
  expect(
    (await open(engine, { headers: { 'last-event-id': String(progress(ENDED)) } })).status,
  ).toBe(204);
  const late = await open(engine, { headers: { 'last-event-id': String(progress(RUN)) } });
  expect([late.status, (await late.text()).includes('event: run')]).toEqual([200, true]);
});

test('an unknown run is not found', async () => {
  await expect(open(engineOf([]).engine)).rejects.toMatchObject({ code: 'not_found' });
});

const reader = (response: Response) => {
  const source = (response.body as ReadableStream<Uint8Array>).getReader();
  return {
    next: async () => Buffer.from((await source.read()).value ?? []).toString(),
    cancel: () => source.cancel(),
  };
};

test('a quiet run sends a comment now and then', async () => {
  const clock = manualClock();
  const { next, cancel } = reader(await open(engineOf([RUN], { hang: true }).engine, { clock }));
  expect([await next(), (await next()).slice(0, 5)]).toEqual(['retry: 1000\n\n', 'id: 4']);
  const beat = next();
  await clock.advance(15_000);
  expect(await beat).toBe(':\n\n');
  await cancel();
});

test('a client that leaves lets go of the run', async () => {
  const leaving = new AbortController();
  const { engine, isReleased } = engineOf([RUN], { hang: true });
  const { next } = reader(await open(engine, { signal: leaving.signal }));
  await next();
  await next();
  const rest = next();
  leaving.abort();
  expect(await rest).toBe('');
  expect(isReleased()).toBe(true);
});

test('a stream does not last for ever', async () => {
  const clock = manualClock();
  const { next } = reader(await open(engineOf([RUN], { hang: true }).engine, { clock }));
  await next();
  await next();
  let parts = 0;
  for (let ended = false; !ended && parts < 100; parts += 1) {
    const part = next();
    await clock.advance(15_000);
    ended = (await part) === '';
  }
  expect(parts).toBeGreaterThan(50);
  expect(parts).toBeLessThan(70);
});
