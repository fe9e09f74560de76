/**
 * The local engine: one process, one journal file. It records before it acts, runs independent steps side by side,
 * and after a crash goes on where the journal ends: at least once, each step always with the same key.
 *
 * Fails closed: a run that cannot be recorded is not accepted; a result that cannot be recorded is kept until it can.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../clock';
import { asFailure, Failure } from '../../failure';
import type { Log } from '../../handler';
import { type Random, randomId } from '../../random';
import type { Engine, Started } from '../engine';
import { decide, next } from '../next';
import type { Pipeline, Step } from '../pipeline';
import type { Results, Run, StepResult } from '../run';
import { type Ended, type Journal, openJournal, type RunRecord } from './journal';

/** Makes one attempt of a step. Rejects only with `aborted`, when the signal aborts. */
export type Attempt = (call: {
  readonly run: RunRecord;
  readonly step: Step;
  readonly attempt: number;
  /** When the first attempt began, ms since the epoch. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
}) => Promise<AttemptOutcome>;

export type AttemptOutcome =
  | { readonly verdict: 'delivered'; readonly output?: unknown }
  | {
      readonly verdict: 'again';
      readonly error: NonNullable<
        StepResult['error']
      > /** When to try again, ms since the epoch. */;
      readonly at: number;
    }
  | { readonly verdict: 'dead'; readonly error: NonNullable<StepResult['error']> };

export interface LocalEngineOptions {
  /** The journal file. */
  readonly path: string;
  readonly attempt: Attempt;
  /** Whether a step has an address to go to. */
  readonly isConfigured: (target: Step['target']) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A run under way, in memory. `results` is ahead of the journal by at most one commit, `shown` never. */
interface LiveRun {
  readonly record: RunRecord;
  results: Results;
  shown: Run;
  readonly watchers: Set<() => void>;
}

/** Between two tries to write a journal that cannot be written, ms. */
const JOURNAL_PAUSE = 1_000;

export const localEngine = ({
  path,
  attempt,
  isConfigured,
  clock,
  random,
  log,
}: LocalEngineOptions): Engine => {
  const pipelines = new Map<string, Pipeline>();
  const live = new Map<string, LiveRun>();
  const working = new Set<Promise<void>>();
  const closing = new AbortController();
  const cutting = new AbortController();
  let opening: Promise<Journal> | undefined;

  const journal = (): Promise<Journal> => {
    opening ??= openJournal(path);
    // A file that could not be opened may be there at the next call.
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };

  const isoNow = () => new Date(clock.now()).toISOString();

  const background = (work: Promise<void>): void => {
    const guarded = work
      .catch((thrown: unknown) => {
        if (asFailure(thrown).code !== 'aborted') log.error('engine_fault', { error: thrown });
      })
      .finally(() => working.delete(guarded));
    working.add(guarded);
  };

  /** What follows from the results as they are: applied in memory, to be recorded with what led to it. */
  const move = (
    pipeline: Pipeline,
    results: Results,
  ): { changes: Results; start: readonly string[]; ended: Ended | undefined } => {
    const { start, skip, outcome } = next(pipeline, results);
    const now = isoNow();
    const changes: Record<string, StepResult> = {};
    for (const [name, reason] of Object.entries(skip))
      changes[name] = { state: 'skipped', reason, attempts: 0, endedAt: now };
    for (const name of start) changes[name] = { state: 'running', attempts: 1, startedAt: now };
    return { changes, start, ended: outcome && { state: outcome, endedAt: now } };
  };

  /** Records changes, then shows them. Stays with it while the journal cannot be written. */
  const persist = async (run: LiveRun, changes: Results, ended?: Ended): Promise<void> => {
    for (;;) {
      try {
        await (await journal()).record(run.record.id, changes, ended);
        break;
      } catch (thrown) {
        if (asFailure(thrown).code !== 'engine_unavailable') throw thrown;
        log.error('journal_unavailable', { run: run.record.id, error: thrown });
        await clock.sleep(JOURNAL_PAUSE, closing.signal);
      }
    }
    run.shown = { ...run.shown, steps: { ...run.shown.steps, ...changes }, ...ended };
    if (ended) live.delete(run.record.id);
    for (const notify of run.watchers) notify();
  };

  const settle = async (run: LiveRun, name: string, result: StepResult): Promise<void> => {
    run.results = { ...run.results, [name]: result };
    if (closing.signal.aborted) return persist(run, { [name]: result });
    const { changes, start, ended } = move(run.record.pipeline, run.results);
    run.results = { ...run.results, ...changes };
    await persist(run, { [name]: result, ...changes }, ended);
    launch(run, start);
  };

  const launch = (run: LiveRun, names: readonly string[]): void => {
    for (const name of names) {
      const step = run.record.pipeline.steps.find((one) => one.name === name);
      if (step) background(perform(run, step));
    }
  };

  /** The attempts of one step, from the one that the journal says is due. */
  const perform = async (run: LiveRun, step: Step): Promise<void> => {
    for (;;) {
      if (closing.signal.aborted) return;
      const { nextAttemptAt, error: _, ...begun } = run.results[step.name] as StepResult;
      if (nextAttemptAt !== undefined) {
        await clock.sleep(Math.max(0, Date.parse(nextAttemptAt) - clock.now()), closing.signal);
        await update(run, step.name, { ...begun, attempts: begun.attempts + 1 });
        continue;
      }
      const outcome = await attempt({
        run: run.record,
        step,
        attempt: begun.attempts,
        startedAt: Date.parse(begun.startedAt as string),
        signal: cutting.signal,
      });
      const endedAt = isoNow();
      if (outcome.verdict === 'delivered')
        return settle(run, step.name, {
          ...begun,
          state: 'succeeded',
          endedAt,
          ...(outcome.output !== undefined && { output: outcome.output }),
        });
      const { error } = outcome;
      const fields = {
        run: run.record.id,
        pipeline: run.record.pipeline.name,
        step: step.name,
        attempt: begun.attempts,
        failure: error.code,
        status: error.status,
      };
      if (outcome.verdict === 'dead') {
        log.warn('step_failed', fields);
        return settle(run, step.name, { ...begun, state: 'failed', endedAt, error });
      }
      log.info('attempt_failed', fields);
      await update(run, step.name, {
        ...begun,
        error,
        nextAttemptAt: new Date(outcome.at).toISOString(),
      });
    }
  };

  const update = (run: LiveRun, name: string, result: StepResult): Promise<void> => {
    run.results = { ...run.results, [name]: result };
    return persist(run, { [name]: result });
  };

  const revive = (record: RunRecord, results: Results): LiveRun => {
    const shown: Run = {
      id: record.id,
      pipeline: record.pipeline.name,
      state: 'running',
      steps: results,
      createdAt: record.createdAt,
    };
    const run: LiveRun = { record, results, shown, watchers: new Set() };
    live.set(record.id, run);
    return run;
  };

  const find: Engine['find'] = async (pipeline, id) => {
    const run = live.get(id);
    if (run)
      return run.record.pipeline.name === pipeline
        ? inOrder(run.record.pipeline, run.shown)
        : undefined;
    const found = await (await journal()).find(pipeline, id);
    return found && inOrder(pipelines.get(pipeline), found);
  };

  return {
    register: (pipeline) => {
      if (pipelines.has(pipeline.name))
        throw new TypeError(`there are two pipelines named ${pipeline.name}`);
      pipelines.set(pipeline.name, pipeline);
    },

    open: async () => void (await journal()),

    start: async (name, input, { idempotencyKey, traceparent }): Promise<Started> => {
      const pipeline = pipelines.get(name);
      if (!pipeline) throw new TypeError(`there is no pipeline ${name}`);
      if (closing.signal.aborted)
        throw new Failure('stopping', { headers: { 'retry-after': '1' } });
      const record: RunRecord = {
        id: randomId(random),
        pipeline,
        input,
        traceparent,
        createdAt: isoNow(),
      };
      const decided = decide(pipeline, input, isConfigured);
      const { changes, start, ended } = move(pipeline, decided);
      const results = { ...decided, ...changes };
      const key = idempotencyKey === undefined ? undefined : digest(idempotencyKey);
      const accepted = await (await journal()).accept({
        ...record,
        key,
        fingerprint: digest(JSON.stringify(input)),
        results,
        ended,
      });
      if (accepted === 'mismatch') return accepted;
      if (accepted !== 'accepted')
        return { run: (await find(name, accepted.id)) ?? accepted, created: false };
      const run = revive(record, results);
      if (ended) {
        run.shown = { ...run.shown, ...ended };
        live.delete(record.id);
      } else launch(run, start);
      return { run: inOrder(pipeline, run.shown), created: true };
    },

    find,

    settled: async (pipeline, id, signal) => {
      const run = live.get(id);
      if (run) await ended(run, AbortSignal.any([signal, closing.signal]));
      return find(pipeline, id);
    },

    resume: async () => {
      const open = await (await journal()).open();
      for (const { results, ...record } of open) {
        if (live.has(record.id)) continue;
        const run = revive(record, results);
        launch(
          run,
          Object.keys(results).filter((name) => results[name]?.state === 'running'),
        );
        // A stop may have recorded a result without what follows from it.
        const { changes, start, ended } = move(record.pipeline, results);
        if (Object.keys(changes).length === 0 && !ended) continue;
        run.results = { ...run.results, ...changes };
        background(persist(run, changes, ended).then(() => launch(run, start)));
      }
      if (open.length > 0) log.info('runs_resumed', { count: open.length });
    },

    close: async (signal) => {
      closing.abort(new Failure('stopping'));
      const cut = () => cutting.abort(new Failure('stopping'));
      if (signal.aborted) cut();
      else signal.addEventListener('abort', cut, { once: true });
      while (working.size > 0) await Promise.all(working);
      signal.removeEventListener('abort', cut);
      if (opening) await (await opening).close();
    },
  };
};

/** Resolves when the run has ended or the signal aborts. */
const ended = (run: LiveRun, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const check = () => {
      if (run.shown.state === 'running' && !signal.aborted) return;
      run.watchers.delete(check);
      signal.removeEventListener('abort', check);
      resolve();
    };
    run.watchers.add(check);
    signal.addEventListener('abort', check);
    check();
  });

/** Steps in the order of the file, so that a reader sees them as they were written. */
const inOrder = (pipeline: Pipeline | undefined, run: Run): Run => {
  const order = new Map(pipeline?.steps.map(({ name }, index) => [name, index]));
  const steps = Object.entries(run.steps).sort(
    ([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0),
  );
  return { ...run, steps: Object.fromEntries(steps) };
};

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
