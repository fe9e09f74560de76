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
import { hasEnded, type LiveRun, type Working } from './live-run';
import type { Recorder } from './recorder';
import { reportAttempt } from './report-attempt';
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

  /** What was cut is resumed. */
  const blame = (run: LiveRun, error: unknown): void => {
    const { code } = asFailure(error);
    if (code !== 'aborted' && code !== 'stopping')
      log.error('engine_fault', { run: run.record.id, error });
  };

  /** Whoever waits for all to have ended. */
  const waiting = new Set<() => void>();
  let atWork = 0;

  const done = (): void => {
    atWork -= 1;
    if (atWork > 0) return;
    for (const go of waiting) go();
    waiting.clear();
  };

  const background: Performer['background'] = (run, work) => {
    atWork += 1;
    work.then(done, (error: unknown) => {
      blame(run, error);
      done();
    });
  };

  /** `false`: it means nothing (any more). */
  const change = (run: LiveRun, event: RunEvent): boolean => {
    const before = run.progress;
    const options = { now: clock.now(), begin: !closing.aborted };
    run.progress = transition(run.record.pipeline, before, event, options);
    return run.progress !== before;
  };

  const tell: Performer['tell'] = async (run, event) => {
    if (!change(run, event)) return false;
    await save(run);
    takeUp(run);
    return true;
  };

  const takeUp: Performer['takeUp'] = (run) => {
    if (closing.aborted) return;
    run.takenUp = run.saved;
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
    atWork += 1;
    void perform(run, activity, work);
  };

  const perform = async (run: LiveRun, activity: Activity, work: Working): Promise<void> => {
    const { id, step, undo, at } = activity;
    const about = { step: step.name, undo, attempt: activity.attempt };
    // What was postponed has the same id when it is taken up again.
    const leave = () => run.working.get(id) === work && run.working.delete(id);
    try {
      if (at !== undefined && work.stop) {
        // A timer may come a little early; an attempt may not.
        do await sleep(Math.max(0, at - clock.now()), work.stop);
        while (clock.now() < at);
        if (!(await tell(run, { kind: 'begun', ...about }))) return;
      }
      if (closing.aborted) return;
      let outcome: AttemptOutcome;
      try {
        const { record, saved } = run;
        const { signal } = cutting;
        const entering = closing.signal;
        outcome = await attempt({ run: record, progress: saved, activity, entering, signal });
      } catch (error) {
        if (isCut(error)) return;
        // The same fault would come again, and the run would never end.
        log.error('attempt_broken', { run: run.record.id, step: step.name, error });
        outcome = { verdict: 'dead', error: { code: 'internal' } };
      }
      if (!change(run, { kind: 'ended', ...about, outcome })) return;
      await save(run);
      // At work until then: in the journal, by which others take up what is due, it still was.
      leave();
      if (run.takenUp !== run.saved || outcome.verdict === 'postponed') takeUp(run);
      reportAttempt(log, run.record, activity, outcome);
    } catch (error) {
      blame(run, error);
    } finally {
      leave();
      done();
    }
  };

  /** To be made again, under its number. */
  const isCut = (error: unknown): boolean =>
    cutting.aborted || (closing.aborted && asFailure(error).code === 'aborted');

  return {
    takeUp,
    tell,
    background,
    idle: () =>
      new Promise((resolve) => {
        if (atWork === 0) resolve();
        else waiting.add(resolve);
      }),
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
