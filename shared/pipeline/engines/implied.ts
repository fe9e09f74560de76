/**
 * What the acceptance of a run says by itself: a step that waits for nothing begins then, and any other is still to
 * come. Journals need no line for that, and most steps have one line less to be written.
 */
import type { RunRecord } from '../progress';
import { resultOf } from '../progress';
import type { Results, StepResult } from '../run';

/** Those of the results, as they are objects, that can be left out when a run is accepted. */
export const impliedResults = ({ createdAt }: RunRecord, results: Results): Results =>
  Object.fromEntries(Object.entries(results).filter(([, result]) => isImplied(result, createdAt)));

const isImplied = (result: StepResult, createdAt: string): boolean => {
  const { state, attempts, startedAt, ...more } = result;
  if (Object.keys(more).length > 0) return false;
  if (state === 'pending') return attempts === 0 && startedAt === undefined;
  return state === 'running' && attempts === 1 && startedAt === createdAt;
};

/** The results of a run from those that have been written. What has changed since the acceptance always is. */
export const withImplied = (
  { pipeline, createdAt }: Pick<RunRecord, 'pipeline' | 'createdAt'>,
  written: Results,
): Results =>
  Object.fromEntries(
    pipeline.steps.map(({ name, after }): [string, StepResult] => {
      if (Object.hasOwn(written, name)) return [name, written[name] as StepResult];
      const hasBegun = after.every((other) => isLeftOut(resultOf(written, other)));
      return [
        name,
        hasBegun
          ? { state: 'running', attempts: 1, startedAt: createdAt }
          : { state: 'pending', attempts: 0 },
      ];
    }),
  );

/** From the acceptance on: nothing waits for that. */
const isLeftOut = ({ state, endedAt }: StepResult): boolean =>
  state === 'skipped' && endedAt === undefined;
