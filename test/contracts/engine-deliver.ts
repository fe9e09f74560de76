/** Attempts: how many, when, under which keys, and what follows from their answers. */
import { describe, expect, test } from '@jest/globals';
import { standing, type World } from './engine-world';

export const delivering = (world: () => World): void => {
  describe('attempts', () => {
    test('are as many as declared, for five steps that fail side by side', async () => {
      const { pipeline, start, script, ended, keys, ticks } = world();
      const names = ['a', 'b', 'c', 'd', 'e'];
      for (const attempts of [1, 2, 4]) {
        const retry = { attempts, backoff: ticks(1), maxBackoff: ticks(2), jitter: 0 };
        const graph = pipeline(Object.fromEntries(names.map((name) => [name, { retry }])));
        for (const name of names)
          script(graph, name, ...Array.from({ length: 8 }, () => ({ status: 503 })));
        const run = await ended(await start(graph));
        expect(run.state).toBe('failed');
        for (const name of names) {
          expect(keys(run, name)).toEqual(Array(attempts).fill(name));
          expect(run.steps[name]).toMatchObject({
            state: 'failed',
            attempts,
            error: { code: 'refused', status: 503 },
          });
        }
      }
    });

    test('of one step that fails three times do not touch four that take their time', async () => {
      const { pipeline, start, script, ended, keys, ticks, lab } = world();
      const slow = ['a', 'b', 'c', 'd'];
      const retry = { attempts: 4, backoff: ticks(1), maxBackoff: ticks(1), jitter: 0 };
      const graph = pipeline(
        Object.fromEntries([...slow, 'failing'].map((name) => [name, { retry }])),
      );
      for (const name of slow) script(graph, name, { takes: ticks(10) });
      script(graph, 'failing', ...Array.from({ length: 3 }, () => ({ status: 500 })));
      const begun = lab.clock.now();
      const run = await ended(await start(graph));
      expect(run.state).toBe('succeeded');
      for (const name of slow) expect(keys(run, name)).toEqual([name]);
      expect(keys(run, 'failing')).toEqual(Array(4).fill('failing'));
      // Ten ticks are what the slow ones take; the other needs seven meanwhile.
      expect(lab.clock.now() - begun).toBeLessThan(10 * ticks(10));
      expect(lab.clock.now() - begun).toBeGreaterThanOrEqual(ticks(10));
    });

    test('wait as long as their backoff says, and as the receiver says where that is longer', async () => {
      const { pipeline, start, script, ended, lab, ticks } = world();
      const retry = { attempts: 4, backoff: ticks(2), maxBackoff: ticks(3), jitter: 0 };
      const graph = pipeline({ a: { retry } });
      const refusal = { status: 503, takes: 0 };
      script(graph, 'a', refusal, refusal, { ...refusal, status: 429, retryAfter: 1 });
      const run = await ended(await start(graph));
      const times = lab.receiver.hitsOf(`${run.pipeline}/a`).map(({ at }) => at);
      const gaps = times.slice(1).map((at, index) => at - (times[index] as number));
      expect(gaps).toHaveLength(3);
      for (const [index, least] of [ticks(2), ticks(3), Math.max(1_000, ticks(3))].entries())
        expect(gaps[index]).toBeGreaterThanOrEqual(least);
    });

    test('of independent steps run side by side, those of dependent ones one after the other', async () => {
      const { pipeline, start, ended, lab } = world();
      const graph = pipeline({
        a: {},
        b: { after: ['a'] },
        c: { after: ['a'] },
        d: { after: ['b', 'c'] },
      });
      const run = await ended(await start(graph));
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(
        (step) => lab.receiver.hitsOf(`${run.pipeline}/${step}`)[0],
      );
      const answered = (hit: typeof a) => hit?.answeredAt as number;
      expect(b?.at).toBeGreaterThanOrEqual(answered(a));
      expect(c?.at).toBeLessThan(answered(b));
      expect(b?.at).toBeLessThan(answered(c));
      expect(d?.at).toBeGreaterThanOrEqual(Math.max(answered(b), answered(c)));
    });

    test('end with a refusal for good, and with no answer after the last one', async () => {
      const { pipeline, start, script, ended, keys } = world();
      const graph = pipeline({ refused: {}, cut: {}, moved: {} });
      script(graph, 'refused', { status: 422 });
      script(graph, 'moved', { status: 302 });
      script(graph, 'cut', { status: 'drop' }, { status: 'drop' }, { status: 'drop' });
      const run = await ended(await start(graph));
      expect(run.steps).toMatchObject({
        refused: { state: 'failed', attempts: 1, error: { code: 'refused', status: 422 } },
        moved: { state: 'failed', attempts: 1, error: { code: 'refused', status: 302 } },
        cut: { state: 'failed', attempts: 3, error: { code: 'upstream_unreachable' } },
      });
      expect(keys(run, 'cut')).toHaveLength(3);
    });

    test('stop at the deadline: what waits has failed, what was to come is skipped, and nothing begins after it', async () => {
      const { pipeline, start, script, ended, lab } = world();
      const retry = { attempts: 50, backoff: 300, maxBackoff: 300, jitter: 0 };
      const graph = pipeline(
        {
          retried: { retry, required: false },
          person: { target: { wait: 'approved' } },
          next: { after: ['person'] },
        },
        { deadline: 1_000 },
      );
      script(graph, 'retried', ...Array(50).fill({ status: 503, takes: 50 }));
      const run = await ended(await start(graph));
      expect(run.state).toBe('failed');
      expect(run.steps.retried).toMatchObject({ state: 'failed', error: { status: 503 } });
      expect(run.steps.person).toMatchObject({
        state: 'failed',
        error: { code: 'deadline_exceeded' },
      });
      expect(run.steps.next).toMatchObject({ state: 'skipped', reason: 'deadline', attempts: 0 });
      const hits = lab.receiver.hitsOf(`${run.pipeline}/retried`);
      expect(hits).toHaveLength(run.steps.retried?.attempts as number);
      expect(Math.max(...hits.map(({ at }) => at))).toBeLessThan(Date.parse(run.deadlineAt));
      expect(Date.parse(run.deadlineAt) - Date.parse(run.createdAt)).toBe(1_000);
    });

    test('begin after the delay of the step, and not before', async () => {
      const { pipeline, start, ended, lab, ticks, reaches } = world();
      const graph = pipeline({ a: {}, b: { after: ['a'], delay: ticks(5) } });
      const begun = await start(graph);
      const resting = await reaches(begun, ({ steps }) => steps.b?.nextAttemptAt !== undefined);
      expect(resting.steps.b).toMatchObject({ state: 'running', attempts: 0 });
      const run = await ended(begun);
      const [a, b] = ['a', 'b'].map((step) => lab.receiver.hitsOf(`${run.pipeline}/${step}`)[0]);
      expect((b?.at as number) - (a?.answeredAt as number)).toBeGreaterThanOrEqual(ticks(5));
      expect(run.state).toBe('succeeded');
    });
  });

  describe('a required step that fails', () => {
    test('lets end what is under way or between two attempts; what has not begun never will', async () => {
      const { pipeline, start, script, ended, keys, ticks } = world();
      const graph = pipeline({
        failing: {},
        slow: {},
        retried: {},
        delayed: { delay: ticks(40) },
        person: { target: { wait: 'approved' } },
        next: { after: ['failing'] },
        later: { after: ['slow'] },
      });
      script(graph, 'failing', { status: 422, takes: ticks(5) });
      script(graph, 'slow', { takes: ticks(15) });
      script(graph, 'retried', { status: 503 }, { status: 503, takes: ticks(10) });
      const run = await ended(await start(graph));
      expect(run.state).toBe('failed');
      expect(standing(run)).toEqual({
        failing: 'failed',
        slow: 'succeeded',
        retried: 'succeeded',
        delayed: 'skipped upstream',
        person: 'cancelled',
        next: 'skipped upstream',
        later: 'skipped upstream',
      });
      expect(keys(run, 'retried')).toHaveLength(3);
      for (const name of ['delayed', 'next', 'later']) expect(keys(run, name)).toEqual([]);
    });

    test('has all taken back that may have happened: the last first, each under a key of its own', async () => {
      const { pipeline, start, script, ended, keys, lab } = world();
      const undo = {};
      const graph = pipeline({
        a: { undo },
        b: { after: ['a'], undo },
        plain: { after: ['b'] },
        c: { after: ['plain'], undo },
        lost: { after: ['c'], required: true, undo },
        refused: { after: ['c'], required: false, undo },
      });
      script(graph, 'lost', { status: 'drop' }, { status: 'drop' }, { status: 'drop' });
      script(graph, 'refused', { status: 422 });
      script(graph, 'b/undo', { status: 503 });
      const run = await ended(await start(graph));
      expect(run.state).toBe('failed');
      expect(standing(run)).toEqual({
        a: 'succeeded undo succeeded',
        b: 'succeeded undo succeeded',
        plain: 'succeeded',
        c: 'succeeded undo succeeded',
        lost: 'failed undo succeeded',
        refused: 'failed',
      });
      expect(keys(run, 'b/undo')).toEqual(['b:undo', 'b:undo']);
      expect(keys(run, 'refused/undo')).toEqual([]);
      const undone = ['lost', 'c', 'b', 'a'].map((step) =>
        lab.receiver.hitsOf(`${run.pipeline}/${step}/undo`),
      );
      for (const [index, hits] of undone.entries()) {
        const before = undone[index - 1]?.at(-1);
        if (before) expect(hits[0]?.at).toBeGreaterThanOrEqual(before.answeredAt as number);
      }
    });

    test('and an undo that fails keeps none of those before it from being taken back', async () => {
      const { pipeline, start, script, ended } = world();
      const graph = pipeline({
        a: { undo: {} },
        b: { after: ['a'], undo: {} },
        c: { after: ['b'] },
      });
      script(graph, 'c', { status: 422 });
      script(graph, 'b/undo', { status: 422 });
      const run = await ended(await start(graph));
      expect(standing(run)).toMatchObject({ a: 'succeeded undo succeeded' });
      expect(run.steps.b?.undo).toMatchObject({ state: 'failed', error: { status: 422 } });
      expect(run.state).toBe('failed');
    });
  });

  describe('a target that says it is gone', () => {
    test('is not called again by anybody, until somebody enables it', async () => {
      const { pipeline, start, script, ended, keys, lab, during } = world();
      const first = pipeline({ a: {} });
      const target = { webhook: `${first.name}/hook`, secret: 'WEBHOOK_SECRET' };
      const graph = pipeline({ a: { target } });
      const path = `${first.name}/hook`;
      script(first, 'hook', { status: 410 });
      const failed = await ended(await start(graph));
      expect(failed.steps.a).toMatchObject({
        state: 'failed',
        attempts: 1,
        error: { code: 'target_gone', status: 410 },
      });
      const disabled = await during(lab.engine.disabledTargets());
      const name = disabled.find((one) => one.name.endsWith(path))?.name as string;
      expect(name).toBeDefined();
      const refused = await ended(await start(graph));
      expect(refused.steps.a).toMatchObject({
        state: 'failed',
        error: { code: 'target_disabled' },
      });
      expect(lab.receiver.hitsOf(path)).toHaveLength(1);
      expect(await during(lab.engine.enableTarget('nobody'))).toBe(false);
      expect(await during(lab.engine.enableTarget(name))).toBe(true);
      expect(await during(lab.engine.enableTarget(name))).toBe(false);
      const listed = await during(lab.engine.disabledTargets());
      expect(listed.map((one) => one.name)).not.toContain(name);
      expect((await ended(await start(graph))).state).toBe('succeeded');
      expect(keys(failed, 'a')).toEqual([]);
      expect(lab.receiver.hitsOf(path)).toHaveLength(2);
    });
  });
};
