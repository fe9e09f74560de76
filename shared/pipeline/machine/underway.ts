/** What an engine has to be doing for a run as it stands: attempts, and a look at the clock. Pure. */
import type { Call, Pipeline, Step } from '../pipeline';
import { type Progress, resultOf } from '../progress';
import type { CallResult } from '../run';
import { waitEnd } from './expire';
import { dueAttempt } from './transition';

export interface Activity {
  /** The same as long as it is the same attempt: `step#2`, or `step!1` of what undoes it. */
  readonly id: string;
  readonly step: Step;
  /** Whether what undoes the step is called, in place of the step. */
  readonly undo: boolean;
  readonly call: Call;
  /** The first is 1. */
  readonly attempt: number;
  /** When it is to be made, ms since the epoch; `undefined`: at once. */
  readonly at?: number;
  /** When the first attempt began, ms since the epoch. */
  readonly startedAt: number;
  /** @default 1 */
  readonly generation?: number;
}

export interface Underway {
  readonly attempts: readonly Activity[];
  /** When to tell the machine that time has passed, ms since the epoch; `undefined`: never. */
  readonly wakeAt?: number;
}

export const underway = ({ steps }: Pick<Pipeline, 'steps'>, progress: Progress): Underway => {
  if (progress.state !== 'running') return { attempts: [] };
  const attempts: Activity[] = [];
  let wakeAt = Number.POSITIVE_INFINITY;
  for (const step of steps) {
    const result = resultOf(progress.results, step.name);
    const isWaiting = result.state === 'running' && 'wait' in step.target;
    if (isWaiting) wakeAt = Math.min(wakeAt, waitEnd(step, result));
    else if (result.state === 'running')
      attempts.push(activity(step, step, result, false, result.generation));
    if (result.undo?.state === 'running' && step.undo)
      attempts.push(activity(step, step.undo, result.undo, true, result.generation));
    const isDueByDeadline =
      isWaiting ||
      result.state === 'pending' ||
      (result.state === 'running' && result.nextAttemptAt !== undefined);
    if (isDueByDeadline) wakeAt = Math.min(wakeAt, Date.parse(progress.deadlineAt));
  }
  return { attempts, ...(wakeAt !== Number.POSITIVE_INFINITY && { wakeAt }) };
};

const activity = (
  step: Step,
  call: Call,
  result: CallResult,
  undo: boolean,
  generation: number | undefined,
): Activity => {
  const attempt = dueAttempt(result);
  return {
    id: `${step.name}${generation === undefined ? '' : `:${generation}`}${undo ? '!' : '#'}${attempt}`,
    step,
    undo,
    call,
    attempt,
    startedAt: Date.parse(result.startedAt as string),
    ...(result.nextAttemptAt !== undefined && { at: Date.parse(result.nextAttemptAt) }),
    ...(generation !== undefined && { generation }),
  };
};
