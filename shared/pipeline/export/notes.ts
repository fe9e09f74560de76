/** What whoever runs an export must know, in sentences. */
import type { Pipeline, Step } from '../pipeline';

type Stages = readonly (readonly Step[])[];

export const variables = (steps: readonly Step[]): readonly string[] => [
  ...new Set(steps.flatMap(({ target }) => ('webhook' in target ? [target.webhook] : []))),
];

export const calls = (steps: readonly Step[], kind: 'function' | 'webhook' | 'event' | 'wait') =>
  steps.some(({ target }) => kind in target);

/** Whether a step has to wait for one that it does not come after, because the format goes stage by stage. */
export const isStricter = (stages: Stages): boolean => {
  const before = new Map<string, ReadonlySet<string>>();
  for (const { name, after } of stages.flat())
    before.set(name, new Set(after.flatMap((other) => [other, ...(before.get(other) ?? [])])));
  return stages.some((stage, depth) =>
    stage.some(({ name }) =>
      stages
        .slice(0, depth)
        .flat()
        .some((other) => !before.get(name)?.has(other.name)),
    ),
  );
};

/** Of formats that have runs. */
export const runNotes = ({ steps }: Pick<Pipeline, 'steps'>, stages: Stages): readonly string[] => [
  'Calls are not signed.',
  ...(isStricter(stages)
    ? ['Steps go stage by stage: one also waits for the rest of the stage before its own.']
    : []),
  ...(steps.some(({ retry, target }) => retry.attempts > 1 && !('wait' in target))
    ? ['Waits between attempts are not jittered, and Retry-After is not read.']
    : []),
  'Not carried over: who may start a run and who may see what of it, retention, circuit breakers, dead letters, replay.',
];
