/** What follows from the results of a run as they are: what begins, what is skipped, what is taken back, the end. Pure. */
import { type Next, next } from '../next';
import type { Pipeline, Step } from '../pipeline';
import { type Progress, resultOf } from '../progress';
import type { StepResult } from '../run';
import { expire } from './expire';
import { iso, put, type TransitionOptions } from './transition';
import { isUndoing, toUndo, undoNext } from './undo';

type Steps = Pick<Pipeline, 'steps'>;

export const advance = (
  pipeline: Steps,
  progress: Progress,
  { now, begin = true }: TransitionOptions,
): Progress => {
  const { forward, outcome } = goOn(pipeline, expire(pipeline, progress, now), now, begin);
  if (!outcome) return forward;
  if (outcome === 'succeeded' && !forward.cancelled)
    return { ...forward, state: 'succeeded', endedAt: iso(now) };
  const back = takeBack(pipeline, forward, now, begin);
  if (isUndoing(pipeline, back.results)) return back;
  return { ...back, state: back.cancelled ? 'cancelled' : 'failed', endedAt: iso(now) };
};

/** The steps that the last replay runs again; `undefined`: the first passage, all of them. */
export const roundOf = ({ replays }: Progress): ReadonlySet<string> | undefined => {
  const last = replays?.at(-1);
  return last && new Set(last.steps);
};

/** An answer that is there already ends a step as soon as it begins, so there may be more to begin. */
const goOn = (
  pipeline: Steps,
  from: Progress,
  now: number,
  begin: boolean,
): { readonly forward: Progress; readonly outcome: Next['outcome'] } => {
  const isCalledOff = from.cancelled !== undefined;
  for (let forward = from; ; ) {
    const { start, isLost, outcome } = next(pipeline, forward.results, roundOf(forward));
    const changed: [string, StepResult][] = [];
    for (const step of pipeline.steps) {
      const result = resultOf(forward.results, step.name);
      const stopped = isCalledOff || isLost ? stop(step, result, isCalledOff, now) : undefined;
      if (stopped) changed.push([step.name, stopped]);
      else if (begin && start.includes(step.name))
        changed.push([step.name, started(step, result, now)]);
    }
    if (changed.length === 0) return { forward, outcome };
    forward = { ...forward, results: { ...forward.results, ...Object.fromEntries(changed) } };
  }
};

/** What is not under way will not be. An attempt under way may end: its answer counts. */
const stop = (
  { target }: Step,
  result: StepResult,
  isCalledOff: boolean,
  now: number,
): StepResult | undefined => {
  const { nextAttemptAt, ...rest } = result;
  const at = { endedAt: iso(now) };
  if (result.state === 'pending')
    return isCalledOff
      ? { ...rest, state: 'cancelled', ...at }
      : { ...rest, state: 'skipped', reason: 'upstream', ...at };
  if (result.state !== 'running') return undefined;
  if ('wait' in target) return { ...rest, state: 'cancelled', ...at };
  if (nextAttemptAt === undefined) return undefined;
  if (isCalledOff) return { ...rest, state: 'cancelled', ...at };
  // Its first attempt is still to come.
  return result.attempts === 0
    ? { ...rest, state: 'skipped', reason: 'upstream', ...at }
    : undefined;
};

const started = ({ target, delay = 0 }: Step, result: StepResult, now: number): StepResult => {
  const begun = { ...result, state: 'running' as const, startedAt: iso(now) };
  if ('wait' in target)
    return result.answered !== undefined
      ? { ...begun, state: 'succeeded', endedAt: iso(now) }
      : begun;
  return delay > 0 ? { ...begun, nextAttemptAt: iso(now + delay) } : { ...begun, attempts: 1 };
};

const takeBack = (pipeline: Steps, from: Progress, now: number, begin: boolean): Progress => {
  let progress = from;
  for (const name of toUndo(pipeline, progress.results))
    progress = put(progress, name, {
      ...resultOf(progress.results, name),
      undo: { state: 'pending', attempts: 0 },
    });
  if (!begin) return progress;
  for (const name of undoNext(pipeline, progress.results))
    progress = put(progress, name, {
      ...resultOf(progress.results, name),
      undo: { state: 'running', attempts: 1, startedAt: iso(now) },
    });
  return progress;
};
