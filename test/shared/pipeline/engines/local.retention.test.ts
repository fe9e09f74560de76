/** Runs whose time is over leave: with all that is known of them, out of every file, while others go on. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { Failure } from '../../../../shared/failure';
import { digest } from '../../../../shared/pipeline/engines/digest';
import { openJournal } from '../../../../shared/pipeline/engines/journal';
import { APPLICATION_ID, MIGRATIONS } from '../../../../shared/pipeline/engines/journal-schema';
import { begin } from '../../../../shared/pipeline/machine/begin';
import type { Run } from '../../../../shared/pipeline/run';
import { openDatabase } from '../../../../shared/sqlite';
import { manualClock } from '../../../support/manual-clock';
import {
  createFolder,
  createLab,
  DEAD,
  DELIVERED,
  type Lab,
  type LabOptions,
  now,
  pipelineOf,
  TRACEPARENT,
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
const RETENTION = 600_000;
const ROUND = 30_000;
const short = (steps: Parameters<typeof pipelineOf>[0] = { a: {} }, name = 'signup') =>
  pipelineOf(steps, name, { retention: RETENTION });

/** Which of these texts stand in any file of the journal. */
const traces = (path: string, texts: readonly string[]): string[] => {
  const copy = folder.copy(path);
  const bytes = readdirSync(copy).map((name) => readFileSync(join(copy, name)));
  return texts.filter((text) => bytes.some((file) => file.includes(text)));
};
const rowsOf = async (path: string): Promise<Readonly<Record<string, number>>> => {
  const database = await openDatabase({
    path: join(folder.copy(path), 'runs.db'),
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
  });
  const counts = await database.read((db) =>
    Object.fromEntries(
      ['runs', 'steps', 'dead_letters', 'graphs'].map((table) => [
        table,
        db.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count ?? -1,
      ]),
    ),
  );
  await database.close();
  return counts;
};

describe('a run whose time is over', () => {
  test('is gone within a round, and not a moment before; whatever its end', async () => {
    const pipeline = short({
      a: {},
      ask: { target: { wait: 'x' }, timeout: 80_000_000, required: false },
    });
    const one = lab({
      pipeline,
      script: ({ run }) => ((run.input as { fails?: boolean }).fails ? DEAD : DELIVERED),
    });
    await one.engine.resume();
    const [succeeds, fails, cancelled, open] = [
      await one.start(),
      await one.start({ fails: true }),
      await one.start(),
      await one.start(),
    ];
    await one.engine.signal('signup', succeeds.id, 'ask', {});
    await one.engine.cancel('signup', cancelled.id, { by: 'ada', reason: 'r' });
    const ended = [succeeds, fails, cancelled];
    for (const run of ended) await one.ended(run);
    await one.pass(RETENTION - 10_000);
    for (const run of ended) expect(await one.find(run)).toBeDefined();
    await one.pass(10_000 + ROUND);
    for (const run of ended) {
      expect(await one.find(run)).toBeUndefined();
      expect(await one.engine.inspect('signup', run.id)).toBeUndefined();
    }
    expect((await one.engine.list({ pipeline: 'signup' })).runs.map(({ id }) => id)).toEqual([
      open.id,
    ]);
    expect((await one.engine.deadLetters({ pipeline: 'signup' })).deadLetters).toEqual([]);
    expect(one.lines).toContainEqual({
      severity: 'info',
      message: 'runs_expired',
      fields: { count: 3 },
    });
  });

  test('counts its time from its end, and anew from that of a replay', async () => {
    const one = lab({ pipeline: short({ a: { delay: 2 * RETENTION } }) });
    await one.engine.resume();
    const run = await one.start();
    await one.pass(2 * RETENTION + 10_000);
    await one.ended(run);
    await one.pass(RETENTION - 60_000);
    await one.engine.replay('signup', run.id, { by: 'ada', reason: 'r', resend: true });
    // Longer than it was to be kept.
    await one.pass(2 * RETENTION - 10_000);
    expect((await one.find(run)).state).toBe('running');
    await one.pass(60_000);
    expect((await one.ended(run)).state).toBe('succeeded');
    await one.pass(RETENTION - 60_000);
    expect(await one.find(run)).toBeDefined();
    await one.pass(60_000 + 2 * ROUND);
    expect(await one.find(run)).toBeUndefined();
  });

  test('frees its idempotency key', async () => {
    const one = lab({ pipeline: short() });
    await one.engine.resume();
    const run = await one.start({ n: 1 }, 'key');
    await one.ended(run);
    await one.pass(RETENTION + ROUND);
    const next = await one.start({ n: 2 }, 'key');
    expect(next.id).not.toBe(run.id);
  });

  test('goes by the graph it was started with, whatever the file says by now', async () => {
    const path = folder.file();
    const before = lab({ path, pipeline: short() });
    const run = await before.ended(await before.start());
    await before.engine.close(now());
    const one = lab({ path, pipeline: pipelineOf({ a: {}, b: {} }) });
    await one.engine.resume();
    await one.pass(RETENTION + ROUND);
    expect(await one.find(run)).toBeUndefined();
  });

  test('takes its graph with it when it is the last of it, and nothing of others', async () => {
    const path = folder.file();
    const [old, current] = [short({ secretive: {} }), pipelineOf({ a: {} })];
    const before = lab({ path, pipeline: old });
    for (let index = 0; index < 3; index += 1) await before.ended(await before.start());
    await before.engine.close(now());
    const one = lab({ path, pipeline: current, clock: manualClock(START + 1_000) });
    await one.engine.resume();
    const run = await one.ended(await one.start());
    expect(await rowsOf(path)).toMatchObject({ runs: 4, graphs: 2 });
    await one.pass(RETENTION + ROUND);
    expect(await rowsOf(path)).toEqual({ runs: 1, steps: 1, dead_letters: 0, graphs: 1 });
    expect(traces(path, ['secretive', old.hash, current.hash])).toEqual([current.hash]);
    expect(await one.find(run)).toEqual(run);
    // The graph comes back with the next run of it.
    await one.engine.close(now());
    const two = lab({ path, pipeline: old, clock: manualClock(START + RETENTION + 60_000) });
    expect((await two.ended(await two.start())).graph).toBe(old.hash);
  });

  test('leaves no bytes in any file: input, key, output, kept, reasons, and what else there was', async () => {
    const path = folder.file();
    const pipelines = {
      short: short({ a: { expose: ['/o'] }, b: { after: ['a'], required: false } }),
      long: pipelineOf({ a: { expose: ['/o'] }, b: { after: ['a'], required: false } }, 'long'),
    };
    const one = lab({
      path,
      pipeline: pipelines.short,
      script: ({ run, step, attempt }) => {
        const { who } = run.input as { who: string };
        if (step.name === 'b' && attempt === 1)
          return { verdict: 'again', error: { code: `code-of-${who}` }, at: START + 1_000 };
        if (step.name === 'b') return { verdict: 'dead', error: { code: `last-of-${who}` } };
        return {
          verdict: 'delivered',
          output: { o: `output-of-${who}` },
          kept: { '/k': `kept-of-${who}-${'x'.repeat(500)}` },
        };
      },
    });
    one.engine.register(pipelines.long);
    await one.engine.resume();
    const texts: Record<'short' | 'long', string[]> = { short: [], long: [] };
    const runs: Run[] = [];
    /** Large and small, in turn, so that they lie beside and across each other. */
    const start = async (name: 'short' | 'long', index: number) => {
      const who = `${name}-${index}-`;
      const key = `key-of-${who}`;
      const input = { who, text: `input-of-${who}`, fill: 'y'.repeat((index % 7) * 900) };
      const idempotency = { idempotencyKey: key, traceparent: TRACEPARENT };
      const started = await one.engine.start(
        name === 'short' ? 'signup' : 'long',
        input,
        idempotency,
      );
      if (started === 'mismatch') throw new Error('no');
      runs.push(started.run);
      const parts = ['input', 'key', 'output', 'kept', 'code', 'last'];
      texts[name].push(...parts.map((part) => `${part}-of-${who}`), digest(key), started.run.id);
    };
    for (let index = 0; index < 300; index += 10)
      await Promise.all(
        Array.from({ length: 10 }, (_, i) => start(i % 2 ? 'long' : 'short', index + i)),
      );
    await one.until(async () =>
      (await Promise.all(runs.map(one.find))).every((run) => run.steps.b?.nextAttemptAt),
    );
    await one.pass(10_000);
    for (const run of runs) await one.ended(run);
    const noted = { by: 'who-short', reason: 'reason-of-short' };
    await one.engine.replay('signup', runs[0]?.id as string, noted);
    await one.pass(10_000);
    await one.ended(runs[0] as Run);
    texts.short.push('who-short', 'reason-of-short');
    // Keys are never written down, and what the first attempt came to has been overwritten.
    const written = (list: readonly string[]) =>
      list.filter((text) => !/^(key|code)-of/.test(text));
    // The test would prove nothing if they had not been there.
    expect(traces(path, written(texts.short))).toEqual(written(texts.short));
    expect(
      traces(
        path,
        texts.short.filter((text) => text.startsWith('key-of')),
      ),
    ).toEqual([]);
    await one.pass(2 * RETENTION);
    expect(traces(path, texts.short)).toEqual([]);
    expect(traces(path, written(texts.long))).toEqual(written(texts.long));
    const left = await one.engine.list({ pipeline: 'long', limit: 500 });
    expect(left.runs).toHaveLength(150);
  }, 60_000);

  test('gives its room back to the disk, while others go on', async () => {
    const path = folder.file();
    const pipeline = short({ a: {} });
    const one = lab({ path, pipeline });
    await one.engine.resume();
    for (let index = 0; index < 400; index += 50)
      await Promise.all(Array.from({ length: 50 }, () => one.start({ text: 'x'.repeat(20_000) })));
    await one.pass(10_000);
    const before = statSync(path).size + statSync(`${path}-wal`).size;
    expect(before).toBeGreaterThan(8_000_000);
    const others: Run[] = [];
    const going = async () => {
      while (one.clock.now() < START + RETENTION + 2 * ROUND) {
        others.push(...(await Promise.all(Array.from({ length: 30 }, () => one.start()))));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([going(), one.pass(RETENTION + 2 * ROUND)]);
    await one.until(async () => (await one.find(others.at(-1) as Run)).state === 'succeeded');
    // It goes in small steps between those of the others; what ended a little later goes in a later round.
    await one.until(async () => {
      await one.pass(ROUND);
      return statSync(path).size < before / 4;
    });
    expect(others.length).toBeGreaterThanOrEqual(60);
  }, 60_000);

  test('gives all of it back at once', async () => {
    const path = folder.file();
    const one = lab({ path, pipeline: short() });
    for (let index = 0; index < 400; index += 50)
      await Promise.all(Array.from({ length: 50 }, () => one.start({ text: 'x'.repeat(20_000) })));
    await one.until(async () => one.calls.length === 400);
    await one.engine.close(AbortSignal.timeout(5_000));
    expect(statSync(path).size).toBeGreaterThan(8_000_000);
    const journal = await openJournal(path);
    expect(await journal.sweep(START + RETENTION)).toBe(400);
    expect(statSync(path).size).toBeLessThan(200_000);
    expect(await journal.sweep(START + RETENTION)).toBe(0);
    await journal.close();
  }, 60_000);

  test('leaves nothing either when the process died between taking it out and wiping it out', async () => {
    const path = folder.file();
    const before = lab({ path, pipeline: short() });
    const run = await before.ended(await before.start({ text: 'ada-was-here' }));
    await before.engine.close(now());
    // As a sweep leaves it that was killed before its checkpoint.
    const database = await openDatabase({
      path,
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
    });
    await database.write((db) => db.exec("UPDATE runs SET traceparent = 'ada-was-here'"));
    await database.write((db) => db.exec('DELETE FROM steps; DELETE FROM runs'));
    const copy = join(folder.copy(path), 'runs.db');
    await database.close();
    expect(traces(copy, ['ada-was-here'])).toEqual(['ada-was-here']);
    const one = lab({ path: copy, pipeline: short(), clock: manualClock(START + 1_000) });
    await one.engine.resume();
    await one.pass(ROUND);
    expect(await one.find(run)).toBeUndefined();
    expect(traces(copy, ['ada-was-here'])).toEqual([]);
  });

  test('is tried again when the disk did not take it', async () => {
    let refuses = true;
    const one = lab({
      pipeline: short(),
      wrap: (journal) => ({
        ...journal,
        sweep: (at) =>
          refuses ? Promise.reject(new Failure('engine_unavailable')) : journal.sweep(at),
      }),
    });
    await one.engine.resume();
    const run = await one.ended(await one.start());
    await one.pass(RETENTION + ROUND);
    expect(await one.find(run)).toBeDefined();
    expect(one.lines).toContainEqual(
      expect.objectContaining({ severity: 'error', message: 'journal_unavailable' }),
    );
    refuses = false;
    await one.pass(2 * ROUND);
    expect(await one.find(run)).toBeUndefined();
  });

  test('does not come back when somebody runs it again in that very moment', async () => {
    const path = folder.file();
    const journal = await openJournal(path);
    const pipeline = short({ a: {} });
    const record = {
      id: 'r'.repeat(22),
      pipeline,
      input: { text: 'ada-was-here' },
      traceparent: TRACEPARENT,
      createdAt: new Date(START).toISOString(),
    };
    const first = begin(pipeline, { input: {}, isConfigured: () => true, now: START });
    const ended = { ...first, state: 'failed', endedAt: record.createdAt } as const;
    const run = { serial: 1, record, progress: ended, dueAt: 0 };
    await journal.accept({ ...run, key: undefined, fingerprint: 'f' });
    const results = { a: { state: 'pending' as const, attempts: 0 } };
    const [swept, replayed] = await Promise.allSettled([
      journal.sweep(START + RETENTION),
      journal.record(() => ({ ...run, progress: { ...first, results }, saved: ended })),
    ]);
    expect(swept).toEqual({ status: 'fulfilled', value: 1 });
    expect(replayed).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } });
    await journal.close();
    expect(await rowsOf(path)).toEqual({ runs: 0, steps: 0, dead_letters: 0, graphs: 0 });
  });
});

test('an upgrade leaves nothing of the steps that are gone', async () => {
  const path = folder.file();
  const steps = { a: {}, b: { after: ['a'] } };
  const before = lab({
    path,
    pipeline: pipelineOf({ ...steps, old: { after: ['b'] } }),
    script: ({ step }) => (step.name === 'b' ? DEAD : DELIVERED),
  });
  const run = await before.ended(await before.start());
  await before.engine.close(now());
  expect(await rowsOf(path)).toMatchObject({ steps: 3, dead_letters: 1 });
  const one = lab({ path, pipeline: pipelineOf(steps) });
  await one.engine.replay('signup', run.id, { by: 'ada', reason: 'r', upgrade: true });
  await one.ended(run);
  expect(await rowsOf(path)).toMatchObject({ runs: 1, steps: 2, dead_letters: 0 });
});

test('of a run that is gone nothing can be asked any more, and its place may be taken', async () => {
  const path = folder.file();
  const one = lab({ path, pipeline: short() });
  await one.engine.resume();
  const run = await one.ended(await one.start());
  await one.pass(RETENTION + ROUND);
  const order = { by: 'ada', reason: 'r' };
  for (const told of [
    await one.engine.replay('signup', run.id, order),
    await one.engine.cancel('signup', run.id, order),
    await one.engine.signal('signup', run.id, 'a', {}),
  ])
    expect(told).toMatchObject({ refused: { code: 'not_found' } });
  // Its place in the journal may be taken by the next, which is another run.
  const next = await one.ended(await one.start());
  expect(next.id).not.toBe(run.id);
  expect((await one.engine.list({ pipeline: 'signup' })).runs).toHaveLength(1);
});
