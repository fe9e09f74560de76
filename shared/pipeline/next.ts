/**
 * What a run does next: pure decisions over results, the same for every engine.
 *
 * Fails closed: once a required step has failed, nothing more is started.
 */

import { pointerTokens, readPointer } from '../pointer';
import type { Pipeline, Step, Target } from './pipeline';
import type { Results, SkipReason, StepResult, StepState } from './run';

type Steps = Pick<Pipeline, 'steps'>;

/**
 * The results at acceptance. What is skipped for its condition or for want of a URL is decided here, once,
 * and never again: a replay or a change of the environment finds the same steps.
 *
 * A required step without a URL stays pending: its call fails, and so does the run.
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
  if (when !== undefined && !isPresent(readPointer(input, when))) return 'condition';
  return required || configured(target) ? undefined : 'not_configured';
};

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
  /** The run has ended with this, once `skip` is recorded. */
  readonly outcome?: 'succeeded' | 'failed';
}

/**
 * A step starts when all of its `after` have ended; a skipped one, and a failed one that is not required, count as done.
 *
 * When a required step has failed (or was cancelled), what runs may end, and what has not started is skipped with
 * the reason `upstream`. Between two attempts a step is still `running`. A step without a result is pending.
 */
export const next = ({ steps }: Steps, results: Results): Next => {
  const stateOf = (name: string): StepState =>
    Object.hasOwn(results, name) ? (results[name] as StepResult).state : 'pending';
  const isAt = (state: StepState) => (step: Step) => stateOf(step.name) === state;
  const pending = steps.filter(isAt('pending'));
  const isRunning = steps.some(isAt('running'));
  if (steps.some((step) => step.required && isBroken(stateOf(step.name))))
    return {
      start: [],
      skip: Object.fromEntries(pending.map(({ name }) => [name, 'upstream'])),
      ...(!isRunning && { outcome: 'failed' as const }),
    };
  return {
    start: pending
      .filter(({ after }) => after.every((name) => hasEnded(stateOf(name))))
      .map(({ name }) => name),
    skip: {},
    ...(pending.length === 0 && !isRunning && { outcome: 'succeeded' as const }),
  };
};

const isBroken = (state: StepState): boolean => state === 'failed' || state === 'cancelled';
const hasEnded = (state: StepState): boolean => state !== 'pending' && state !== 'running';

/** What is sent to a step: the whole input, or the members of its map; one whose pointer finds nothing is left out. */
export const buildInput = (step: Pick<Step, 'input'>, input: unknown): unknown =>
  step.input === undefined
    ? input
    : Object.fromEntries(
        Object.entries(step.input)
          .map(([name, pointer]) => [name, readPointer(input, pointer)] as const)
          .filter(([, value]) => value !== undefined),
      );

/**
 * The part of an answer that a reader of the run may see, nested as in the answer: `/challenge` gives
 * `{ challenge }`, `/items/0/id` gives `{ items: { 0: { id } } }`, and the empty pointer all of it.
 * `undefined` when nothing is exposed or found.
 */
export const exposed = ({ expose }: Pick<Step, 'expose'>, answer: unknown): unknown =>
  expose
    // `/a` holds `/a/b` already.
    .filter((pointer) => !expose.some((outer) => pointer.startsWith(`${outer}/`)))
    .map((pointer) => [pointer, readPointer(answer, pointer)] as const)
    .filter(([, value]) => value !== undefined)
    .reduce<unknown>(
      (shown, [pointer, value]) => place(shown, pointerTokens(pointer), value),
      undefined,
    );

/** A computed name is always an own member, `__proto__` too. */
const place = (shown: unknown, [token, ...rest]: readonly string[], value: unknown): unknown => {
  if (token === undefined) return value;
  const members = (shown ?? {}) as Readonly<Record<string, unknown>>;
  const inner = Object.hasOwn(members, token) ? members[token] : undefined;
  return { ...members, [token]: place(inner, rest, value) };
};
