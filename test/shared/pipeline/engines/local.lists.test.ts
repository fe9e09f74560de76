/** Lists of runs and of dead letters: newest first, page by page, while others come and go. */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { DeadLetterQuery, RunQuery } from '../../../../shared/pipeline/engine';
import type { Run } from '../../../../shared/pipeline/run';
import {
  createFolder,
  createLab,
  DEAD,
  DELIVERED,
  type Lab,
  type LabOptions,
  now,
  pipelineOf,
  UNDO,
} from './lab';

const folder = createFolder();
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
const one = pipelineOf({ a: {} });

/** Ids, page by page, with something that happens between two pages. */
const ids = async (
  { engine }: Lab,
  query: Partial<RunQuery> = {},
  between: () => Promise<unknown> = async () => undefined,
): Promise<string[]> => {
  const found: string[] = [];
  for (let after: string | undefined, pages = 0; ; pages += 1) {
    if (pages > 1_000) throw new Error('the pages do not end');
    const page = await engine.list({ pipeline: 'signup', limit: 3, ...query, after });
    expect(page.runs.length).toBeLessThanOrEqual(query.limit ?? 3);
    found.push(...page.runs.map(({ id }) => id));
    if (page.next === undefined) return found;
    expect(page.runs).toHaveLength(query.limit ?? 3);
    after = page.next;
    await between();
  }
};
const reversed = (runs: readonly Run[]) => runs.map(({ id }) => id).reverse();

describe('the list of runs', () => {
  test('is empty where there is none', async () => {
    expect(await lab({ pipeline: one }).engine.list({ pipeline: 'signup' })).toEqual({ runs: [] });
  });

  test('tells of each what it is, and nothing of its input or steps', async () => {
    const here = lab({ pipeline: one, script: () => undefined });
    const run = await here.start({ secret: 'ada' });
    const { steps: _, ...summary } = run;
    expect(await here.engine.list({ pipeline: 'signup' })).toEqual({ runs: [summary] });
    here.end('a 1', DELIVERED);
    const { steps: __, ...ended } = await here.ended(run);
    expect(await here.engine.list({ pipeline: 'signup' })).toEqual({ runs: [ended] });
  });

  test.each([1, 2, 3, 7, 10, 500])('is newest first, each once, %d to a page', async (limit) => {
    const here = lab({ pipeline: one });
    const runs: Run[] = [];
    for (let index = 0; index < 10; index += 1) {
      runs.push(await here.start());
      // Several in the same millisecond.
      if (index % 4 === 3) await here.clock.advance(1_000);
    }
    expect(await ids(here, { limit })).toEqual(reversed(runs));
  });

  test('gives fifty to a page when nobody says how many', async () => {
    const here = lab({ pipeline: one });
    await Promise.all(Array.from({ length: 51 }, () => here.start()));
    const page = await here.engine.list({ pipeline: 'signup' });
    expect(page.runs).toHaveLength(50);
    expect((await here.engine.list({ pipeline: 'signup', after: page.next })).runs).toHaveLength(1);
  });

  test('of a state holds those and no others, in order', async () => {
    const pipeline = pipelineOf({ a: {}, ask: { target: { wait: 'x' }, after: ['a'] } });
    const here = lab({
      pipeline,
      script: ({ run }) => ((run.input as { fails?: boolean }).fails ? DEAD : DELIVERED),
    });
    const runs: Run[] = [];
    for (let index = 0; index < 12; index += 1) {
      const run = await here.start({ fails: index % 4 === 0 });
      runs.push(run);
      await here.until(async () => (await here.find(run)).steps.a?.state !== 'running');
      if (index % 4 === 1) await here.engine.signal('signup', run.id, 'ask', {});
      if (index % 4 === 2)
        await here.engine.cancel('signup', run.id, { by: 'ada', reason: 'a reason' });
    }
    const states = ['failed', 'succeeded', 'cancelled', 'running'] as const;
    for (const [rest, state] of states.entries())
      expect(await ids(here, { state, limit: 2 })).toEqual(
        reversed(runs.filter((_, index) => index % 4 === rest)),
      );
    expect(await ids(here)).toEqual(reversed(runs));
  });

  test('between two instants holds the first and not the last', async () => {
    const here = lab({ pipeline: one });
    const runs: Run[] = [];
    for (let index = 0; index < 9; index += 1) {
      runs.push(await here.start());
      if (index % 2 === 1) await here.clock.advance(1_000);
    }
    const at = ({ createdAt }: Run) => (Date.parse(createdAt) - START) / 1_000;
    for (const since of [undefined, 0, 1, 2, 9])
      for (const until of [undefined, 0, 1, 3, 9])
        expect(
          await ids(here, {
            limit: 2,
            ...(since !== undefined && { since: START + since * 1_000 }),
            ...(until !== undefined && { until: START + until * 1_000 }),
          }),
        ).toEqual(
          reversed(runs.filter((run) => at(run) >= (since ?? 0) && at(run) < (until ?? 99))),
        );
  });

  test('ends where it is told to, also behind a cursor of that very instant', async () => {
    const here = lab({ pipeline: one });
    const early = await here.start();
    await here.clock.advance(1_000);
    for (let index = 0; index < 4; index += 1) await here.start();
    const { next } = await here.engine.list({ pipeline: 'signup', limit: 2 });
    const page = await here.engine.list({
      pipeline: 'signup',
      after: next,
      until: START + 1_000,
    });
    expect(page.runs.map(({ id }) => id)).toEqual([early.id]);
  });

  test('is of one pipeline', async () => {
    const here = lab({ pipeline: one });
    here.engine.register(pipelineOf({ a: {} }, 'other'));
    const run = await here.start();
    await here.engine.start('other', {}, { traceparent: run.id });
    expect(await ids(here)).toEqual([run.id]);
    expect(await ids(here, { pipeline: 'nobody' })).toEqual([]);
  });

  test('gives each that was there once, however many come in, end, or run again meanwhile', async () => {
    const here = lab({ pipeline: one, script: ({ attempt }) => (attempt > 9 ? DEAD : DELIVERED) });
    const runs: Run[] = [];
    for (let index = 0; index < 60; index += 1) runs.push(await here.start());
    for (const run of runs) await here.ended(run);
    const replays = runs.values();
    const found = await ids(here, { limit: 7 }, async () => {
      await Promise.all([here.start(), here.start(), here.clock.advance(1)]);
      const { id } = replays.next().value as Run;
      const order = { by: 'ada', reason: 'r', resend: true };
      await here.engine.replay('signup', id, order);
    });
    expect(found.filter((id) => runs.some((run) => run.id === id))).toEqual(reversed(runs));
    expect(new Set(found).size).toBe(found.length);
  });

  test('begins anew with a cursor that it never gave', async () => {
    const here = lab({ pipeline: one });
    const runs = [await here.start(), await here.start()];
    for (const after of ['', 'x', '1', '1.', '.1', '1.x', '-1.1', "1.1' OR 1", '1e9.1', '1.1.1'])
      expect(await ids(here, { limit: 9 })).toEqual(
        (await here.engine.list({ pipeline: 'signup', after })).runs.map(({ id }) => id),
      );
    expect(await ids(here)).toEqual(reversed(runs));
    expect(await here.engine.list({ pipeline: 'signup', after: '0.0' })).toEqual({ runs: [] });
  });

  test('is the same after a restart', async () => {
    const path = folder.file();
    const before = lab({ path, pipeline: one });
    for (let index = 0; index < 10; index += 1) await before.start();
    const expected = await ids(before);
    await before.engine.close(now());
    const here = lab({ path, pipeline: one });
    expect(await ids(here)).toEqual(expected);
    await here.start();
    expect((await ids(here)).slice(1)).toEqual(expected);
  });
});

describe('the list of dead letters', () => {
  const pipeline = pipelineOf({
    a: {},
    b: { required: false },
    c: { required: false },
  });
  const letters = async (
    { engine }: Lab,
    query: Partial<DeadLetterQuery> = {},
    between: () => Promise<unknown> = async () => undefined,
  ): Promise<string[]> => {
    const found: string[] = [];
    for (let after: string | undefined, pages = 0; ; pages += 1) {
      if (pages > 1_000) throw new Error('the pages do not end');
      const page = await engine.deadLetters({ pipeline: 'signup', limit: 2, ...query, after });
      found.push(...page.deadLetters.map(({ run, step }) => `${run} ${step}`));
      if (page.next === undefined) return found;
      after = page.next;
      await between();
    }
  };
  /** A run of which the steps named in its input fail, each with a code of its own. */
  const script: LabOptions['script'] = ({ run, step }) => {
    const fails = (run.input as { fails: string[] }).fails.includes(step.name);
    return fails ? { verdict: 'dead', error: { code: `of_${step.name}`, status: 422 } } : DELIVERED;
  };
  const failing = async (here: Lab, ...fails: string[]): Promise<Run> =>
    here.ended(await here.start({ fails }));
  const of = (runs: readonly Run[], ...steps: string[]) =>
    runs.toReversed().flatMap(({ id }) => steps.map((step) => `${id} ${step}`));

  test('names the run, the step, its graph, how often and why, and when', async () => {
    const here = lab({ pipeline, script });
    await here.clock.advance(1_000);
    const run = await failing(here, 'b');
    expect(await here.engine.deadLetters({ pipeline: 'signup' })).toEqual({
      deadLetters: [
        {
          run: run.id,
          step: 'b',
          graph: pipeline.hash,
          attempts: 1,
          failedAt: '2026-01-01T00:00:01.000Z',
          error: { code: 'of_b', status: 422 },
        },
      ],
    });
  });

  test('is newest runs first, by step and by code, each once, over pages', async () => {
    const here = lab({ pipeline, script });
    const runs: Run[] = [];
    for (let index = 0; index < 5; index += 1) runs.push(await failing(here, 'b', 'c'));
    await failing(here);
    expect(await letters(here)).toEqual(of(runs, 'b', 'c'));
    expect(await letters(here, { step: 'c' })).toEqual(of(runs, 'c'));
    expect(await letters(here, { code: 'of_b' })).toEqual(of(runs, 'b'));
    expect(await letters(here, { step: 'c', code: 'of_b' })).toEqual([]);
    expect(await letters(here, { step: 'c', code: 'of_c', limit: 1 })).toEqual(of(runs, 'c'));
    expect(await letters(here, { pipeline: 'other' })).toEqual([]);
    expect(await letters(here, { step: "' OR 1=1 --" })).toEqual([]);
  });

  test('gives each that was there once, while others come in', async () => {
    const here = lab({ pipeline, script });
    const runs: Run[] = [];
    for (let index = 0; index < 8; index += 1) runs.push(await failing(here, 'b', 'c'));
    const found = await letters(here, { limit: 3 }, () => failing(here, 'b'));
    expect(found).toEqual(of(runs, 'b', 'c'));
  });

  test('holds a letter until it is run again, and again when it fails again', async () => {
    let mended = false;
    const here = lab({ pipeline, script: (call) => (mended ? DELIVERED : script(call)) });
    const run = await failing(here, 'b', 'c');
    const again = async (step: string) => {
      await here.engine.replay('signup', run.id, { by: 'ada', reason: 'r', step });
      await here.ended(run);
    };
    await again('b');
    expect(await letters(here)).toEqual(of([run], 'b', 'c'));
    mended = true;
    await again('b');
    expect(await letters(here)).toEqual(of([run], 'c'));
    await again('c');
    expect(await letters(here)).toEqual([]);
  });

  test('holds what could not be taken back, under the reason of that', async () => {
    const here = lab({
      pipeline: pipelineOf({ a: { undo: UNDO }, b: { after: ['a'] } }),
      script: ({ label }) => {
        if (label === 'b 1') return DEAD;
        return label === 'a 1'
          ? DELIVERED
          : { verdict: 'dead', error: { code: 'target_gone', status: 410 } };
      },
    });
    const run = await here.ended(await here.start());
    const { deadLetters } = await here.engine.deadLetters({ pipeline: 'signup', step: 'a' });
    expect(deadLetters).toMatchObject([
      { run: run.id, step: 'a', attempts: 1, error: { code: 'target_gone', status: 410 } },
    ]);
    expect(await letters(here, { code: 'target_gone' })).toEqual(of([run], 'a'));
    expect(await letters(here)).toEqual(of([run], 'a', 'b'));
  });

  test('loses those of steps that are gone with an upgrade', async () => {
    const path = folder.file();
    const old = pipelineOf({ a: {}, b: { required: false }, z: { required: false } });
    const before = lab({ path, pipeline: old, script });
    const run = await failing(before, 'a', 'z');
    await before.engine.close(now());
    const fits = pipelineOf({ a: {}, b: { required: false } });
    const here = lab({ path, pipeline: fits, script });
    const order = { by: 'ada', reason: 'r', step: 'a', upgrade: true };
    const told = await here.engine.replay('signup', run.id, order);
    // A letter is of a step that has begun: the graph without it does not fit.
    expect(told).toMatchObject({ refused: { code: 'graph_conflict' } });
    expect(await letters(here)).toEqual(of([run], 'a', 'z'));
  });

  test('begins anew with a cursor that it never gave', async () => {
    const here = lab({ pipeline, script });
    await failing(here, 'b');
    for (const after of ['', 'x', '1', '1.', '.b', '1.B', '1.b.c', "1.b'"])
      expect(
        (await here.engine.deadLetters({ pipeline: 'signup', after })).deadLetters,
      ).toHaveLength(1);
  });
});
