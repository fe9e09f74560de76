/** What people ask of a run of the local engine: an answer, an end, to run again. Also over a restart, and all at once. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../shared/failure';
import type { Engine } from '../../../../shared/pipeline/engine';
import type { Journal } from '../../../../shared/pipeline/engines/journal';
import type { Step } from '../../../../shared/pipeline/pipeline';
import type { Run } from '../../../../shared/pipeline/run';
import { manualClock } from '../../../support/manual-clock';
import {
  createFolder,
  createLab,
  DEAD,
  DELIVERED,
  type Lab,
  type LabOptions,
  never,
  now,
  pipelineOf,
  UNDO,
} from './lab';

const folder = createFolder();
const { afterCrash } = folder;
const labs: Lab[] = [];
const lab = (options: Omit<LabOptions, 'path'> & { readonly path?: string }): Lab => {
  const made = createLab({ path: folder.file(), ...options });
  labs.push(made);
  return made;
};
afterEach(async () => {
  for (const { engine } of labs.splice(0)) await engine.close(now());
});
afterAll(() => folder.clean());

const START = Date.UTC(2026, 0, 1);
const HOLD = () => undefined;
const approval: Partial<Step> = {
  target: { wait: 'order.approved' },
  timeout: 86_400_000,
  expose: ['/yes'],
  keep: ['/by'],
};
const WHO = { by: 'ada', reason: 'a reason' };
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

const runOf = (commanded: Awaited<ReturnType<Engine['signal']>>): Run => {
  if ('refused' in commanded) throw new Error(commanded.refused.code);
  return commanded.run;
};
const codeOf = (commanded: Awaited<ReturnType<Engine['signal']>>): string | undefined =>
  'refused' in commanded ? commanded.refused.code : undefined;

/** Commits that wait until the test lets them through. */
const gated = () => {
  const state = { held: [] as (() => void)[], holds: false };
  const wrap = (journal: Journal): Journal => ({
    ...journal,
    record: async (compose, options) => {
      if (state.holds) await new Promise<void>((go) => state.held.push(go));
      return journal.record(compose, options);
    },
  });
  return { state, wrap };
};

describe('an answer', () => {
  const pipeline = pipelineOf({ ask: approval, ship: { after: ['ask'] } });

  test('ends the step that waits for it; it is on the disk, and shows what is exposed and no more', async () => {
    const path = folder.file();
    const one = lab({ path, pipeline });
    const run = await one.start();
    expect(run.steps.ask).toMatchObject({ state: 'running', attempts: 0 });
    const answered = runOf(
      await one.engine.signal('signup', run.id, 'ask', { yes: true, by: 'ada', secret: 1 }),
    );
    expect(answered.steps.ask).toMatchObject({ state: 'succeeded', output: { yes: true } });
    expect(JSON.stringify(answered)).not.toMatch(/secret|ada|answered|kept/);
    expect((await afterCrash(path, run))?.steps.ask).toEqual(answered.steps.ask);
    expect((await one.ended(run)).state).toBe('succeeded');
    expect(one.calls[0]?.progress.results.ask?.kept).toEqual({ '/by': 'ada' });
  });

  test('after a restart ends it just so, before the engine goes on and after', async () => {
    for (const resumes of [false, true]) {
      const path = folder.file();
      const before = lab({ path, pipeline });
      const run = await before.start();
      await before.engine.close(now());
      const one = lab({ path, pipeline });
      if (resumes) await one.engine.resume();
      await one.engine.signal('signup', run.id, 'ask', {});
      expect((await one.ended(run)).state).toBe('succeeded');
      expect(one.labels()).toEqual(['ship 1']);
    }
  });

  test('before its time is kept over a restart', async () => {
    const path = folder.file();
    const early = pipelineOf({ a: {}, ask: { ...approval, after: ['a'] }, b: { after: ['ask'] } });
    const before = lab({ path, pipeline: early, script: HOLD });
    const run = await before.start();
    runOf(await before.engine.signal('signup', run.id, 'ask', { yes: 1 }));
    await before.engine.close(now());
    const one = lab({ path, pipeline: early });
    await one.engine.resume();
    const ended = await one.ended(run);
    expect(ended.steps.ask).toMatchObject({ state: 'succeeded', output: { yes: 1 } });
    expect(one.labels()).toEqual(['a 1', 'b 1']);
  });

  test('that is the same once more is no mistake, another one is, also after the end', async () => {
    const one = lab({ pipeline });
    const { id } = await one.start();
    const answer = (data: unknown) => one.engine.signal('signup', id, 'ask', data);
    const first = runOf(await answer({ a: 1, b: 2 }));
    expect(runOf(await answer({ b: 2, a: 1 })).steps.ask).toEqual(first.steps.ask);
    await one.ended(first);
    for (const data of [{ a: 1 }, null, 'a'])
      expect(codeOf(await answer(data))).toBe('not_waiting');
    expect(runOf(await answer({ a: 1, b: 2 })).state).toBe('succeeded');
    expect(one.labels()).toEqual(['ship 1']);
  });

  test('of a hundred at once only the first counts; all that were the same are told so', async () => {
    const one = lab({ pipeline });
    const { id } = await one.start();
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        one.engine.signal('signup', id, 'ask', { yes: index % 2 }),
      ),
    );
    expect(all.map(codeOf).filter((code) => code === 'not_waiting')).toHaveLength(50);
    expect((await one.ended(runOf(all[0] as never))).steps.ask?.output).toEqual({ yes: 0 });
    expect(one.labels()).toEqual(['ship 1']);
  });

  test('is told of when it is on the disk, also to who gives the same a moment later', async () => {
    const { state, wrap } = gated();
    const one = lab({ pipeline, wrap });
    const { id } = await one.start();
    state.holds = true;
    const told: number[] = [];
    const all = [1, 2].map(async (who) => {
      await one.engine.signal('signup', id, 'ask', {});
      told.push(who);
    });
    await settle();
    expect(told).toEqual([]);
    state.holds = false;
    for (const go of state.held.splice(0)) go();
    await Promise.all(all);
    expect(told.sort()).toEqual([1, 2]);
  });

  test('to what does not wait, or does not exist, is refused', async () => {
    const one = lab({ pipeline, script: HOLD });
    const { id } = await one.start();
    const codes = async (...asked: readonly [string, string, string][]) =>
      Promise.all(asked.map(async ([a, b, c]) => codeOf(await one.engine.signal(a, b, c, {}))));
    expect(
      await codes(
        ['signup', id, 'ship'],
        ['signup', id, 'nobody'],
        ['signup', id, '__proto__'],
        ['signup', `${id}x`, 'ask'],
        ['signup', "' OR 1=1 --", 'ask'],
        ['other', id, 'ask'],
      ),
    ).toEqual([...Array(3).fill('unknown_step'), ...Array(3).fill('not_found')]);
  });

  test('that comes too late is refused', async () => {
    const one = lab({ pipeline: pipelineOf({ ask: { ...approval, timeout: 30_000 } }) });
    const run = await one.start();
    const { id } = run;
    await one.pass(30_000);
    expect((await one.ended(run)).steps.ask).toMatchObject({
      state: 'failed',
      endedAt: '2026-01-01T00:00:30.000Z',
      error: { code: 'wait_timeout' },
    });
    expect(codeOf(await one.engine.signal('signup', id, 'ask', {}))).toBe('not_waiting');
  });
});

describe('to call off', () => {
  const pipeline = pipelineOf({ a: { undo: UNDO }, b: { after: ['a'] }, c: { after: ['b'] } });
  const cancel = ({ engine }: Lab, { id }: Run) => engine.cancel('signup', id, WHO);

  test('lets end what is called, begins nothing more, and takes back what was done', async () => {
    const one = lab({ pipeline, script: ({ label }) => (label === 'b 1' ? undefined : DELIVERED) });
    const run = await one.start();
    await one.until(() => one.labels().includes('b 1'));
    const told = runOf(await cancel(one, run));
    expect(told).toMatchObject({
      state: 'running',
      cancelled: { by: 'ada', reason: 'a reason' },
      steps: { b: { state: 'running' }, c: { state: 'cancelled' } },
    });
    expect(one.calls[1]?.signal.aborted).toBe(false);
    one.end('b 1', DELIVERED);
    expect(await one.ended(run)).toMatchObject({
      state: 'cancelled',
      steps: { a: { undo: { state: 'succeeded' } }, b: { state: 'succeeded' } },
    });
    expect(one.labels()).toEqual(['a 1', 'b 1', 'a undo 1']);
  });

  test('holds over a restart, and so does what is to be taken back', async () => {
    const path = folder.file();
    const before = lab({
      path,
      pipeline,
      script: ({ label }) => (label === 'a 1' ? DELIVERED : undefined),
    });
    const run = await before.start();
    await before.until(() => before.labels().includes('b 1'));
    await cancel(before, run);
    await before.engine.close(now());
    const one = lab({ path, pipeline });
    await one.engine.resume();
    expect(await one.ended(run)).toMatchObject({ state: 'cancelled', cancelled: { by: 'ada' } });
    expect(one.labels()).toEqual(['b 1', 'a undo 1']);
    expect(await afterCrash(path, run)).toEqual(await one.find(run));
  });

  test('what waits for its next attempt is not made again', async () => {
    const one = lab({
      pipeline: pipelineOf({ a: {} }),
      script: () => ({ verdict: 'again', error: { code: 'refused' }, at: START + 1_000 }),
    });
    const run = await one.start();
    await one.until(async () => (await one.find(run)).steps.a?.nextAttemptAt !== undefined);
    expect(runOf(await cancel(one, run)).state).toBe('cancelled');
    await one.pass(10_000);
    expect(one.labels()).toEqual(['a 1']);
  });

  test('twice is no mistake and changes nothing; after another end it is refused', async () => {
    const one = lab({ pipeline: pipelineOf({ a: {}, ask: { ...approval, after: ['a'] } }) });
    const run = await one.start();
    const first = runOf(await cancel(one, run));
    await one.ended(run);
    const again = runOf(await one.engine.cancel('signup', run.id, { by: 'bob', reason: 'other' }));
    expect(again.cancelled).toEqual(first.cancelled);
    const other = await one.start();
    await one.until(async () => (await one.find(other)).steps.ask?.state === 'running');
    await one.engine.signal('signup', other.id, 'ask', {});
    await one.ended(other);
    expect(await cancel(one, other)).toMatchObject({
      refused: { code: 'run_ended', detail: expect.stringContaining('succeeded') },
    });
    expect(codeOf(await cancel(one, { ...run, id: 'x'.repeat(22) }))).toBe('not_found');
  });

  test('of fifty at once is noted once', async () => {
    const one = lab({ pipeline, script: HOLD });
    const run = await one.start();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        one.engine.cancel('signup', run.id, { by: `${index}`, reason: 'r' }),
      ),
    );
    expect(new Set(all.map((one) => runOf(one).cancelled?.by))).toEqual(new Set(['0']));
  });
});

describe('to run again', () => {
  const pipeline = pipelineOf({ a: {}, b: { after: ['a'] }, c: { after: ['b'] } });
  const failing = ({ step }: { readonly step: { readonly name: string } }) =>
    step.name === 'b' ? DEAD : DELIVERED;
  const failed = async (path: string, graph = pipeline): Promise<Run> => {
    const one = lab({ path, pipeline: graph, script: failing });
    const run = await one.ended(await one.start({ username: 'ada' }));
    await one.engine.close(now());
    return run;
  };

  test('after a restart: what failed and what was not reached, with the input of then', async () => {
    const path = folder.file();
    const run = await failed(path);
    const one = lab({ path, pipeline });
    await one.engine.resume();
    const told = runOf(await one.engine.replay('signup', run.id, WHO));
    expect(told).toMatchObject({ state: 'running', replays: [{ ...WHO, steps: ['b', 'c'] }] });
    expect(told).not.toHaveProperty('endedAt');
    const ended = await one.ended(run);
    expect(ended).toMatchObject({ state: 'succeeded', replays: [{ by: 'ada' }] });
    expect(one.labels()).toEqual(['b 1', 'c 1']);
    expect(one.calls[0]?.run.input).toEqual({ username: 'ada' });
    expect(await afterCrash(path, run)).toEqual(ended);
  });

  test('is recorded before anything is called, and goes on after a crash', async () => {
    const path = folder.file();
    const run = await failed(path);
    const one = lab({ path, pipeline, script: HOLD });
    await one.engine.replay('signup', run.id, { ...WHO, step: 'a', resend: true });
    await one.until(() => one.calls.length === 1);
    expect((await afterCrash(path, run))?.steps.a).toMatchObject({
      state: 'running',
      generation: 2,
    });
    await one.engine.close(now());
    const two = lab({ path, pipeline });
    await two.engine.resume();
    await two.ended(run);
    expect(two.calls).toMatchObject([{ label: 'a 1', generation: 2 }]);
  });

  test('of fifty at once happens once; the others are told that it is under way', async () => {
    const path = folder.file();
    const run = await failed(path);
    const one = lab({ path, pipeline, script: HOLD });
    const all = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        if (index % 5 === 1) await one.engine.inspect('signup', run.id);
        if (index % 5 === 2) await one.engine.settled('signup', run.id, now());
        return one.engine.replay('signup', run.id, WHO);
      }),
    );
    const refused = all.map(codeOf).filter((code) => code === 'run_not_ended');
    expect(refused).toHaveLength(49);
    await settle();
    expect(one.labels()).toEqual(['b 1']);
  });

  test('is refused while it is under way, and of what there is not', async () => {
    const one = lab({ pipeline, script: HOLD });
    const { id } = await one.start();
    const replay = (pipeline: string, id: string) => one.engine.replay(pipeline, id, WHO);
    expect(codeOf(await replay('signup', id))).toBe('run_not_ended');
    expect(codeOf(await replay('other', id))).toBe('not_found');
    expect(codeOf(await replay('signup', 'x'.repeat(22)))).toBe('not_found');
  });

  test('leaves the run as it was when it is refused', async () => {
    const path = folder.file();
    const run = await failed(path);
    const one = lab({ path, pipeline });
    const replay = (step: string) => one.engine.replay('signup', run.id, { ...WHO, step });
    expect(codeOf(await replay('a'))).toBe('nothing_to_replay');
    expect(codeOf(await replay('c'))).toBe('replay_blocked');
    expect(codeOf(await replay('nobody'))).toBe('unknown_step');
    expect(await one.find(run)).toEqual(run);
    expect(await afterCrash(path, run)).toEqual(run);
  });

  test('stays on its graph, or goes to that of now where it is wanted and fits', async () => {
    const path = folder.file();
    const [stays, goes] = [await failed(path), await failed(path)];
    const changed = pipelineOf({ a: {}, b: { after: ['a'] }, d: { after: ['b'] } });
    const one = lab({ path, pipeline: changed });
    await one.engine.replay('signup', stays.id, WHO);
    expect((await one.ended(stays)).graph).toBe(pipeline.hash);
    expect(one.labels()).toEqual(['b 1', 'c 1']);
    const told = runOf(await one.engine.replay('signup', goes.id, { ...WHO, upgrade: true }));
    expect(told.graph).toBe(changed.hash);
    expect(Object.keys(told.steps)).toEqual(['a', 'b', 'd']);
    const ended = await one.ended(goes);
    expect(one.labels().slice(2)).toEqual(['b 1', 'd 1']);
    expect(await afterCrash(path, goes)).toEqual(ended);
    expect(await one.engine.inspect('signup', goes.id)).toMatchObject({
      pipeline: { hash: changed.hash },
    });
  });

  test('can move a run onto a graph that others run on already', async () => {
    const path = folder.file();
    const run = await failed(path);
    const changed = pipelineOf({ a: {}, b: { after: ['a'] }, d: { after: ['b'] } });
    const one = lab({ path, pipeline: changed });
    const other = await one.ended(await one.start());
    expect(other.graph).toBe(changed.hash);
    await one.engine.replay('signup', run.id, { ...WHO, upgrade: true });
    const ended = await one.ended(run);
    expect(ended).toMatchObject({ state: 'succeeded', graph: changed.hash });
    expect(await afterCrash(path, run)).toEqual(ended);
  });

  test('on a graph that does not fit is refused, with what has changed, and changes nothing', async () => {
    const path = folder.file();
    const run = await failed(path);
    const changed = pipelineOf({ a: { target: { function: 'other' } }, b: { after: ['a'] } });
    const one = lab({ path, pipeline: changed });
    expect(await one.engine.replay('signup', run.id, { ...WHO, upgrade: true })).toMatchObject({
      refused: {
        code: 'graph_conflict',
        changes: expect.arrayContaining([{ step: 'a', change: 'changed', fields: ['target'] }]),
      },
    });
    expect(await afterCrash(path, run)).toEqual(run);
    await settle();
    expect(one.calls).toEqual([]);
  });

  test('that cannot be recorded is not begun; it is as soon as it can be', async () => {
    const path = folder.file();
    const run = await failed(path);
    let refuses = true;
    const one = lab({
      path,
      pipeline,
      wrap: (journal) => ({
        ...journal,
        record: (compose, options) =>
          refuses
            ? Promise.reject(new Failure('engine_unavailable'))
            : journal.record(compose, options),
      }),
    });
    const replaying = one.engine.replay('signup', run.id, WHO);
    await one.until(() => one.lines.length > 0);
    expect(await one.find(run)).toEqual(run);
    expect(one.calls).toEqual([]);
    refuses = false;
    await one.clock.advance(1_000);
    expect(runOf(await replaying).state).toBe('running');
    expect((await one.ended(run)).state).toBe('succeeded');
  });
});

describe('to inspect', () => {
  test('gives the run, its input and its graph, under way and after, and of no other pipeline', async () => {
    const pipeline = pipelineOf({ a: {} });
    const one = lab({ pipeline, script: HOLD });
    const run = await one.start({ username: 'ada' });
    const expected = { input: { username: 'ada' }, pipeline };
    expect(await one.engine.inspect('signup', run.id)).toEqual({ run, ...expected });
    one.end('a 1', DELIVERED);
    const ended = await one.ended(run);
    expect(await one.engine.inspect('signup', run.id)).toEqual({ run: ended, ...expected });
    expect(await one.engine.inspect('other', run.id)).toBeUndefined();
    expect(await one.engine.inspect('signup', 'nobody')).toBeUndefined();
  });
});

describe('a target that is gone', () => {
  test('stays so over a restart, until somebody enables it', async () => {
    const path = folder.file();
    const pipeline = pipelineOf({ a: {} });
    const one = lab({ path, pipeline });
    await one.engine.open();
    await one.gone.add('CRM_URL.0a1b');
    await one.gone.add('CRM_URL.0a1b');
    expect(one.gone.has('CRM_URL.0a1b')).toBe(true);
    await one.engine.close(now());
    const two = lab({ path, pipeline, clock: manualClock(START + 1_000) });
    await two.engine.open();
    expect([two.gone.has('CRM_URL.0a1b'), two.gone.has('OTHER')]).toEqual([true, false]);
    expect(await two.engine.disabledTargets()).toEqual([
      { name: 'CRM_URL.0a1b', at: '2026-01-01T00:00:00.000Z' },
    ]);
    expect(await two.engine.enableTarget('CRM_URL.0a1b')).toBe(true);
    expect(await two.engine.enableTarget('CRM_URL.0a1b')).toBe(false);
    expect(two.gone.has('CRM_URL.0a1b')).toBe(false);
    await two.engine.close(now());
    const three = lab({ path, pipeline });
    await three.engine.open();
    expect(three.gone.has('CRM_URL.0a1b')).toBe(false);
    expect(await three.engine.disabledTargets()).toEqual([]);
  });

  test('is known to this process also when it cannot be written down, and can be enabled', async () => {
    const one = lab({
      pipeline: pipelineOf({ a: {} }),
      wrap: (journal) => ({
        ...journal,
        addGoneTarget: () => Promise.reject(new Failure('engine_unavailable')),
      }),
    });
    await one.gone.add('CRM_URL.0a1b');
    expect(one.gone.has('CRM_URL.0a1b')).toBe(true);
    expect(one.lines).toMatchObject([{ severity: 'error', message: 'journal_unavailable' }]);
    expect(await one.engine.enableTarget('CRM_URL.0a1b')).toBe(true);
    expect(one.gone.has('CRM_URL.0a1b')).toBe(false);
  });
});

describe('while the engine closes', () => {
  test('nothing more is asked of it, and what was asked is on the disk or refused', async () => {
    const path = folder.file();
    const pipeline = pipelineOf({ ask: approval });
    const { state, wrap } = gated();
    const one = lab({ path, pipeline, wrap });
    const run = await one.start();
    state.holds = true;
    const asked = one.engine.signal('signup', run.id, 'ask', {});
    await one.until(() => state.held.length === 1);
    const closing = one.engine.close(never());
    for (const ask of [
      () => one.engine.signal('signup', run.id, 'ask', {}),
      () => one.engine.cancel('signup', run.id, WHO),
      () => one.engine.replay('signup', run.id, WHO),
    ])
      await expect(ask()).rejects.toMatchObject({
        code: 'stopping',
        headers: { 'retry-after': '1' },
      });
    state.holds = false;
    for (const go of state.held.splice(0)) go();
    const told = await asked.then(
      () => 'recorded',
      (failure: Failure) => failure.code,
    );
    await closing;
    const two = lab({ path, pipeline });
    const { state: stands } = await two.find(run);
    expect([told, stands]).toEqual(
      told === 'recorded' ? ['recorded', 'succeeded'] : ['stopping', 'running'],
    );
  });
});
