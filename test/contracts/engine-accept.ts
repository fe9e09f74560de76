/** Starting, finding, waiting for the end, watching. */
import { describe, expect, test } from '@jest/globals';
import type { Started } from '../../shared/pipeline/engine';
import type { Run } from '../../shared/pipeline/run';
import { TRACEPARENT } from '../shared/pipeline/engines/lab';
import { never, type World } from './engine-world';

export const accepting = (world: () => World): void => {
  const startAll = (pipeline: string, inputs: readonly unknown[], idempotencyKey?: string) =>
    world().during(
      Promise.all(
        inputs.map((input) =>
          world().lab.engine.start(pipeline, input, { idempotencyKey, traceparent: TRACEPARENT }),
        ),
      ),
    );
  const runsOf = (started: readonly Started[]) =>
    started.flatMap((one) => (one === 'mismatch' ? [] : [one]));

  describe('a start', () => {
    test('is found at once, under its own pipeline only', async () => {
      const { pipeline, start, lab, during, find } = world();
      const [one, other] = [pipeline({ a: {} }), pipeline({ a: {} })];
      const run = await start(one, { user: 'ada' });
      expect(run).toMatchObject({ pipeline: one.name, graph: one.hash, state: 'running' });
      expect((await find(run)).id).toBe(run.id);
      expect(await during(lab.engine.find(other.name, run.id))).toBeUndefined();
      expect(await during(lab.engine.find(one.name, 'nobody'))).toBeUndefined();
      expect(await during(lab.engine.inspect(one.name, run.id))).toMatchObject({
        input: { user: 'ada' },
        pipeline: one,
      });
      expect(await during(lab.engine.inspect(other.name, run.id))).toBeUndefined();
    });

    test('under the same key gives the same run, while it runs and after; the key of another pipeline is another', async () => {
      const { pipeline, ended } = world();
      const [one, other] = [pipeline({ a: {} }), pipeline({ a: {} })];
      const again = async (name: string) => runsOf(await startAll(name, [{ b: 1, a: 2 }], 'k'))[0];
      const first = await again(one.name);
      const second = await again(one.name);
      expect(first?.created).toBe(true);
      expect(second).toMatchObject({ created: false, run: { id: first?.run.id } });
      const end = await ended(first?.run as Run);
      expect(await again(one.name)).toEqual({ created: false, run: end });
      expect((await again(other.name))?.created).toBe(true);
    });

    test('under the same key with another input is a mismatch, and starts nothing', async () => {
      const { pipeline, ended, lab } = world();
      const { name } = pipeline({ a: {} });
      const [first] = runsOf(await startAll(name, [{ n: 1 }], 'k'));
      expect(await startAll(name, [{ n: 2 }, {}, null], 'k')).toEqual(Array(3).fill('mismatch'));
      await ended(first?.run as Run);
      expect(lab.receiver.hitsOf(`${name}/a`)).toHaveLength(1);
    });

    test('without a key is a new run each time', async () => {
      const { pipeline } = world();
      const { name } = pipeline({ a: {} });
      const started = runsOf(await startAll(name, [{}, {}]));
      expect(started.map(({ created }) => created)).toEqual([true, true]);
      expect(new Set(started.map(({ run }) => run.id)).size).toBe(2);
    });

    test('of 100 at once under one key begins one run, and calls once', async () => {
      const { pipeline, ended, lab } = world();
      const { name } = pipeline({ a: {} });
      const started = runsOf(await startAll(name, Array(100).fill({ n: 1 }), 'k'));
      expect(started).toHaveLength(100);
      expect(new Set(started.map(({ run }) => run.id)).size).toBe(1);
      expect(started.filter(({ created }) => created)).toHaveLength(1);
      await ended(started[0]?.run as Run);
      expect(lab.receiver.hitsOf(`${name}/a`)).toHaveLength(1);
    });

    test('of 100 at once under one key with two inputs is of one of them, and the other is told', async () => {
      const { pipeline, ended, lab, during } = world();
      const { name } = pipeline({ a: {} });
      const inputs = Array.from({ length: 100 }, (_, index) => ({ n: index % 2 }));
      const started = await startAll(name, inputs, 'k');
      expect(new Set(runsOf(started).map(({ run }) => run.id)).size).toBe(1);
      const run = runsOf(started)[0]?.run as Run;
      const taken = (await during(lab.engine.inspect(name, run.id)))?.input;
      for (const [index, one] of started.entries())
        expect(one === 'mismatch').toBe(JSON.stringify(inputs[index]) !== JSON.stringify(taken));
      await ended(run);
    });

    test('of a pipeline that there is not is a mistake of the caller', async () => {
      const start = world().lab.engine.start('nobody', {}, { traceparent: TRACEPARENT });
      await expect(start).rejects.toThrow(TypeError);
    });

    test('of which every step is skipped has ended when it is accepted', async () => {
      const { pipeline, start, find } = world();
      const run = await start(pipeline({ a: { when: '/never' }, b: { when: '/never' } }));
      expect(run.state).toBe('succeeded');
      expect(await find(run)).toEqual(run);
    });
  });

  describe('waiting for the end', () => {
    test('lasts until the run has ended, for all who wait', async () => {
      const { pipeline, start, lab, during, find } = world();
      const run = await start(pipeline({ a: {}, b: { after: ['a'] } }));
      const wait = () => lab.engine.settled(run.pipeline, run.id, never());
      const all = await during(Promise.all([wait(), wait(), wait()]));
      const end = await find(run);
      expect(end.state).toBe('succeeded');
      expect(all).toEqual([end, end, end]);
      expect(await during(wait())).toEqual(end);
    });

    test('ends with the run as it is when the signal aborts, also one that had before', async () => {
      const { pipeline, start, script, lab, during, ended, ticks, pass } = world();
      const long = pipeline({ a: {} });
      script(long, 'a', { takes: ticks(20) });
      const run = await start(long);
      const abort = new AbortController();
      const waiting = lab.engine.settled(run.pipeline, run.id, abort.signal);
      await pass(ticks(2));
      abort.abort();
      expect(await during(waiting)).toMatchObject({ id: run.id, state: 'running' });
      expect(
        await during(lab.engine.settled(run.pipeline, run.id, AbortSignal.abort())),
      ).toMatchObject({ id: run.id, state: 'running' });
      await ended(run);
    });

    test('knows nothing of a run that there is not', async () => {
      const { pipeline, lab, during } = world();
      const { name } = pipeline({ a: {} });
      expect(await during(lab.engine.settled(name, 'nobody', never()))).toBeUndefined();
    });
  });

  describe('watching', () => {
    const statesOf = async (run: Run, signal = never()): Promise<readonly Run[]> => {
      const states: Run[] = [];
      for await (const state of world().lab.engine.watch(run.pipeline, run.id, signal))
        states.push(state);
      return states;
    };

    test('tells the present first and the end last, and then it is over', async () => {
      const { pipeline, start, during, find } = world();
      const run = await start(pipeline({ a: {}, b: { after: ['a'] } }));
      const states = await during(statesOf(run));
      const end = await find(run);
      expect(states[0]?.state).toBe('running');
      expect(states.at(-1)).toEqual(end);
      expect(states.filter(({ state }) => state !== 'running')).toEqual([end]);
      expect(await during(statesOf(run))).toEqual([end]);
    });

    test('never misses the end, whenever it begins', async () => {
      const { pipeline, start, script, during, lab, ticks } = world();
      const graph = pipeline({ a: {}, b: {}, c: { after: ['a', 'b'] } });
      script(graph, 'a', { status: 503 }, { takes: 0 });
      const runs = await Promise.all(Array.from({ length: 10 }, () => start(graph)));
      const ends = await during(
        Promise.all(
          runs.flatMap((run, index) =>
            [0, 1, 2, 3, 4, 5].map(async (late) => {
              await lab.clock.sleep((late * 10 + index) * (ticks(1) / 10));
              return (await statesOf(run)).at(-1);
            }),
          ),
        ),
      );
      expect(ends.map((end) => end?.state)).toEqual(Array(60).fill('succeeded'));
      expect(new Set(ends.map((end) => end?.id)).size).toBe(10);
    });

    test('ends when the signal aborts, and of what there is not it tells nothing', async () => {
      const { pipeline, start, script, during, lab, ticks, pass, ended } = world();
      const graph = pipeline({ a: {} });
      script(graph, 'a', { takes: ticks(20) });
      const run = await start(graph);
      const abort = new AbortController();
      const watching = statesOf(run, abort.signal);
      await pass(ticks(3));
      abort.abort();
      const states = await during(watching);
      expect(states.length).toBeGreaterThan(0);
      expect(new Set(states.map(({ state }) => state))).toEqual(new Set(['running']));
      expect(await during(statesOf({ ...run, id: 'nobody' }))).toEqual([]);
      expect(lab.receiver.hitsOf(`${graph.name}/a`)).toHaveLength(1);
      await ended(run);
    });
  });
};
