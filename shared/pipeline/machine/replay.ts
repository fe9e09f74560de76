/**
 * A run that has ended, running again. Pure.
 *
 * What succeeded is never sent again, unless somebody wants just that; then it gets the next generation, which makes
 * another key. So does what was taken back: its receiver still knows the old key. What failed keeps its
 * key, since nobody knows whether it happened.
 */
import { conflicts, diffGraphs, type GraphChange } from '../diff';
import { decide } from '../next';
import type { Pipeline, Target } from '../pipeline';
import { type Progress, resultOf } from '../progress';
import type { Results, StepResult } from '../run';
import { advance } from './advance';
import { iso, put } from './transition';
import { comesAfter } from './undo';

export interface ReplayRequest {
  /** @default all that failed, or was not reached */
  readonly step?: string | undefined;
  /** Also what comes after the step. @default false */
  readonly downstream?: boolean | undefined;
  /** Under new keys, and also what has succeeded. @default false */
  readonly resend?: boolean | undefined;
  readonly by: string;
  readonly reason: string;
}

export type ReplayRefusal =
  | {
      readonly code: 'run_not_ended' | 'nothing_to_replay' | 'unknown_step' | 'replay_blocked';
      readonly detail: string;
    }
  | {
      readonly code: 'graph_conflict';
      readonly detail: string;
      readonly changes: readonly GraphChange[];
    };

export interface ReplayOptions {
  /** ms since the epoch */
  readonly now: number;
}

export const replay = (
  pipeline: Pipeline,
  progress: Progress,
  request: ReplayRequest,
  { now }: ReplayOptions,
): Progress | ReplayRefusal => {
  const { step, downstream = false, resend = false, by, reason } = request;
  if (progress.state === 'running')
    return { code: 'run_not_ended', detail: 'Only a run that has ended can run again.' };
  const { steps } = pipeline;
  if (step !== undefined && !steps.some(({ name }) => name === step))
    return { code: 'unknown_step', detail: `This run has no step ${step}.` };
  const { endedAt: _, cancelled: __, ...rest } = progress;
  const again: Progress = {
    ...rest,
    state: 'running',
    deadlineAt: iso(now + pipeline.deadline),
  };
  const noted = (names: readonly string[], results: Results): Progress => ({
    ...again,
    results,
    replays: [...(progress.replays ?? []), { at: iso(now), by, reason, steps: names, resend }],
  });

  const stuck = steps.filter(
    ({ name }) => resultOf(progress.results, name).undo?.state === 'failed',
  );
  if (stuck.length > 0) {
    // What is half taken back is taken back first: who sent it again now, could not tell what stands.
    const results = Object.fromEntries(
      stuck.map(({ name }) => [
        name,
        { ...resultOf(progress.results, name), undo: { state: 'pending' as const, attempts: 0 } },
      ]),
    );
    const undone = noted([], { ...progress.results, ...results });
    return advance(
      pipeline,
      progress.cancelled ? { ...undone, cancelled: progress.cancelled } : undone,
      { now },
    );
  }

  const chosen = steps.filter(
    (one) =>
      step === undefined || one.name === step || (downstream && comesAfter(steps, one, step)),
  );
  const round = chosen
    .filter(({ name }) => isWanted(resultOf(progress.results, name), resend))
    .map(({ name }) => name);
  if (round.length === 0)
    return {
      code: 'nothing_to_replay',
      detail: 'All of this has succeeded or was never wanted; resend sends it once more.',
    };
  const blocked = steps
    .filter(({ name }) => round.includes(name))
    .flatMap(({ name, after }) =>
      after
        .filter((other) => !round.includes(other) && isMissing(pipeline, progress.results, other))
        .map((other) => `${name} waits for ${other}, which has no effect that stands`),
    );
  if (blocked.length > 0)
    return { code: 'replay_blocked', detail: `${blocked.join('; ')}: replay that too.` };
  let fresh = noted(round, progress.results);
  for (const name of round) fresh = put(fresh, name, reset(resultOf(fresh.results, name), resend));
  return advance(pipeline, fresh, { now });
};

/** What was skipped for its condition was never wanted: that is decided once. */
const isWanted = ({ state, reason, undo }: StepResult, resend: boolean): boolean => {
  if (state === 'skipped') return reason === 'upstream' || reason === 'deadline';
  return state !== 'succeeded' || undo !== undefined || resend;
};

const isMissing = ({ steps }: Pipeline, results: Results, name: string): boolean => {
  const { state, reason, undo } = resultOf(results, name);
  const isRequired = steps.find((step) => step.name === name)?.required === true;
  if (undo) return true;
  if (state === 'skipped') return reason === 'upstream' || reason === 'deadline';
  return state !== 'succeeded' && isRequired;
};

const reset = ({ undo, generation = 1 }: StepResult, resend: boolean): StepResult => {
  const isNew = resend || undo !== undefined;
  const next = isNew ? generation + 1 : generation;
  return { state: 'pending', attempts: 0, ...(next > 1 && { generation: next }) };
};

/**
 * The same run on another graph, for a replay: what is new is decided now, what is gone is dropped. Refused, with what
 * has changed, where steps that have begun would not be the same any more.
 */
export const regraph = (
  from: Pipeline,
  to: Pipeline,
  progress: Progress,
  {
    input,
    isConfigured,
  }: { readonly input: unknown; readonly isConfigured: (target: Target) => boolean },
): Progress | ReplayRefusal => {
  const broken = conflicts(diffGraphs(from, to), progress.results);
  if (broken.length > 0)
    return {
      code: 'graph_conflict',
      detail: 'Steps that have begun are not the same in the graph of now.',
      changes: broken,
    };
  const decided = decide(to, input, isConfigured);
  const known = new Set(from.steps.map(({ name }) => name));
  return {
    ...progress,
    results: Object.fromEntries(
      to.steps.map(({ name }) => {
        if (known.has(name)) return [name, resultOf(progress.results, name)];
        const result = resultOf(decided, name);
        // Not reached, so that the replay takes it up.
        return [
          name,
          result.state === 'pending' ? { ...result, state: 'skipped', reason: 'upstream' } : result,
        ];
      }),
    ),
  };
};
