/**
 * What a run does next: pure decisions over results, the same for every engine.
 *
 * Fails closed: once a required step has failed, nothing more is started.
 */
import { readPointer } from '../pointer';
import type { Equality, Pipeline, Step, Target } from './pipeline';
import { resultOf } from './progress';
import type { Results, SkipReason, StepResult } from './run';

type Steps = Pick<Pipeline, 'steps'>;

/**
 * The results at acceptance. What is skipped for its condition or for want of a URL is decided here, once,
 * and never again: a replay or a change of the environment finds the same steps.
 *
 * A required step without a URL stays pending: its call fails, and so does the run. An event that nobody
 * subscribes to is not missed by anyone.
 */
export const decide = (
  { steps }: Steps,
  input: unknown,
  configured: (target: Target) => boolean,
): Results =>
  Object.fromEntries(
    steps.map((step): [string, StepResult] => {
      const reason = skipReason(step, input, configured);
      return [
        step.name,
        reason ? { state: 'skipped', reason, attempts: 0 } : { state: 'pending', attempts: 0 },
      ];
    }),
  );

const skipReason = (
  { when, target, required }: Step,
  input: unknown,
  configured: (target: Target) => boolean,
): SkipReason | undefined => {
  if (when !== undefined && !holds(when, input)) return 'condition';
  if ('wait' in target || (required && !('event' in target))) return undefined;
  return configured(target) ? undefined : 'not_configured';
};

const holds = (when: string | Equality, input: unknown): boolean =>
  typeof when === 'string'
    ? isPresent(readPointer(input, when))
    : readPointer(input, when.pointer) === when.equals;

/**
 * Whether `when` has found something: neither nothing, false, null nor empty ('', [], {}).
 * 0 is something: a count of none is an answer, an empty text is a field left blank.
 */
export const isPresent = (value: unknown): boolean => {
  if (value === undefined || value === null || value === false || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
};

export interface Next {
  /** Steps to start now, all at once, in the order of the pipeline. */
  readonly start: readonly string[];
  /** Steps that will not run any more: to be recorded as skipped, with the reason. */
  readonly skip: Readonly<Record<string, SkipReason>>;
  /** A required step has failed: what is still to come is not wanted any more. */
  readonly isLost: boolean;
  /** All steps have ended with this, once `skip` is recorded. */
  readonly outcome?: 'succeeded' | 'failed';
}

/**
 * A step starts when all of its `after` have ended; a skipped one, and a failed one that is not required, count as done.
 *
 * When a required step has failed (or was cancelled), what runs may end, and what has not started is skipped with
 * the reason `upstream`. Between two attempts a step is still `running`. A step without a result is pending.
 *
 * `round`: the steps that a replay runs again; those outside it stay as they are, also when they had failed, and
 * then the run cannot succeed. @default all
 */
export const next = ({ steps }: Steps, results: Results, round?: ReadonlySet<string>): Next => {
  const pending = steps.filter(({ name }) => resultOf(results, name).state === 'pending');
  const isRunning = steps.some(({ name }) => resultOf(results, name).state === 'running');
  const isOver = pending.length === 0 && !isRunning;
  const broken = steps.filter(
    ({ name, required }) => required && isBroken(resultOf(results, name)),
  );
  const isLost = broken.some(({ name }) => !round || round.has(name));
  if (isLost)
    return {
      start: [],
      skip: Object.fromEntries(pending.map(({ name }) => [name, 'upstream'])),
      isLost,
      ...(!isRunning && { outcome: 'failed' as const }),
    };
  return {
    start: pending
      .filter(({ after }) => after.every((name) => hasEnded(resultOf(results, name))))
      .map(({ name }) => name),
    skip: {},
    isLost,
    ...(isOver && { outcome: broken.length > 0 ? ('failed' as const) : ('succeeded' as const) }),
  };
};

/** It was to take effect, and has none. */
export const isBroken = ({ state, reason, undo }: StepResult): boolean =>
  state === 'failed' ||
  state === 'cancelled' ||
  (state === 'skipped' && (reason === 'upstream' || reason === 'deadline')) ||
  undo !== undefined;

const hasEnded = ({ state }: StepResult): boolean => state !== 'pending' && state !== 'running';
