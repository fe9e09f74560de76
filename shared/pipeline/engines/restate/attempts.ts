/**
 * Makes the attempts of the runs that are carried through in this process.
 *
 * Fails closed: an attempt that was cut, because the process stops or has lost Restate, gives no outcome; it is made
 * again elsewhere, under the same number and key.
 */

import type { Clock } from '../../../clock';
import { Failure } from '../../../failure';
import type { Log } from '../../../handler';
import type { Attempt, AttemptOutcome } from '../../attempt';
import { transition } from '../../machine/transition';
import { type Activity, underway } from '../../machine/underway';
import type { Pipeline } from '../../pipeline';
import type { Progress, RunRecord } from '../../progress';
import { reportAttempt } from '../report-attempt';
import { signalGroup } from '../signal-group';
import type { Ended, Perform } from './carrier';

/** An attempt that was postponed for no longer than this is waited for, ms. */
export const SHORT_WAIT = 2_000;

export interface AttemptsOptions {
  readonly attempt: Attempt;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Attempts {
  of(record: RunRecord): Perform;
  /**
   * Begins none any more. What would begin is held, and not refused: a refusal would end the whole passage, and with it
   * the attempts beside it.
   */
  close(): void;
  /** Ends those that are under way, and what is held. */
  cut(): void;
  /** Resolves when none is under way any more. */
  idle(): Promise<void>;
}

export const createAttempts = ({ attempt, clock, log }: AttemptsOptions): Attempts => {
  const cutting = signalGroup();
  const working = new Set<Promise<unknown>>();
  let isClosed = false;

  const make = async (
    run: RunRecord,
    progress: Progress,
    activity: Activity,
    signal: AbortSignal,
  ): Promise<AttemptOutcome> => {
    if (isClosed) await aborted(signal);
    const work = attempt({ run, progress, activity, signal });
    working.add(work);
    try {
      return await work;
    } catch (error) {
      if (signal.aborted) throw error;
      // The same fault would come again, and the run would never end.
      log.error('attempt_broken', { run: run.id, step: activity.step.name, error });
      return { verdict: 'dead', error: { code: 'internal' } };
    } finally {
      working.delete(work);
    }
  };

  const perform =
    (run: RunRecord): Perform =>
    (first, known, { notBefore, inlineWait, signal: lost }) =>
      cutting.using((cut) =>
        eitherOf(lost, cut, async (signal) => {
          const ended: Ended[] = [];
          let progress = known;
          let activity: Activity | undefined = first;
          for (let due = notBefore; activity; due = activity?.at ?? 0) {
            if (due > clock.now()) await clock.sleep(due - clock.now(), signal);
            const { step, undo, attempt } = activity;
            const outcome = await make(run, progress, activity, signal);
            reportAttempt(log, run, activity, outcome);
            const now = clock.now();
            // Not counted, so nothing that anybody must know.
            if (outcome.verdict === 'postponed' && outcome.at <= now + SHORT_WAIT) {
              activity = { ...activity, at: outcome.at };
              continue;
            }
            ended.push({ attempt, outcome, at: now });
            const event = { kind: 'ended', step: step.name, undo, attempt, outcome } as const;
            progress = transition(run.pipeline, progress, event, { now });
            activity = following(run.pipeline, progress, activity, now + inlineWait);
          }
          return ended;
        }),
      );

  return {
    of: perform,
    close: () => {
      isClosed = true;
    },
    cut: () => cutting.abort(),
    idle: async () => {
      while (working.size > 0) await Promise.allSettled(working);
    },
  };
};

/** The next attempt of the same call, if it is due by then. */
const following = (
  pipeline: Pipeline,
  progress: Progress,
  { step, undo, attempt }: Activity,
  until: number,
): Activity | undefined =>
  underway(pipeline, progress).attempts.find(
    (next) =>
      next.step.name === step.name &&
      next.undo === undo &&
      next.attempt === attempt + 1 &&
      (next.at ?? Number.POSITIVE_INFINITY) < until,
  );

/** Rejects as soon as the signal aborts. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const leave = () => reject(new Failure('stopping'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });

/** Under a signal that aborts as soon as one of the two does; no listener stays behind. */
const eitherOf = async <T>(
  one: AbortSignal,
  other: AbortSignal,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> => {
  const either = new AbortController();
  const abort = () => either.abort();
  if (one.aborted || other.aborted) abort();
  one.addEventListener('abort', abort, { once: true });
  other.addEventListener('abort', abort, { once: true });
  try {
    return await work(either.signal);
  } finally {
    one.removeEventListener('abort', abort);
    other.removeEventListener('abort', abort);
  }
};
