/** An engine that is closed, and another one that goes on. */
import { describe, expect, test } from '@jest/globals';
import { TRACEPARENT } from '../shared/pipeline/engines/lab';
import { never, standing, type World } from './engine-world';

export const restarting = (world: () => World): void => {
  describe('a restart', () => {
    test('finds everything where it was: what was under way comes again under its key, what was done does not', async () => {
      const { pipeline, start, script, ended, reaches, keys, lab, ticks, during } = world();
      const graph = pipeline({
        done: {},
        held: { after: ['done'] },
        resting: {},
        person: { target: { wait: 'approved' } },
        last: { after: ['held', 'resting', 'person'] },
      });
      script(graph, 'held', { takes: ticks(30) });
      script(graph, 'resting', { status: 503 });
      const options = { idempotencyKey: 'k' };
      const run = await start(graph, { n: 1 }, options);
      await during(lab.engine.signal(run.pipeline, run.id, 'person', { yes: true }));
      await reaches(run, ({ steps }) => steps.held?.state === 'running');
      await during(lab.restart());
      const again = await during(
        lab.engine.start(graph.name, { n: 1 }, { ...options, traceparent: TRACEPARENT }),
      );
      expect(again).toMatchObject({ created: false, run: { id: run.id } });
      const end = await ended(run);
      expect(standing(end)).toEqual({
        done: 'succeeded',
        held: 'succeeded',
        resting: 'succeeded',
        person: 'succeeded',
        last: 'succeeded',
      });
      expect(keys(run, 'done')).toEqual(['done']);
      expect(new Set(keys(run, 'held'))).toEqual(new Set(['held']));
      expect(keys(run, 'last')).toEqual(['last']);
    });

    test('keeps what has ended, what was listed, and what waits to be replayed', async () => {
      const { pipeline, start, script, ended, replay, find, lab, during } = world();
      const graph = pipeline({ a: {} });
      script(graph, 'a', {}, { status: 422 });
      const good = await ended(await start(graph));
      const bad = await ended(await start(graph));
      const list = () => during(lab.engine.list({ pipeline: graph.name }));
      const before = await list();
      await during(lab.restart());
      expect(await find(good)).toEqual(good);
      expect(await list()).toEqual(before);
      await replay(bad);
      expect((await ended(bad)).state).toBe('succeeded');
    });

    test('lets nobody start while the engine closes, and ends the waiting of all', async () => {
      const { pipeline, start, script, lab, ticks, during, ended, pass } = world();
      const graph = pipeline({ a: {} });
      script(graph, 'a', { takes: ticks(20) });
      const run = await start(graph);
      const { engine } = lab;
      const waiting = engine.settled(run.pipeline, run.id, never());
      const watching = (async () => {
        let last: unknown;
        for await (const state of engine.watch(run.pipeline, run.id, never())) last = state;
        return last;
      })();
      await pass(ticks(2));
      const restarted = lab.restart();
      const refused = engine.start(graph.name, {}, { traceparent: TRACEPARENT });
      await expect(during(refused)).rejects.toMatchObject({ code: 'stopping' });
      expect(await during(waiting)).toMatchObject({ id: run.id, state: 'running' });
      expect(await during(watching)).toMatchObject({ id: run.id, state: 'running' });
      await during(restarted);
      expect((await ended(run)).state).toBe('succeeded');
    });
  });
};
