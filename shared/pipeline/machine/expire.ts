/** What the time that has passed ends: the deadline of a run, and that of a step that waits. Pure. */
import type { Pipeline, Step } from '../pipeline';
import { type Progress, resultOf } from '../progress';
import type { StepResult } from '../run';
import { iso, put } from './transition';

/** When a step that waits for an answer has waited long enough, ms since the epoch. */
export const waitEnd = ({ timeout }: Step, { startedAt }: StepResult): number =>
  Date.parse(startedAt as string) + timeout;

export const isLate = ({ deadlineAt }: Progress, now: number): boolean =>
  now >= Date.parse(deadlineAt);

/** What is not under way when the deadline passes, will not be; what waits, has waited long enough. */
export const expire = (
  { steps }: Pick<Pipeline, 'steps'>,
  progress: Progress,
  now: number,
): Progress => {
  const isOver = isLate(progress, now);
  let expired = progress;
  for (const step of steps) {
    const result = resultOf(progress.results, step.name);
    const isWaiting = result.state === 'running' && 'wait' in step.target;
    if (isWaiting && (isOver || now >= waitEnd(step, result)))
      expired = put(
        expired,
        step.name,
        late(result, isOver ? 'deadline_exceeded' : 'wait_timeout', now),
      );
    else if (isOver && result.state === 'pending')
      expired = put(expired, step.name, {
        ...result,
        state: 'skipped',
        reason: 'deadline',
        endedAt: iso(now),
      });
    else if (isOver && result.state === 'running' && result.nextAttemptAt !== undefined)
      expired = put(expired, step.name, late(result, 'deadline_exceeded', now));
  }
  return expired;
};

/** The last error of an attempt says more than that it was the last. */
const late = (result: StepResult, code: string, now: number): StepResult => {
  const { nextAttemptAt: _, ...rest } = result;
  return { ...rest, state: 'failed', endedAt: iso(now), error: result.error ?? { code } };
};
