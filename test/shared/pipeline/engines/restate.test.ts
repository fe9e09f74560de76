/** The restate engine on a real server, with both directions open at once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AttemptOutcome } from '../../../../shared/pipeline/attempt';
import type { Run } from '../../../../shared/pipeline/run';
import { type RestateServer, startRestate } from '../../../support/restate';
import { DEAD, DELIVERED, never, pipelineOf, TRACEPARENT } from './lab';
import { createRestateLab, type RestateLab, type RestateLabOptions } from './restate-lab';

let server: RestateServer;
const labs: RestateLab[] = [];
let count = 0;

beforeAll(async () => {
  server = await startRestate();
}, 120_000);
afterAll(() => server?.stop());
afterEach(async () => {
  await Promise.all(labs.splice(0).map((lab) => lab.close()));
});

/** Each lab has names of its own at the one server. */
const open = async (options: Omit<RestateLabOptions, 'server'>): Promise<RestateLab> => {
  const lab = await createRestateLab({ server, scope: `lab-${++count}`, ...options });
  labs.push(lab);
  return lab;
};

const query = async <Row>(sql: string): Promise<readonly Row[]> => {
  const answer = await fetch(`${server.adminUrl}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: sql }),
  });
  return ((await answer.json()) as { rows: Row[] }).rows;
};

const again = (after: number): AttemptOutcome => ({
  verdict: 'again',
  error: { code: 'refused', status: 503 },
  at: Date.now() + after,
});
const stepsOf = (run: Run) =>
  Object.fromEntries(Object.entries(run.steps).map(([name, { state }]) => [name, state]));
const by = { by: 'ann', reason: 'a test' };

describe('steps', () => {
  test('begin when all that they come after have ended, and none waits for others', async () => {
    const pipeline = pipelineOf({
      first: {},
      slow: { after: ['first'] },
      quick: { after: ['first'] },
      next: { after: ['quick'] },
      last: { after: ['slow', 'next'] },
    });
    const lab = await open({
      pipeline,
      script: ({ label }) => (label === 'slow#1' ? undefined : DELIVERED),
    });
    const run = await lab.start();
    await lab.until(() => lab.labels().includes('next#1'));
    expect(lab.labels()).not.toContain('last#1');
    await lab.until(async () => (await lab.find(run)).steps.next?.state === 'succeeded');
    expect(stepsOf(await lab.find(run))).toMatchObject({ slow: 'running', last: 'pending' });
    lab.end('slow#1', { verdict: 'delivered', output: { challenge: 'c' } });
    const ended = await lab.ended(run);
    expect(ended).toMatchObject({
      state: 'succeeded',
      steps: { slow: { output: { challenge: 'c' } } },
    });
    expect([...lab.labels()].sort()).toEqual(['first#1', 'last#1', 'next#1', 'quick#1', 'slow#1']);
  });

  test('that end together are one entry of the journal, and one write of the state', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const ends: (() => void)[] = [];
    /** One after the other in one turn of the loop, as answers do that have come by then. */
    const together = () =>
      new Promise<AttemptOutcome>((resolve) => {
        ends.push(() => resolve(DELIVERED));
        if (ends.length === names.length) for (const end of ends) setImmediate(end);
      });
    const lab = await open({
      pipeline: pipelineOf({
        ...Object.fromEntries(names.map((name) => [name, {}])),
        last: { after: names },
      }),
      script: ({ label }) => (label === 'last#1' ? undefined : together()),
    });
    const run = await lab.start();
    const entriesOf = async (): Promise<readonly string[]> => {
      const rows = await query<{ entry_type: string; name: string | null }>(
        `SELECT j.entry_type, j.name FROM sys_journal j JOIN sys_invocation i ON i.id = j.id
         WHERE i.target_service_key = '${run.id}' AND j.entry_type LIKE 'Command:%' ORDER BY j.index`,
      );
      return rows.map(({ entry_type: type, name }) => `${type} ${name ?? ''}`.trim());
    };
    // It is called before Restate has heard of it.
    await lab.until(async () => (await entriesOf()).includes('Command: Run last#1'));
    expect(await entriesOf()).toEqual([
      'Command: Input',
      'Command: GetEagerState',
      'Command: SetState',
      'Command: SetState',
      'Command: Run a#1 b#1 c#1 d#1 e#1',
      'Command: SetState',
      'Command: Run last#1',
    ]);
    await lab.until(() => lab.labels().includes('last#1'));
    lab.end('last#1', DELIVERED);
    expect(await lab.ended(run)).toMatchObject({ state: 'succeeded' });
  });

  test('that fail side by side are each called exactly as often as they are to be', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const retry = { attempts: 4, backoff: 10, maxBackoff: 50, jitter: 0 };
    const lab = await open({
      pipeline: pipelineOf(Object.fromEntries(names.map((name) => [name, { retry }]))),
      script: ({ label }) =>
        label.endsWith('#4') ? DEAD : again(10 * (1 + names.indexOf(label.slice(0, 1)))),
    });
    const ended = await lab.ended(await lab.start());
    expect(ended.state).toBe('failed');
    for (const name of names) {
      expect(lab.labels().filter((label) => label.startsWith(name))).toEqual(
        [1, 2, 3, 4].map((attempt) => `${name}#${attempt}`),
      );
      expect(ended.steps[name]).toMatchObject({ attempts: 4, error: { status: 422 } });
    }
  });

  test('that succeed are not called again for one beside them that fails', async () => {
    const lab = await open({
      pipeline: pipelineOf({ one: {}, two: {}, flaky: {} }),
      script: async ({ label }) => {
        if (/^flaky#[123]$/.test(label)) return again(20);
        if (!label.startsWith('flaky')) await new Promise((resolve) => setTimeout(resolve, 400));
        return DELIVERED;
      },
    });
    const ended = await lab.ended(await lab.start());
    expect(ended.state).toBe('succeeded');
    expect([...lab.labels()].sort()).toEqual([
      'flaky#1',
      'flaky#2',
      'flaky#3',
      'flaky#4',
      'one#1',
      'two#1',
    ]);
    // What it waited for was its own time, not that of the slow ones.
    const end = (name: string) => Date.parse(ended.steps[name]?.endedAt as string);
    expect(end('flaky')).toBeLessThan(Math.min(end('one'), end('two')));
  });

  test('wait until they are to be tried again, and the run says until when', async () => {
    const at = Date.now() + 1_500;
    const lab = await open({
      pipeline: pipelineOf({
        later: { retry: { attempts: 2, backoff: 1, maxBackoff: 1, jitter: 0 } },
      }),
      script: ({ label }) =>
        label === 'later#1'
          ? { verdict: 'again', error: { code: 'refused', status: 503 }, at }
          : DELIVERED,
    });
    const run = await lab.start();
    await lab.until(async () => (await lab.find(run)).steps.later?.nextAttemptAt !== undefined);
    expect((await lab.find(run)).steps.later).toMatchObject({
      state: 'running',
      attempts: 1,
      nextAttemptAt: new Date(at).toISOString(),
    });
    await lab.ended(run);
    expect(lab.calls[1]?.at).toBeGreaterThanOrEqual(at - 20);
  });

  test('that are postponed keep their number', async () => {
    let asked = 0;
    const lab = await open({
      pipeline: pipelineOf({ step: {} }),
      script: () => {
        asked += 1;
        // The first time for longer than anybody holds an attempt open.
        if (asked < 3) return { verdict: 'postponed', at: Date.now() + (asked === 1 ? 2_300 : 30) };
        return DELIVERED;
      },
    });
    const ended = await lab.ended(await lab.start());
    expect(lab.labels()).toEqual(['step#1', 'step#1', 'step#1']);
    expect(ended.steps.step).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  test('that break by a fault of ours are dead, and the run ends', async () => {
    const lab = await open({
      pipeline: pipelineOf({ broken: {} }),
      script: () => Promise.reject(new Error('a fault')),
    });
    const ended = await lab.ended(await lab.start());
    expect(ended).toMatchObject({
      state: 'failed',
      steps: { broken: { error: { code: 'internal' } } },
    });
    expect(lab.labels()).toEqual(['broken#1']);
    expect(lab.lines.map(({ message }) => message)).toContain('attempt_broken');
  });

  test('are taken back, the last one first, when a required one fails', async () => {
    const undo = {
      target: { function: 'undo' },
      timeout: 1_000,
      retry: pipelineOf({ x: {} }).steps[0]?.retry as never,
    };
    const lab = await open({
      pipeline: pipelineOf({
        one: { undo },
        two: { after: ['one'], undo },
        three: { after: ['two'] },
      }),
      script: ({ label }) => (label === 'three#1' ? DEAD : DELIVERED),
    });
    const ended = await lab.ended(await lab.start());
    expect(lab.labels()).toEqual(['one#1', 'two#1', 'three#1', 'two!1', 'one!1']);
    expect(ended).toMatchObject({
      state: 'failed',
      steps: { one: { undo: { state: 'succeeded' } }, two: { undo: { state: 'succeeded' } } },
    });
  });

  test('are skipped when the deadline has passed', async () => {
    const lab = await open({
      pipeline: {
        ...pipelineOf({
          wait: { target: { wait: 'ok' }, timeout: 60_000 },
          next: { after: ['wait'] },
        }),
        deadline: 1_000,
      },
    });
    const ended = await lab.ended(await lab.start());
    expect(ended).toMatchObject({
      state: 'failed',
      steps: {
        wait: { state: 'failed', error: { code: 'deadline_exceeded' } },
        next: { state: 'skipped' },
      },
    });
    expect(lab.calls).toEqual([]);
  });
});

test('a step that would begin after the deadline is skipped, also when nobody waited for that instant', async () => {
  const lab = await open({
    pipeline: pipelineOf({ slow: {}, next: { after: ['slow'] } }, 'signup', { deadline: 1_000 }),
    script: async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_300));
      return DELIVERED;
    },
  });
  const ended = await lab.ended(await lab.start());
  expect(ended.steps).toMatchObject({
    slow: { state: 'succeeded' },
    next: { state: 'skipped', reason: 'deadline' },
  });
  expect(lab.labels()).toEqual(['slow#1']);
});

test('an attempt that would begin at the deadline is not made', async () => {
  let deadlineAt = 0;
  const lab = await open({
    pipeline: pipelineOf({ step: {} }, 'signup', { deadline: 1_000 }),
    script: async () => {
      while (deadlineAt === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return { verdict: 'again', error: { code: 'refused', status: 503 }, at: deadlineAt };
    },
  });
  const run = await lab.start();
  deadlineAt = Date.parse(run.deadlineAt);
  expect((await lab.ended(run)).steps.step).toMatchObject({ state: 'failed', attempts: 1 });
  expect(lab.labels()).toEqual(['step#1']);
});

describe('a run', () => {
  test('that has nothing to do has succeeded', async () => {
    const lab = await open({
      pipeline: pipelineOf({ sms: { when: '/phone' } }),
    });
    const run = await lab.start({});
    expect(run).toMatchObject({ state: 'succeeded', steps: { sms: { state: 'skipped' } } });
    expect(await lab.ended(run)).toEqual(run);
  });

  test('is started once by a key, however many ask at once, and refused to another input', async () => {
    const lab = await open({ pipeline: pipelineOf({ step: {} }) });
    const starts = await Promise.all(
      Array.from({ length: 20 }, () =>
        lab.engine.start('signup', { a: 1 }, { idempotencyKey: 'k', traceparent: TRACEPARENT }),
      ),
    );
    const runs = starts.map((started) => (started === 'mismatch' ? undefined : started));
    expect(new Set(runs.map((started) => started?.run.id)).size).toBe(1);
    expect(runs.filter((started) => started?.created)).toHaveLength(1);
    expect(
      await lab.engine.start('signup', { a: 2 }, { idempotencyKey: 'k', traceparent: TRACEPARENT }),
    ).toBe('mismatch');
    await lab.ended(runs[0]?.run as Run);
    expect(lab.labels()).toEqual(['step#1']);
  });

  test('is found by its id and pipeline, and by nothing else', async () => {
    const lab = await open({ pipeline: pipelineOf({ step: {} }) });
    const run = await lab.ended(await lab.start());
    expect(await lab.engine.find('signup', run.id)).toEqual(run);
    expect(await lab.engine.find('other', run.id)).toBeUndefined();
    for (const id of ['unknown', '', '../health', "'", 'a/b', '%00', 'x'.repeat(65)])
      expect(await lab.engine.find('signup', id)).toBeUndefined();
  });

  test('is told to whoever watches, here and on another host, from now to its end', async () => {
    const pipeline = pipelineOf({ first: {}, second: { after: ['first'] } });
    const scope = 'watched';
    const lab = await open({ pipeline, scope, script: () => undefined });
    const run = await lab.start();
    await lab.until(() => lab.labels().length === 1);
    // Registered last, so the other one is asked now; what is under way stays where it is.
    const other = await open({ pipeline, scope });
    const seen = [lab, other].map(async ({ engine }) => {
      const states: string[] = [];
      for await (const { state, steps } of engine.watch('signup', run.id, never()))
        states.push(`${state} ${steps.first?.state} ${steps.second?.state}`);
      return states;
    });
    await lab.until(async () => (await lab.find(run)).steps.first?.state === 'running');
    lab.end('first#1', DELIVERED);
    await lab.until(() => lab.labels().length === 2);
    await new Promise((resolve) => setTimeout(resolve, 600));
    lab.end('second#1', DELIVERED);
    const [here, there] = await Promise.all(seen);
    expect(here).toEqual([
      'running running pending',
      'running succeeded running',
      'succeeded succeeded succeeded',
    ]);
    expect(there).toEqual(here);
    expect(other.calls).toEqual([]);
  });

  test('is waited for until its end, or until nobody waits any more', async () => {
    const lab = await open({ pipeline: pipelineOf({ step: {} }), script: () => undefined });
    const run = await lab.start();
    const impatient = await lab.engine.settled('signup', run.id, AbortSignal.timeout(300));
    expect(impatient?.state).toBe('running');
    const settled = lab.engine.settled('signup', run.id, never());
    lab.end('step#1', DELIVERED);
    expect((await settled)?.state).toBe('succeeded');
  });

  test('is forgotten after its retention, with all that was known of it', async () => {
    const lab = await open({
      pipeline: { ...pipelineOf({ step: {} }), retention: 1_200 },
      scope: 'forgetful',
    });
    const run = await lab.ended(await lab.start({ email: 'ann@example.com' }, 'k'));
    const rows = () =>
      query(
        "SELECT key, value_utf8 FROM state WHERE service_name IN ('faas-runs.forgetful', 'faas-keys.forgetful')",
      );
    expect(JSON.stringify(await rows())).toContain('ann@example.com');
    // Nor is there anything left of who asked for it, or of its journal.
    await lab.find(run);
    const calls = "target_service_name = 'faas-runs.forgetful' AND status = 'completed'";
    expect(
      await query(
        `SELECT id FROM sys_invocation WHERE ${calls} AND target_handler_name <> 'carry'`,
      ),
    ).toEqual([]);
    expect(
      await query(
        `SELECT j.id FROM sys_journal j JOIN sys_invocation i ON i.id = j.id WHERE ${calls}`,
      ),
    ).toEqual([]);
    await lab.until(async () => (await rows()).length === 0);
    expect(await lab.engine.find('signup', run.id)).toBeUndefined();
    // The key is free again.
    expect((await lab.start({ email: 'bob@example.com' }, 'k')).id).not.toBe(run.id);
  });
});

test('a replay of an end that is not the last one any more does nothing', async () => {
  const scope = 'twice';
  const lab = await open({ pipeline: pipelineOf({ step: {} }), scope, script: () => DEAD });
  const first = await lab.ended(await lab.start());
  await lab.engine.replay('signup', first.id, by);
  const second = await lab.ended(first);
  const late = await fetch(`${server.ingressUrl}/faas-runs.${scope}/${first.id}/replay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request: by, endedAt: first.endedAt }),
  });
  expect(await late.json()).toEqual({ again: true });
  expect(await lab.find(first)).toEqual(second);
});

test('a run that was replayed is kept from its new end on', async () => {
  let isBroken = true;
  const lab = await open({
    pipeline: pipelineOf({ step: {} }, 'signup', { retention: 2_000 }),
    script: () => (isBroken ? DEAD : DELIVERED),
  });
  const first = await lab.ended(await lab.start());
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  isBroken = false;
  await lab.engine.replay('signup', first.id, by);
  const second = await lab.ended(first);
  await new Promise((resolve) => setTimeout(resolve, 1_400));
  expect(await lab.find(first)).toEqual(second);
  await lab.until(async () => (await lab.find(first)) === undefined);
});

test('an invocation that is cancelled at the server goes on, so that no effect is left behind', async () => {
  const scope = 'stubborn';
  const lab = await open({
    pipeline: pipelineOf({ one: {}, two: { after: ['one'] } }),
    scope,
    script: ({ label }) => (label === 'one#1' ? undefined : DELIVERED),
  });
  const run = await lab.start();
  await lab.until(() => lab.calls.length === 1);
  const [carrier] = await query<{ id: string }>(
    `SELECT id FROM sys_invocation WHERE target_service_name = 'faas-runs.${scope}' AND target_handler_name = 'carry'`,
  );
  const answer = await fetch(`${server.adminUrl}/invocations/${carrier?.id}/cancel`, {
    method: 'PATCH',
  });
  expect(answer.ok).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 300));
  lab.end('one#1', DELIVERED);
  expect((await lab.ended(run)).state).toBe('succeeded');
  expect(lab.labels()).toEqual(['one#1', 'two#1']);
});

test('a run that ends while it is called off is one or the other, and the caller is told which', async () => {
  const lab = await open({ pipeline: pipelineOf({ one: {}, two: { after: ['one'] } }) });
  const runs = await Promise.all(Array.from({ length: 30 }, (_, i) => lab.start({ i })));
  const told = await Promise.all(
    runs.map(async (run, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * 3));
      return lab.engine.cancel('signup', run.id, by);
    }),
  );
  for (const [i, run] of runs.entries()) {
    const { state } = await lab.ended(run);
    const answer = told[i] as object;
    expect(state).toBe('refused' in answer ? 'succeeded' : 'cancelled');
  }
});

describe('commands', () => {
  const waiting = () =>
    pipelineOf({
      ask: { target: { wait: 'approved' }, timeout: 60_000, expose: ['/by'], keep: ['/by'] },
      go: { after: ['ask'] },
    });

  test('answer a step that waits: the first answer counts', async () => {
    const lab = await open({ pipeline: waiting() });
    const run = await lab.start();
    const told = await lab.engine.signal('signup', run.id, 'ask', { by: 'ann', secret: 1 });
    expect(told).toMatchObject({
      run: { steps: { ask: { state: 'succeeded', output: { by: 'ann' } } } },
    });
    expect(JSON.stringify(told)).not.toContain('secret');
    expect((await lab.ended(run)).state).toBe('succeeded');
    const same = await lab.engine.signal('signup', run.id, 'ask', { secret: 1, by: 'ann' });
    expect(same).toMatchObject({ run: { id: run.id } });
    const other = await lab.engine.signal('signup', run.id, 'ask', { by: 'eve' });
    expect(other).toMatchObject({ refused: { code: 'not_waiting' } });
    expect(lab.labels()).toEqual(['go#1']);
  });

  test('answer a step before its time', async () => {
    const lab = await open({
      pipeline: pipelineOf({ first: {}, ask: { ...waiting().steps[0], after: ['first'] } }),
      script: () => undefined,
    });
    const run = await lab.start();
    await lab.until(() => lab.calls.length === 1);
    expect(await lab.engine.signal('signup', run.id, 'ask', {})).toMatchObject({
      run: { steps: { ask: { state: 'pending' } } },
    });
    lab.end('first#1', DELIVERED);
    expect((await lab.ended(run)).state).toBe('succeeded');
  });

  test('are refused when there is nothing to be done', async () => {
    const lab = await open({ pipeline: waiting() });
    const run = await lab.start();
    const { engine } = lab;
    const refused = { refused: { code: 'unknown_step' } };
    expect(await engine.signal('signup', run.id, 'go', {})).toMatchObject(refused);
    expect(await engine.signal('signup', run.id, 'nobody', {})).toMatchObject(refused);
    expect(await engine.replay('signup', run.id, by)).toMatchObject({
      refused: { code: 'run_not_ended' },
    });
    for (const told of [
      engine.signal('signup', 'unknown', 'ask', {}),
      engine.cancel('signup', 'unknown', by),
      engine.replay('other', run.id, by),
    ])
      expect(await told).toMatchObject({ refused: { code: 'not_found' } });
    await engine.signal('signup', run.id, 'ask', {});
    await lab.ended(run);
    expect(await engine.cancel('signup', run.id, by)).toMatchObject({
      refused: { code: 'run_ended' },
    });
    expect(await engine.replay('signup', run.id, by)).toMatchObject({
      refused: { code: 'nothing_to_replay' },
    });
    expect(await engine.replay('signup', run.id, { ...by, step: 'nobody' })).toMatchObject(refused);
  });

  test('call a run off: what is under way may end, nothing more begins', async () => {
    const lab = await open({
      pipeline: pipelineOf({ long: {}, retried: {}, next: { after: ['long'] } }),
      script: ({ label }) => (label === 'retried#1' ? again(60_000) : undefined),
    });
    const run = await lab.start();
    await lab.until(async () => (await lab.find(run)).steps.retried?.nextAttemptAt !== undefined);
    const told = await lab.engine.cancel('signup', run.id, by);
    expect(told).toMatchObject({
      run: {
        state: 'running',
        cancelled: by,
        steps: {
          long: { state: 'running' },
          retried: { state: 'cancelled' },
          next: { state: 'cancelled' },
        },
      },
    });
    lab.end('long#1', DELIVERED);
    const ended = await lab.ended(run);
    expect(ended).toMatchObject({
      state: 'cancelled',
      cancelled: by,
      steps: { long: { state: 'succeeded' } },
    });
    expect(
      await lab.engine.cancel('signup', run.id, { by: 'bob', reason: 'too late' }),
    ).toMatchObject({
      run: { cancelled: by },
    });
    expect([...lab.labels()].sort()).toEqual(['long#1', 'retried#1']);
  });

  test('replay what failed, under the same key, and resend under a new one', async () => {
    let isBroken = true;
    const generations: (number | undefined)[] = [];
    const lab = await open({
      pipeline: pipelineOf({ one: {}, two: { after: ['one'] } }),
      script: ({ label }) => (label === 'two#1' && isBroken ? DEAD : DELIVERED),
      seen: ({ generation }) => generations.push(generation),
    });
    const run = await lab.ended(await lab.start());
    expect(run.state).toBe('failed');
    isBroken = false;
    const told = await lab.engine.replay('signup', run.id, by);
    expect(told).toMatchObject({
      run: { state: 'running', replays: [{ ...by, steps: ['two'], resend: false }] },
    });
    expect((await lab.ended(run)).state).toBe('succeeded');
    await lab.engine.replay('signup', run.id, { ...by, step: 'one', resend: true });
    const last = await lab.ended(run);
    expect(last).toMatchObject({ state: 'succeeded', steps: { one: { generation: 2 } } });
    expect(last.replays).toHaveLength(2);
    expect(lab.labels()).toEqual(['one#1', 'two#1', 'two#1', 'one#1']);
    expect(generations).toEqual([undefined, undefined, undefined, 2]);
  });

  test('replay on the graph of now, or not where that is another for what has begun', async () => {
    const scope = 'upgraded';
    const old = await open({
      pipeline: pipelineOf({ one: {}, two: { after: ['one'] } }),
      scope,
      script: ({ label }) => (label === 'two#1' ? DEAD : DELIVERED),
    });
    const run = await old.ended(await old.start());
    await old.close();
    labs.splice(0);
    const pipeline = pipelineOf({ one: {}, two: { after: ['one'] }, three: { after: ['two'] } });
    const lab = await open({ pipeline, scope });
    await lab.engine.replay('signup', run.id, { ...by, upgrade: true });
    const ended = await lab.ended(run);
    expect(ended).toMatchObject({ state: 'succeeded', graph: pipeline.hash });
    expect(lab.labels()).toEqual(['two#1', 'three#1']);
    expect((await lab.engine.inspect('signup', run.id))?.pipeline.hash).toBe(pipeline.hash);
    await lab.close();
    labs.splice(0);
    const other = await open({
      pipeline: pipelineOf({
        one: { target: { function: 'other' } },
        two: { after: ['one'] },
        three: { after: ['two'] },
      }),
      scope,
    });
    expect(
      await other.engine.replay('signup', run.id, {
        ...by,
        step: 'two',
        resend: true,
        upgrade: true,
      }),
    ).toMatchObject({ refused: { code: 'graph_conflict' } });
  });
});

describe('lists', () => {
  test('give runs, newest first, a page at a time, by state and time', async () => {
    const lab = await open({
      pipeline: pipelineOf({ step: {} }),
      script: ({ run }) => (failing.has(run) ? DEAD : DELIVERED),
    });
    const failing = new Set<string>();
    const runs: Run[] = [];
    for (let i = 0; i < 5; i += 1) runs.push(await lab.ended(await lab.start({ i })));
    const newest = [...runs].reverse().map(({ id }) => id);
    const first = await lab.engine.list({ pipeline: 'signup', limit: 2 });
    expect(first.runs.map(({ id }) => id)).toEqual(newest.slice(0, 2));
    const second = await lab.engine.list({ pipeline: 'signup', limit: 2, after: first.next });
    expect(second.runs.map(({ id }) => id)).toEqual(newest.slice(2, 4));
    const third = await lab.engine.list({ pipeline: 'signup', limit: 2, after: second.next });
    expect(third).toEqual({
      runs: [expect.objectContaining({ id: newest[4], state: 'succeeded' })],
    });
    const { steps: _, ...summary } = runs[0] as Run;
    expect(third.runs[0]).toEqual(summary);
    expect((await lab.engine.list({ pipeline: 'signup', state: 'failed' })).runs).toEqual([]);
    expect((await lab.engine.list({ pipeline: "x' OR 'a' = 'a" })).runs).toEqual([]);
    const at = Date.parse(runs[3]?.createdAt as string);
    expect((await lab.engine.list({ pipeline: 'signup', since: at })).runs).toHaveLength(2);
    expect((await lab.engine.list({ pipeline: 'signup', until: at })).runs).toHaveLength(3);
  });

  test('give dead letters, until they are replayed', async () => {
    let isBroken = true;
    const lab = await open({
      pipeline: pipelineOf({ bad: { required: false }, good: {}, worse: { required: false } }),
      script: ({ label }) => {
        if (!isBroken || label === 'good#1') return DELIVERED;
        return label === 'bad#1' ? DEAD : { verdict: 'dead', error: { code: 'upstream_timeout' } };
      },
    });
    const older = await lab.ended(await lab.start());
    const newer = await lab.ended(await lab.start());
    const first = await lab.engine.deadLetters({ pipeline: 'signup', limit: 3 });
    expect(first.deadLetters.map(({ run, step }) => [run, step])).toEqual([
      [newer.id, 'bad'],
      [newer.id, 'worse'],
      [older.id, 'bad'],
    ]);
    expect(first.deadLetters[0]).toEqual({
      run: newer.id,
      step: 'bad',
      graph: newer.graph,
      attempts: 1,
      failedAt: newer.steps.bad?.endedAt,
      error: { code: 'refused', status: 422 },
    });
    const second = await lab.engine.deadLetters({
      pipeline: 'signup',
      limit: 3,
      after: first.next,
    });
    expect(second).toEqual({
      deadLetters: [expect.objectContaining({ run: older.id, step: 'worse' })],
    });
    const letters = async (query: object) =>
      (await lab.engine.deadLetters({ pipeline: 'signup', ...query })).deadLetters.length;
    expect(await letters({ step: 'bad' })).toBe(2);
    expect(await letters({ code: 'upstream_timeout' })).toBe(2);
    expect(await letters({ step: 'bad', code: 'upstream_timeout' })).toBe(0);
    isBroken = false;
    await lab.engine.replay('signup', newer.id, by);
    await lab.ended(newer);
    expect(await letters({})).toBe(2);
  });
});

test('a target that is gone is so for all hosts, until somebody enables it', async () => {
  const scope = 'gone';
  const pipeline = pipelineOf({ step: {} });
  const lab = await open({ pipeline, scope });
  await lab.gone.add('crm');
  const other = await open({ pipeline, scope });
  expect(other.gone.has('crm')).toBe(true);
  expect(await other.engine.disabledTargets()).toEqual([
    { name: 'crm', at: expect.stringMatching(/Z$/) },
  ]);
  expect(await lab.engine.enableTarget('crm')).toBe(true);
  expect(await lab.engine.enableTarget('crm')).toBe(false);
  expect(lab.gone.has('crm')).toBe(false);
});
