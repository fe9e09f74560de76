/** What is asked of a run that is under way: an answer to a step that waits, and the end. */
import { describe, expect, test } from '@jest/globals';
import type { Commanded } from '../../shared/pipeline/engine';
import type { Run } from '../../shared/pipeline/run';
import { standing, type World } from './engine-world';

const codeOf = (commanded: Commanded): string | undefined =>
  'refused' in commanded ? commanded.refused.code : undefined;

export const answering = (world: () => World): void => {
  const PERSON = { target: { wait: 'approved' } };
  const signal = (run: Run, step: string, data: unknown) =>
    world().during(world().lab.engine.signal(run.pipeline, run.id, step, data));
  const cancel = (run: Run) =>
    world().during(
      world().lab.engine.cancel(run.pipeline, run.id, { by: 'ada', reason: 'a test' }),
    );

  describe('an answer', () => {
    test('ends the step that waits for it, and what follows begins', async () => {
      const { pipeline, start, ended, reaches } = world();
      const graph = pipeline({
        person: { ...PERSON, expose: ['/by'] },
        next: { after: ['person'] },
      });
      const begun = await start(graph);
      await reaches(begun, ({ steps }) => steps.person?.state === 'running');
      const told = await signal(begun, 'person', { by: 'grace', secret: 1 });
      expect(told).toMatchObject({ run: { steps: { person: { state: 'succeeded' } } } });
      const run = await ended(begun);
      expect(run.state).toBe('succeeded');
      expect(run.steps.person).toMatchObject({ output: { by: 'grace' } });
      expect(JSON.stringify(run)).not.toContain('secret');
    });

    test('that comes early is kept, and the step ends as soon as it would begin', async () => {
      const { pipeline, start, script, ended, ticks, keys } = world();
      const graph = pipeline({
        a: {},
        person: { ...PERSON, after: ['a'] },
        next: { after: ['person'] },
      });
      script(graph, 'a', { takes: ticks(10) });
      const begun = await start(graph);
      const told = await signal(begun, 'person', { yes: true });
      expect(told).toMatchObject({ run: { steps: { person: { state: 'pending' } } } });
      const run = await ended(begun);
      expect(run.state).toBe('succeeded');
      expect(keys(run, 'next')).toEqual(['next']);
    });

    test('counts once: the same again is no mistake, another one is refused', async () => {
      const { pipeline, start, ended } = world();
      const graph = pipeline({ person: PERSON, other: PERSON });
      const begun = await start(graph);
      expect(codeOf(await signal(begun, 'person', { n: 1, m: 2 }))).toBeUndefined();
      expect(codeOf(await signal(begun, 'person', { m: 2, n: 1 }))).toBeUndefined();
      expect(codeOf(await signal(begun, 'person', { n: 2 }))).toBe('not_waiting');
      expect(codeOf(await signal(begun, 'other', {}))).toBeUndefined();
      const run = await ended(begun);
      expect(codeOf(await signal(run, 'person', { n: 1, m: 2 }))).toBeUndefined();
      expect(codeOf(await signal(run, 'person', { n: 2 }))).toBe('not_waiting');
      expect(run.state).toBe('succeeded');
    });

    test('of two that come at once, one counts', async () => {
      const { pipeline, start, ended, lab, during } = world();
      const graph = pipeline({ person: { ...PERSON, expose: ['/n'] } });
      const begun = await start(graph);
      const told = await during(
        Promise.all(
          [1, 2, 3, 4].map((n) => lab.engine.signal(begun.pipeline, begun.id, 'person', { n })),
        ),
      );
      expect(told.map(codeOf).sort()).toEqual([...Array(3).fill('not_waiting'), undefined]);
      const winner = told.findIndex((one) => codeOf(one) === undefined) + 1;
      expect((await ended(begun)).steps.person?.output).toEqual({ n: winner });
    });

    test('that comes late is refused, and so is one for what does not wait', async () => {
      const { pipeline, start, ended, script, ticks } = world();
      const graph = pipeline({ person: { ...PERSON, timeout: ticks(3) }, call: {} });
      script(graph, 'call', { takes: ticks(6) });
      const begun = await start(graph);
      expect(codeOf(await signal(begun, 'call', {}))).toBe('unknown_step');
      expect(codeOf(await signal(begun, 'nobody', {}))).toBe('unknown_step');
      expect(codeOf(await signal({ ...begun, id: 'nobody' }, 'person', {}))).toBe('not_found');
      const run = await ended(begun);
      expect(run.steps.person).toMatchObject({
        state: 'failed',
        error: { code: 'wait_timeout' },
      });
      expect(run.state).toBe('failed');
      expect(codeOf(await signal(run, 'person', {}))).toBe('not_waiting');
    });
  });

  describe('a cancel', () => {
    test('lets end what is under way, begins nothing more, takes back what can be, and says by whom', async () => {
      const { pipeline, start, script, ended, keys, ticks, reaches } = world();
      const graph = pipeline({
        done: { undo: {} },
        slow: { after: ['done'], undo: {} },
        resting: { retry: { attempts: 2, backoff: 60_000, maxBackoff: 60_000, jitter: 0 } },
        person: PERSON,
        next: { after: ['slow'] },
      });
      script(graph, 'slow', { takes: ticks(10) });
      script(graph, 'resting', { status: 503, takes: 0 });
      const begun = await start(graph);
      await reaches(
        begun,
        ({ steps }) =>
          steps.slow?.state === 'running' && steps.resting?.nextAttemptAt !== undefined,
      );
      expect(await cancel(begun)).toMatchObject({ run: { state: 'running' } });
      expect(codeOf(await cancel(begun))).toBeUndefined();
      const run = await ended(begun);
      expect(run).toMatchObject({ state: 'cancelled', cancelled: { by: 'ada', reason: 'a test' } });
      expect(standing(run)).toEqual({
        done: 'succeeded undo succeeded',
        slow: 'succeeded undo succeeded',
        resting: 'cancelled',
        person: 'cancelled',
        next: 'cancelled',
      });
      expect(keys(run, 'slow')).toEqual(['slow']);
      expect(keys(run, 'resting')).toEqual(['resting']);
      expect(keys(run, 'slow/undo')).toEqual(['slow:undo']);
    });

    test('of what has ended is refused, but for what is cancelled already', async () => {
      const { pipeline, start, ended, lab, during } = world();
      const graph = pipeline({ a: {} });
      const run = await ended(await start(graph));
      expect(codeOf(await cancel(run))).toBe('run_ended');
      expect(codeOf(await cancel({ ...run, id: 'nobody' }))).toBe('not_found');
      const waiting = await start(pipeline({ person: PERSON }));
      await cancel(waiting);
      const cancelled = await ended(waiting);
      expect(cancelled.state).toBe('cancelled');
      expect(await cancel(waiting)).toEqual({ run: cancelled });
      expect(codeOf(await signal(cancelled, 'person', {}))).toBe('not_waiting');
      expect(await during(lab.engine.find(run.pipeline, run.id))).toEqual(run);
    });
  });
};
