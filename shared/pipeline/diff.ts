/** What has changed from one graph of a pipeline to the next, and whether a run of the one could go on with the other. */
import { canonicalJson } from '../canonical';
import { ancestorsOf, type Graph } from './graph';
import type { Pipeline, Step } from './pipeline';
import type { Results, StepResult } from './run';

export interface GraphChange {
  /** Empty: the pipeline itself. */
  readonly step: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a change: its fields, by name. `keep` only when more is read than before. */
  readonly fields?: readonly string[];
  /** The steps that wait, directly or not, for one that was added or that waits for others now. */
  readonly before?: readonly string[];
}

/** The pipeline first, then its steps in the order of `to`, then those that are gone. Their order alone is no change. */
export const diffGraphs = (from: Pipeline, to: Pipeline): readonly GraphChange[] => {
  const old = byName(from);
  const current = byName(to);
  const graph: Graph = new Map(to.steps.map(({ name, after }) => [name, after]));
  const before = (name: string) =>
    to.steps.map((step) => step.name).filter((other) => ancestorsOf(graph, other).has(name));
  const { steps: _, hash: __, ...pipelineFrom } = from;
  const { steps: ___, hash: ____, ...pipelineTo } = to;
  const fields = changed(pipelineFrom, pipelineTo);
  return [
    ...(fields.length > 0 ? [{ step: '', change: 'changed' as const, fields }] : []),
    ...to.steps.flatMap((step): readonly GraphChange[] => {
      const { name } = step;
      const was = old.get(name);
      if (!was) return [{ step: name, change: 'added', before: before(name) }];
      const fields = changedIn(was, step);
      if (fields.length === 0) return [];
      const isMoved = fields.includes('after');
      return [{ step: name, change: 'changed', fields, ...(isMoved && { before: before(name) }) }];
    }),
    ...from.steps
      .filter(({ name }) => !current.has(name))
      .map(({ name }): GraphChange => ({ step: name, change: 'removed' })),
  ];
};

/**
 * Those changes with which a run that stands like this could not go on. What has begun must still be there, with the
 * same target, input and place; nothing may have been put before it; of its answer no more may be read than was kept;
 * and an undo that has begun is what it was.
 */
export const conflicts = (
  changes: readonly GraphChange[],
  results: Results,
): readonly GraphChange[] => {
  const resultOf = (name: string): StepResult | undefined =>
    Object.hasOwn(results, name) ? results[name] : undefined;
  return changes.filter(({ step, change, fields = [], before = [] }) => {
    const result = resultOf(step);
    return (
      before.some((name) => hasBegun(resultOf(name))) ||
      (hasBegun(result) && (change === 'removed' || fields.some((field) => FIXED.has(field)))) ||
      (fields.includes('undo') && (result?.undo?.attempts ?? 0) > 0)
    );
  });
};

const FIXED: ReadonlySet<string> = new Set(['target', 'input', 'after', 'keep']);

const hasBegun = (result: StepResult | undefined): boolean =>
  result !== undefined &&
  (result.attempts > 0 || (result.state !== 'pending' && result.state !== 'skipped'));

const byName = ({ steps }: Pipeline): ReadonlyMap<string, Step> =>
  new Map(steps.map((step) => [step.name, step]));

/** The order of `after` and `expose` says nothing. */
const changedIn = (from: Step, to: Step): readonly string[] => {
  const { keep: kept, ...was } = from;
  const { keep, ...is } = to;
  const plain = (step: Omit<Step, 'keep'>) => ({
    ...step,
    after: [...step.after].sort(),
    expose: [...step.expose].sort(),
  });
  return [
    ...changed(plain(was), plain(is)),
    ...(keep.some((pointer) => !kept.includes(pointer)) ? ['keep'] : []),
  ];
};

/** By name, sorted. */
const changed = (from: object, to: object): readonly string[] => {
  const [old, current] = [new Map(Object.entries(from)), new Map(Object.entries(to))];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((field) => canonicalJson([old.get(field)]) !== canonicalJson([current.get(field)]))
    .sort();
};
