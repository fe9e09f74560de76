/**
 * Makes the attempts of the runs that are carried through in this process.
 *
 * Fails closed: an attempt that was cut, because the process stops or has lost Restate, gives no outcome; it is made
 * again elsewhere, under the same number and key.
 */

import type { Clock } from '../../../clock';
import { Failure } from '../../../failure';
import type { Log } from '../../../handler';
import { createSwitch, type Signal } from '../../../signal';
import type { Attempt, AttemptOutcome } from '../../attempt';
import { transition } from '../../machine/transition';
import { type Activity, underway } from '../../machine/underway';
import type { Pipeline } from '../../pipeline';
import type { Progress, RunRecord } from '../../progress';
import { reportAttempt } from '../report-attempt';
import type { Ended, Perform } from './making';

/** An attempt that was postponed for no longer than this is waited for, ms. */
export const SHORT_WAIT = 2_000;

export interface AttemptsOptions {
  readonly attempt: Attempt;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Attempts {
  /** Those of one passage: they are cut when it is lost. */
  of(record: RunRecord, lost: AbortSignal): Perform;
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
  const cutting = createSwitch();
  const working = new Set<Promise<unknown>>();
  let isClosed = false;

  const make = async (
    run: RunRecord,
    progress: Progress,
    activity: Activity,
    signal: Signal,
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

  const perform = (run: RunRecord, lost: AbortSignal): Perform => {
    const signal = eitherOf(lost, cutting.signal);
    return async (first, known, { notBefore, inlineWait }) => {
      const ended: Ended[] = [];
      let progress = known;
      let activity: Activity | undefined = first;
      for (let due = notBefore; activity; due = activity?.at ?? 0) {
        if (due > clock.now()) await sleep(clock, due - clock.now(), signal);
        const { step, undo, attempt } = activity;
        const outcome = await make(run, progress, activity, signal);
        reportAttempt(log, run, activity, outcome);
        const now = clock.now();
        // Not counted, so nothing that anybody must know.
        if (outcome.verdict === 'postponed' && outcome.at <= now + SHORT_WAIT) {
          activity = { ...activity, at: outcome.at };
          continue;
        }
        ended.push({ id: first.id, attempt, outcome, at: now });
        if (inlineWait === 0) break;
        const event = { kind: 'ended', step: step.name, undo, attempt, outcome } as const;
        progress = transition(run.pipeline, progress, event, { now });
        activity = following(run.pipeline, progress, activity, now + inlineWait);
      }
      return ended;
    };
  };

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
const aborted = (signal: Signal): Promise<never> =>
  new Promise((_, reject) => {
    const leave = () => reject(new Failure('stopping'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });

/** Aborts as soon as one of the two does. The first does some day, and then nothing stays with the other. */
const eitherOf = (one: AbortSignal, other: Signal): Signal => {
  const { signal, abort } = createSwitch();
  const leave = () => {
    other.removeEventListener('abort', leave);
    abort();
  };
  if (one.aborted || other.aborted) abort();
  else {
    one.addEventListener('abort', leave, { once: true });
    other.addEventListener('abort', leave, { once: true });
  }
  return signal;
};

/** Rejects when the signal aborts. */
const sleep = async (clock: Clock, ms: number, signal: Signal): Promise<void> => {
  const waking = new AbortController();
  const wake = () => waking.abort();
  if (signal.aborted) wake();
  signal.addEventListener('abort', wake, { once: true });
  try {
    await clock.sleep(ms, waking.signal);
  } finally {
    signal.removeEventListener('abort', wake);
  }
};
