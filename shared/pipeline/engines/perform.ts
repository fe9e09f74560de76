/**
 * Carries the steps of live runs through: one attempt after the other, each recorded before it is made, then what
 * follows from how it ended. At least once: an attempt that was cut is made again, under the same number and key.
 */
import type { Clock } from '../../clock';
import { asFailure } from '../../failure';
import type { Log } from '../../handler';
import type { Attempt, AttemptOutcome } from '../attempt';
import type { Step } from '../pipeline';
import type { StepResult } from '../run';
import type { Gate } from './gate';
import { advance, type LiveRun, put } from './live-run';
import type { Recorder } from './recorder';
import type { SignalGroup } from './signal-group';

export interface PerformerOptions {
  readonly attempt: Attempt;
  readonly save: Recorder;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing new begins. */
  readonly closing: SignalGroup;
  /** What is under way ends. */
  readonly cutting: SignalGroup;
}

export interface Performer {
  /** Takes up steps that the journal has as running. */
  launch(run: LiveRun, steps: readonly string[]): void;
  /** Records what follows from the results as they are, and takes that up. */
  proceed(run: LiveRun): void;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export const performer = (options: PerformerOptions): Performer => {
  const { attempt, save, gate, clock, log, closing, cutting } = options;
  const working = new Set<Promise<void>>();

  const background = (run: LiveRun, work: Promise<void>): void => {
    const guarded = work
      .catch((error: unknown) => {
        // What was cut is resumed.
        if (asFailure(error).code !== 'aborted')
          log.error('engine_fault', { run: run.record.id, error });
      })
      .finally(() => working.delete(guarded));
    working.add(guarded);
  };

  const proceed = async (run: LiveRun): Promise<void> => {
    const begun = advance(run, { now: clock.now(), begin: !closing.aborted });
    await save(run);
    launch(run, begun);
  };

  const launch = (run: LiveRun, names: readonly string[]): void => {
    for (const step of run.record.pipeline.steps)
      if (names.includes(step.name)) background(run, perform(run, step));
  };

  /** From the attempt that the journal says is due, until none is. */
  const perform = async (run: LiveRun, step: Step): Promise<void> => {
    while (!closing.aborted) {
      const { nextAttemptAt, error: _, ...begun } = run.results[step.name] as StepResult;
      if (nextAttemptAt !== undefined) {
        const wait = Math.max(0, Date.parse(nextAttemptAt) - clock.now());
        await closing.using((signal) => clock.sleep(wait, signal));
        put(run, step.name, { ...begun, attempts: begun.attempts + 1 });
        await save(run);
        continue;
      }
      const outcome = await call(run, step, begun);
      if (!outcome) return;
      const result = settle(begun, outcome);
      report(run, step, result);
      put(run, step.name, result);
      if (result.state !== 'running') return proceed(run);
      await save(run);
    }
  };

  /** `undefined`: not made, or cut. */
  const call = async (
    run: LiveRun,
    step: Step,
    { attempts, startedAt }: StepResult,
  ): Promise<AttemptOutcome | undefined> => {
    const { target } = step;
    const leave = await gate.enter('function' in target ? target.function : target.webhook);
    try {
      // All who waited for a place get here, one after the other.
      if (closing.aborted) return undefined;
      const details = {
        run: run.record,
        step,
        attempt: attempts,
        startedAt: Date.parse(startedAt as string),
      };
      return await cutting.using((signal) => attempt({ ...details, signal }));
    } catch (error) {
      if (cutting.aborted) return undefined;
      // The same fault would come again, and the run would never end.
      log.error('attempt_broken', { run: run.record.id, step: step.name, error });
      return { verdict: 'dead', error: { code: 'internal' } };
    } finally {
      leave();
    }
  };

  const settle = (begun: StepResult, outcome: AttemptOutcome): StepResult => {
    if (outcome.verdict === 'again')
      return {
        ...begun,
        error: outcome.error,
        nextAttemptAt: new Date(outcome.at).toISOString(),
      };
    const endedAt = new Date(clock.now()).toISOString();
    if (outcome.verdict === 'dead')
      return { ...begun, state: 'failed', endedAt, error: outcome.error };
    const { output } = outcome;
    return { ...begun, state: 'succeeded', endedAt, ...(output !== undefined && { output }) };
  };

  const report = (
    { record }: LiveRun,
    step: Step,
    { state, attempts, error }: StepResult,
  ): void => {
    if (!error) return;
    const fields = {
      run: record.id,
      pipeline: record.pipeline.name,
      step: step.name,
      attempt: attempts,
      failure: error.code,
      status: error.status,
    };
    if (state === 'failed') log.warn('step_failed', fields);
    else log.info('attempt_failed', fields);
  };

  return {
    launch,
    proceed: (run) => background(run, proceed(run)),
    idle: async () => {
      while (working.size > 0) await Promise.all(working);
    },
  };
};
