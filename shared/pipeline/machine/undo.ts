/**
 * Compensation: which effects are taken back when a run is lost, and in which order (sagas, Garcia-Molina and Salem
 * 1987). Pure.
 *
 * An effect is taken back when it may have happened: also after an attempt that nobody answered. Where the last answer
 * refused the call, nothing happened, and what is there already belongs to somebody else.
 */
import { verdict } from '../../retry';
import { ancestorsOf } from '../graph';
import type { Pipeline, Step } from '../pipeline';
import { resultOf } from '../progress';
import type { Results, StepResult, UndoResult } from '../run';

type Steps = Pick<Pipeline, 'steps'>;

/** Codes of attempts that were never sent. */
const UNSENT: ReadonlySet<string> = new Set([
  'not_configured',
  'forbidden_target',
  'target_disabled',
  'invalid_request',
  'body_too_large',
]);

export const mayHaveHappened = ({ state, attempts, error }: StepResult): boolean => {
  if (state === 'succeeded') return true;
  if (attempts === 0 || (state !== 'failed' && state !== 'cancelled')) return false;
  if (error?.status !== undefined) return verdict(error.status) === 'again';
  return error === undefined || !UNSENT.has(error.code);
};

/** Steps whose effects are to be taken back and are not yet planned to be. */
export const toUndo = ({ steps }: Steps, results: Results): readonly string[] =>
  steps
    .filter((step) => {
      const result = resultOf(results, step.name);
      return step.undo && !result.undo && mayHaveHappened(result);
    })
    .map(({ name }) => name);

/** Of those that are planned: what can begin, because all that came after it has been taken back or could not be. */
export const undoNext = ({ steps }: Steps, results: Results): readonly string[] => {
  const open = (name: string) => isOpen(resultOf(results, name).undo);
  const waiting = steps.filter(({ name }) => resultOf(results, name).undo?.state === 'pending');
  return waiting
    .filter(
      ({ name }) => !steps.some((other) => open(other.name) && comesAfter(steps, other, name)),
    )
    .map(({ name }) => name);
};

export const isUndoing = ({ steps }: Steps, results: Results): boolean =>
  steps.some(({ name }) => isOpen(resultOf(results, name).undo));

const isOpen = (undo: UndoResult | undefined): boolean =>
  undo?.state === 'pending' || undo?.state === 'running';

/** Whether the step waits for the one of this name, directly or through others. */
export const comesAfter = (steps: readonly Step[], step: Step, name: string): boolean =>
  ancestorsOf(new Map(steps.map((one) => [one.name, one.after])), step.name).has(name);
