/** What of a run is listed. Pure. */
import type { DeadLetter } from '../../engine';
import { type Progress, resultOf } from '../../progress';
import type { RunState, RunSummary, StepResult } from '../../run';
import type { About, Summary } from './stored';

export const summarize = ({ pipeline, graph, createdAt }: About, progress: Progress): Summary => {
  const { state, deadlineAt, endedAt, results } = progress;
  const dead = Object.keys(results)
    .sort()
    .flatMap((step) => deadLetter(step, resultOf(results, step)));
  return {
    state,
    pipeline,
    graph,
    createdAt,
    deadlineAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(dead.length > 0 && { dead }),
  };
};

/** A step, or taking it back, that has failed for good. */
const deadLetter = (step: string, result: StepResult): NonNullable<Summary['dead']> => {
  const call = result.undo?.state === 'failed' ? result.undo : result;
  if (call.state !== 'failed') return [];
  const { attempts, endedAt, error } = call;
  return [
    {
      step,
      attempts,
      failedAt: endedAt as string,
      code: error?.code ?? 'internal',
      ...(error && { error }),
    },
  ];
};

export const toSummary = (
  id: string,
  { dead: _, state, pipeline, graph, ...times }: Summary,
): RunSummary => ({ id, pipeline, graph, state, ...times });

/** SQL for a summary, in the column `value_utf8`, of this state. */
export const isIn = (state: RunState): string => `value_utf8 LIKE '{"state":"${state}"%'`;

export const toDeadLetters = (run: string, { graph, dead = [] }: Summary): readonly DeadLetter[] =>
  dead.map(({ code: _, ...letter }) => ({ run, graph, ...letter }));
