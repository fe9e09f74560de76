/**
 * Carries out what is under way in live runs: each attempt is recorded before it is made, and so is how it ended before
 * anything follows from it. At least once: an attempt that was cut is made again, under the same number and key.
 */
import type { Clock } from '../../clock';
import { asFailure } from '../../failure';
import type { Log } from '../../handler';
import type { Attempt, AttemptOutcome } from '../attempt';
import { type RunEvent, transition } from '../machine/transition';
import { type Activity, underway } from '../machine/underway';
import { resultOf } from '../progress';
import { hasEnded, type LiveRun, type Working } from './live-run';
import type { Recorder } from './recorder';
import type { SignalGroup } from './signal-group';

/** What is due within this time is waited for in memory; what is due later, somebody comes back for. ms */
export const HORIZON = 60_000;

export interface PerformerOptions {
  readonly attempt: Attempt;
  readonly save: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing new begins. */
  readonly closing: SignalGroup;
  /** What is under way ends. */
  readonly cutting: SignalGroup;
}

export interface Performer {
  /** Takes up what the journal has under way, and lets go of what is not any more. */
  takeUp(run: LiveRun): void;
  /** Tells the machine, and resolves when what follows is recorded and taken up; `false`: it meant nothing. */
  tell(run: LiveRun, event: RunEvent): Promise<boolean>;
  /** Does it so that `idle` waits for it. */
  background(run: LiveRun, work: Promise<unknown>): void;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

export const performer = (options: PerformerOptions): Performer => {
  const { attempt, save, clock, log, closing, cutting } = options;
  const working = new Set<Promise<void>>();

  const background: Performer['background'] = (run, work) => {
    const guarded: Promise<void> = work
      .then(() => undefined)
      .catch((error: unknown) => {
        // What was cut is resumed.
        const { code } = asFailure(error);
        if (code !== 'aborted' && code !== 'stopping')
          log.error('engine_fault', { run: run.record.id, error });
      })
      .finally(() => working.delete(guarded));
    working.add(guarded);
  };

  const tell: Performer['tell'] = (run, event) => tellThen(run, event, () => undefined);

  const tellThen = async (run: LiveRun, event: RunEvent, then: () => void): Promise<boolean> => {
    const before = run.progress;
    const { pipeline } = run.record;
    run.progress = transition(pipeline, before, event, {
      now: clock.now(),
      begin: !closing.aborted,
    });
    if (run.progress === before) return false;
    await save(run);
    then();
    takeUp(run);
    return true;
  };

  const takeUp: Performer['takeUp'] = (run) => {
    if (closing.aborted) return;
    const { attempts, wakeAt } = underway(run.record.pipeline, run.saved);
    const horizon = clock.now() + HORIZON;
    for (const [id, { stop }] of run.working)
      if (stop && !attempts.some((activity) => activity.id === id)) stop.abort();
    for (const activity of attempts)
      if (!run.working.has(activity.id) && (activity.at ?? 0) <= horizon) launch(run, activity);
    setAlarm(run, wakeAt !== undefined && wakeAt <= horizon ? wakeAt : undefined);
  };

  const setAlarm = (run: LiveRun, at: number | undefined): void => {
    if (run.alarm?.at === at) return;
    run.alarm?.stop.abort();
    run.alarm = undefined;
    if (at === undefined) return;
    const stop = new AbortController();
    run.alarm = { at, stop };
    background(
      run,
      sleep(Math.max(0, at - clock.now()), stop).then(async () => {
        run.alarm = undefined;
        // A timer may come a little early. What is still to be recorded is taken up by whoever records it.
        if (!(await tell(run, { kind: 'due' })) && run.progress === run.saved) takeUp(run);
      }),
    );
  };

  /** Ends early, as `aborted`, when the engine closes or the waiting is stopped. */
  const sleep = (ms: number, stop: AbortController): Promise<void> =>
    closing.using((signal) => {
      const cut = () => stop.abort();
      if (signal.aborted) cut();
      signal.addEventListener('abort', cut, { once: true });
      return clock.sleep(ms, stop.signal);
    });

  const launch = (run: LiveRun, activity: Activity): void => {
    const work: Working = activity.at === undefined ? {} : { stop: new AbortController() };
    run.working.set(activity.id, work);
    background(
      run,
      perform(run, activity, work).finally(() => leave(run, activity, work)),
    );
  };

  /** What was postponed has the same id when it is taken up again. */
  const leave = (run: LiveRun, { id }: Activity, work: Working): void => {
    if (run.working.get(id) === work) run.working.delete(id);
  };

  const perform = async (run: LiveRun, activity: Activity, work: Working): Promise<void> => {
    const { step, undo, attempt, at } = activity;
    const about = { step: step.name, undo, attempt };
    if (at !== undefined && work.stop) {
      await sleep(Math.max(0, at - clock.now()), work.stop);
      if (!(await tell(run, { kind: 'begun', ...about }))) return;
    }
    const outcome = await call(run, activity);
    if (!outcome) return;
    // At work until that is recorded: in the journal, by which others take up what is due, it still is.
    await tellThen(run, { kind: 'ended', ...about, outcome }, () => leave(run, activity, work));
    report(run, activity, outcome);
  };

  /** `undefined`: not made, or cut. */
  const call = async (run: LiveRun, activity: Activity): Promise<AttemptOutcome | undefined> => {
    if (closing.aborted) return undefined;
    const { record, saved } = run;
    try {
      const { signal } = cutting;
      return await attempt({
        run: record,
        progress: saved,
        activity,
        entering: closing.signal,
        signal,
      });
    } catch (error) {
      if (cutting.aborted || (closing.aborted && asFailure(error).code === 'aborted'))
        return undefined;
      // The same fault would come again, and the run would never end.
      log.error('attempt_broken', { run: record.id, step: activity.step.name, error });
      return { verdict: 'dead', error: { code: 'internal' } };
    }
  };

  const report = (
    { record, saved }: LiveRun,
    { step, undo, attempt }: Activity,
    outcome: AttemptOutcome,
  ): void => {
    if (outcome.verdict === 'delivered') return;
    const fields = {
      run: record.id,
      pipeline: record.pipeline.name,
      step: step.name,
      ...(undo && { undo }),
      attempt,
    };
    if (outcome.verdict === 'postponed') {
      log.info('attempt_postponed', { ...fields, until: new Date(outcome.at).toISOString() });
      return;
    }
    const { code, status } = outcome.error;
    const result = resultOf(saved.results, step.name);
    const isOver = (undo ? result.undo?.state : result.state) === 'failed';
    const line = { ...fields, failure: code, status };
    if (isOver) log.warn(undo ? 'undo_failed' : 'step_failed', line);
    else log.info('attempt_failed', line);
  };

  return {
    takeUp,
    tell,
    background,
    idle: async () => {
      while (working.size > 0) await Promise.all(working);
    },
  };
};

/** Nothing is being made for it, and nothing is due before that instant. */
export const canRest = (run: LiveRun, before: number): boolean => {
  if (run.progress !== run.saved || run.watchers.size > 0 || run.working.size > 0 || run.alarm)
    return false;
  if (hasEnded(run.saved)) return true;
  const { attempts, wakeAt = Number.MAX_SAFE_INTEGER } = underway(run.record.pipeline, run.saved);
  return wakeAt > before && attempts.every(({ at }) => at !== undefined && at > before);
};
