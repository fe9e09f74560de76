/**
 * The state machine of a run: what has happened in, how the run stands out. Pure, and the same for every engine; an
 * engine carries out what `underway` names, and tells what became of it.
 */

import { exposed, kept } from '../answer';
import type { AttemptOutcome } from '../attempt';
import type { Pipeline, Step } from '../pipeline';
import { type Progress, resultOf } from '../progress';
import type { CallResult, StepResult, StepState, UndoResult } from '../run';
import { advance } from './advance';
import { isLate } from './expire';

export type RunEvent =
  /** An attempt is about to be made: for who records that before. Optional. */
  | {
      readonly kind: 'begun';
      readonly step: string;
      readonly undo: boolean;
      readonly attempt: number;
    }
  | {
      readonly kind: 'ended';
      readonly step: string;
      readonly undo: boolean;
      readonly attempt: number;
      readonly outcome: AttemptOutcome;
    }
  /** Somebody has answered a step that waits. */
  | {
      readonly kind: 'signalled';
      readonly step: string;
      readonly data: unknown;
      /** Digest of the data, by which the same answer is known again. */
      readonly fingerprint: string;
    }
  /** Time has passed: the deadline, or that of a step that waits. */
  | { readonly kind: 'due' }
  | { readonly kind: 'cancelled'; readonly by: string; readonly reason: string };

export interface TransitionOptions {
  /** ms since the epoch */
  readonly now: number;
  /** Whether steps may begin; without, they stay pending. @default true */
  readonly begin?: boolean;
}

/**
 * How the run stands after the event. The very same object when it means nothing (any more): an attempt that is not
 * the current one, an answer to a step that does not wait, anything after the end.
 */
export const transition = (
  pipeline: Pick<Pipeline, 'steps'>,
  progress: Progress,
  event: RunEvent,
  options: TransitionOptions,
): Progress => {
  if (progress.state !== 'running') return progress;
  const changed = apply(pipeline, progress, event, options.now);
  const isNothing = changed === progress && event.kind !== 'due';
  return isNothing ? progress : advance(pipeline, changed, options);
};

const apply = (
  pipeline: Pick<Pipeline, 'steps'>,
  progress: Progress,
  event: RunEvent,
  now: number,
): Progress => {
  if (event.kind === 'due') return progress;
  if (event.kind === 'cancelled') {
    if (progress.cancelled) return progress;
    const { by, reason } = event;
    return { ...progress, cancelled: { at: iso(now), by, reason } };
  }
  // Too late to be made: it ends by the deadline.
  if (event.kind === 'begun' && !event.undo && isLate(progress, now)) return progress;
  const step = pipeline.steps.find(({ name }) => name === event.step);
  if (!step) return progress;
  const result = resultOf(progress.results, step.name);
  const changed =
    event.kind === 'signalled'
      ? answer(step, result, event, now)
      : event.undo
        ? withUndo(result, event, now)
        : attempted(result, event, now);
  return changed === result ? progress : put(progress, step.name, changed);
};

export const put = (progress: Progress, step: string, result: StepResult): Progress => ({
  ...progress,
  results: { ...progress.results, [step]: result },
});

/** The last one is remembered: what happens at once has the same time. */
export const iso = (ms: number): string => {
  if (ms !== written.ms) written = { ms, text: new Date(ms).toISOString() };
  return written.text;
};

let written = { ms: 0, text: new Date(0).toISOString() };

type AttemptEvent = Extract<RunEvent, { kind: 'begun' | 'ended' }>;

const attempted = (result: StepResult, event: AttemptEvent, now: number): StepResult => {
  if (result.state !== 'running') return result;
  const call = afterAttempt(result, event, now);
  if (!call) return result;
  const { state, ...rest } = call;
  const { outcome } = event as { readonly outcome?: AttemptOutcome };
  return {
    ...rest,
    state,
    ...(outcome?.verdict === 'delivered' && {
      ...(outcome.output !== undefined && { output: outcome.output }),
      ...(outcome.kept && { kept: outcome.kept }),
    }),
  };
};

const withUndo = (result: StepResult, event: AttemptEvent, now: number): StepResult => {
  if (result.undo?.state !== 'running') return result;
  const undo = afterAttempt(result.undo, event, now) as UndoResult | undefined;
  return undo ? { ...result, undo } : result;
};

/** `undefined`: this is not the attempt that is due or under way. */
const afterAttempt = <T extends CallResult & { readonly state: StepState }>(
  call: T,
  event: AttemptEvent,
  now: number,
): T | undefined => {
  if (event.attempt !== dueAttempt(call)) return undefined;
  const { nextAttemptAt: _, error: __, ...rest } = call;
  const begun = { ...rest, attempts: event.attempt } as T;
  if (event.kind === 'begun') return call.nextAttemptAt === undefined ? undefined : begun;
  const { outcome } = event;
  if (outcome.verdict === 'again')
    return { ...begun, error: outcome.error, nextAttemptAt: iso(outcome.at) };
  // Not made: it keeps its number.
  if (outcome.verdict === 'postponed')
    return {
      ...begun,
      attempts: event.attempt - 1,
      ...(call.error && { error: call.error }),
      nextAttemptAt: iso(outcome.at),
    };
  const state: StepState = outcome.verdict === 'dead' ? 'failed' : 'succeeded';
  return {
    ...begun,
    state,
    endedAt: iso(now),
    ...(outcome.verdict === 'dead' && { error: outcome.error }),
  };
};

/** The number of the attempt that is under way, or comes next. */
export const dueAttempt = ({ attempts, nextAttemptAt }: CallResult): number =>
  nextAttemptAt === undefined ? attempts : attempts + 1;

/** An answer that comes before its time is kept; the first one counts. */
const answer = (
  step: Step,
  result: StepResult,
  { data, fingerprint }: Extract<RunEvent, { kind: 'signalled' }>,
  now: number,
): StepResult => {
  if (!('wait' in step.target) || result.answered !== undefined) return result;
  const output = exposed(step, data);
  const values = kept(step, data);
  const answered = {
    ...result,
    answered: fingerprint,
    ...(output !== undefined && { output }),
    ...(values && { kept: values }),
  };
  if (result.state === 'pending') return answered;
  if (result.state !== 'running') return result;
  return { ...answered, state: 'succeeded', endedAt: iso(now) };
};
