/** How far a run has come, as an engine keeps it: more than a reader sees, and all that a machine needs to go on. */
import type { Pipeline } from './pipeline';
import type { Replay, Results, Run, RunState, StepResult } from './run';

/** What a run is from its acceptance on. Only a replay with another graph changes it. */
export interface RunRecord {
  readonly id: string;
  /** The graph it was started with, whatever is deployed by now. */
  readonly pipeline: Pipeline;
  readonly input: unknown;
  readonly traceparent: string;
  readonly createdAt: string;
}

/** Times are ISO 8601 in UTC. */
export interface Progress {
  readonly state: RunState;
  /** One for every step of the graph. */
  readonly results: Results;
  /** From then on no attempt of a step begins; what undoes one may. */
  readonly deadlineAt: string;
  readonly endedAt?: string;
  readonly cancelled?: { readonly at: string; readonly by: string; readonly reason: string };
  readonly replays?: readonly Replay[];
}

export const resultOf = (results: Results, name: string): StepResult =>
  Object.hasOwn(results, name) ? (results[name] as StepResult) : { state: 'pending', attempts: 0 };

/** What a reader may see. */
export const toRun = ({ id, pipeline, createdAt }: RunRecord, progress: Progress): Run => {
  const { state, results, deadlineAt, endedAt, cancelled, replays } = progress;
  return {
    id,
    pipeline: pipeline.name,
    graph: pipeline.hash,
    state,
    steps: Object.fromEntries(
      pipeline.steps.map(({ name }) => {
        const { kept: _, answered: __, ...shown } = resultOf(results, name);
        return [name, shown];
      }),
    ),
    createdAt,
    deadlineAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(cancelled && { cancelled }),
    ...(replays && { replays }),
  };
};
