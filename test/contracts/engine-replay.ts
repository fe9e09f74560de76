/** Runs that have ended, running again. */
import { describe, expect, test } from '@jest/globals';
import type { Pipeline } from '../../shared/pipeline/pipeline';
import type { Run } from '../../shared/pipeline/run';
import { type StepFields, standing, type World } from './engine-world';

export const replaying = (world: () => World): void => {
  /** A run of `a` to `d` in which `b` has failed: `c` comes after it and was not reached, `d` is on its own. */
  const failed = async (fields: StepFields = {}): Promise<{ graph: Pipeline; run: Run }> => {
    const { pipeline, start, script, ended } = world();
    const graph = pipeline({ a: fields, b: { after: ['a'] }, c: { after: ['b'] }, d: {} });
    script(graph, 'b', { status: 422 });
    const run = await ended(await start(graph));
    expect(run.state).toBe('failed');
    return { graph, run };
  };
  const refusal = async (run: Run, order: object): Promise<string | undefined> => {
    const { lab, during } = world();
    const told = await during(
      lab.engine.replay(run.pipeline, run.id, { by: 'ada', reason: 'a test', ...order }),
    );
    return 'refused' in told ? told.refused.code : undefined;
  };

  describe('a replay', () => {
    test('of all runs what failed and what was not reached, under the same keys; a success is never sent again', async () => {
      const { replay, ended, keys } = world();
      const { run } = await failed();
      const again = await replay(run, { by: 'grace', reason: 'it works now' });
      expect(again).toMatchObject({ id: run.id, state: 'running' });
      const end = await ended(run);
      expect(end.state).toBe('succeeded');
      expect(end.replays).toEqual([
        {
          at: expect.any(String),
          by: 'grace',
          reason: 'it works now',
          steps: ['b', 'c'],
          resend: false,
        },
      ]);
      expect(keys(run, 'a')).toEqual(['a']);
      expect(keys(run, 'b')).toEqual(['b', 'b']);
      expect(keys(run, 'c')).toEqual(['c']);
      expect(keys(run, 'd')).toEqual(['d']);
    });

    test('of one step runs that one; with what comes after it, that too', async () => {
      const { replay, ended, keys } = world();
      const { run } = await failed();
      await replay(run, { step: 'b' });
      const one = await ended(run);
      expect(standing(one)).toMatchObject({ b: 'succeeded', c: 'skipped upstream' });
      expect(one.state).toBe('failed');
      expect(keys(run, 'c')).toEqual([]);
      const other = await failed();
      await replay(other.run, { step: 'b', downstream: true });
      expect((await ended(other.run)).state).toBe('succeeded');
      expect(keys(other.run, 'c')).toEqual(['c']);
    });

    test('that is to send again has a key of the next generation, also for what had succeeded', async () => {
      const { replay, ended, keys } = world();
      const { run } = await failed();
      await replay(run, { resend: true });
      const end = await ended(run);
      expect(end.state).toBe('succeeded');
      expect(keys(run, 'a')).toEqual(['a', 'a:2']);
      expect(keys(run, 'b')).toEqual(['b', 'b:2']);
      expect(keys(run, 'c')).toEqual(['c:2']);
      await replay(run, { step: 'a', resend: true });
      await ended(run);
      expect(keys(run, 'a')).toEqual(['a', 'a:2', 'a:3']);
      expect(keys(run, 'b')).toHaveLength(2);
    });

    test('of what was taken back sends it under a new key, and takes that back under a new one as well', async () => {
      const { replay, ended, keys, script } = world();
      const { graph, run } = await failed({ undo: {} });
      expect(standing(run)).toMatchObject({ a: 'succeeded undo succeeded' });
      script(graph, 'b', { status: 422 }, { status: 422 });
      await replay(run);
      const end = await ended(run);
      expect(end.state).toBe('failed');
      expect(keys(run, 'a')).toEqual(['a', 'a:2']);
      expect(keys(run, 'a/undo')).toEqual(['a:undo', 'a:2:undo']);
      expect(keys(run, 'b')).toEqual(['b', 'b']);
    });

    test('is refused where it makes no sense, and leaves the run as it is', async () => {
      const { pipeline, start, ended, find, script, ticks } = world();
      const { run } = await failed();
      expect(await refusal(run, { step: 'nobody' })).toBe('unknown_step');
      expect(await refusal(run, { step: 'c' })).toBe('replay_blocked');
      expect(await refusal(run, { step: 'a' })).toBe('nothing_to_replay');
      expect(await refusal({ ...run, id: 'nobody' }, {})).toBe('not_found');
      expect(await find(run)).toEqual(run);
      const graph = pipeline({ a: {} });
      script(graph, 'a', { takes: ticks(10) });
      const long = await start(graph);
      expect(await refusal(long, {})).toBe('run_not_ended');
      expect(await refusal(await ended(long), {})).toBe('nothing_to_replay');
    });

    test('of two at once is one', async () => {
      const { ended, keys } = world();
      const { run } = await failed();
      const told = await Promise.all([refusal(run, {}), refusal(run, {})]);
      expect(told.sort()).toEqual(['run_not_ended', undefined]);
      const end = await ended(run);
      expect(end.replays).toHaveLength(1);
      expect(keys(run, 'b')).toEqual(['b', 'b']);
    });

    test('that has failed can be had again, and watchers of the new passage see its end', async () => {
      const { replay, ended, script, reaches } = world();
      const { graph, run } = await failed();
      script(graph, 'b', { status: 422 }, { status: 422 });
      await replay(run);
      const seen = await reaches(run, ({ state }) => state !== 'running');
      expect(seen).toMatchObject({ state: 'failed', replays: [{ steps: ['b', 'c'] }] });
      await replay(run);
      const end = await ended(run);
      expect(end.state).toBe('succeeded');
      expect(end.replays).toHaveLength(2);
    });
  });
};
