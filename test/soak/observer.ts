/** Sees pipelines from their first start to their last end, over all kills, beside what the journal says at each. */
import type { Run } from '../../shared/pipeline/run';
import type { Case } from '../shared/pipeline/conformance/case';
import { expected } from '../shared/pipeline/conformance/model';
import { compareEnd } from '../shared/pipeline/conformance/play';
import type { Hit } from '../shared/pipeline/conformance/receiver';
import type { Fulfilled } from './host';
import { standingOf } from './journal-copy';
import type { Named } from './protocol';

export type Violation = (what: string, about?: Case) => void;

interface AttemptAt {
  readonly hit: Hit;
  readonly name: string;
  readonly step: string;
  readonly undo: boolean;
  readonly attempt: number;
}

export const attemptsOf = (hits: readonly Hit[]): readonly AttemptAt[] =>
  hits.map((hit) => {
    const [name, step, undo] = hit.path.split('/') as [string, string, string?];
    return { hit, name, step, undo: undo !== undefined, attempt: hit.attempt };
  });

/** Sees one mix from its first start to its last end, over all kills. */
export const observer = (
  pipelines: readonly Named[],
  violation: (what: string, about?: Case) => void,
) => {
  const ids = new Map<string, string>();
  /** Deliveries that were looked at. */
  let seen = 0;
  /** What was recorded by the last kill: attempts that must not come again, and those that may. */
  let left: ReadonlyMap<string, Run> | undefined;

  const accept = (accepted: ReadonlyMap<string, string>): void => {
    for (const [name, id] of accepted) {
      const before = ids.get(name);
      if (before !== undefined && before !== id)
        violation(`${name} was accepted as ${before} and then as ${id}`);
      ids.set(name, id);
    }
  };

  /** Deliveries since the kill before, beside what the journal said then. */
  const review = (hits: readonly Hit[]): number => {
    let repeats = 0;
    const old = new Set(attemptsOf(hits.slice(0, seen)).map(({ hit }) => idOf(hit)));
    for (const { hit, name, step, undo, attempt } of attemptsOf(hits.slice(seen))) {
      const isRepeat = old.has(idOf(hit));
      old.add(idOf(hit));
      const run = left?.get(name);
      const standing = run ? standingOf(run, step, undo, attempt) : 'not begun';
      if (standing === 'ended')
        violation(`${idOf(hit)} was made again after its result was recorded`);
      if (!isRepeat) continue;
      repeats += 1;
      if (standing !== 'under way')
        violation(`${idOf(hit)} was made again and was not under way at the kill`);
    }
    seen = hits.length;
    return repeats;
  };

  let repeats = 0;
  return {
    killed: (
      journal: ReadonlyMap<string, Run>,
      { accepted, ended }: Pick<Fulfilled, 'accepted' | 'ended'>,
      hits: readonly Hit[],
    ): void => {
      accept(accepted);
      for (const [name, id] of ids)
        if (journal.get(name)?.id !== id) violation(`${name} was accepted and is lost`);
      for (const [name, { state }] of ended)
        if (journal.get(name)?.state !== state)
          violation(`${name} had ended as ${state}, and that is lost`);
      repeats += review(hits);
      left = journal;
      for (const { hit, name, step, undo, attempt } of attemptsOf(hits)) {
        const run = journal.get(name);
        if (!run || standingOf(run, step, undo, attempt) === 'not begun')
          violation(`${idOf(hit)} was made before it was recorded`);
      }
    },
    /** How many deliveries there were more than once. */
    ended: (
      { accepted, ended }: Pick<Fulfilled, 'accepted' | 'ended'>,
      hits: readonly Hit[],
    ): number => {
      accept(accepted);
      repeats += review(hits);
      compareEnds({ pipelines, ended, ids, hits, violation });
      return repeats;
    },
  };
};

/**
 * That a target is gone is recorded right before the attempt that found it out. Killed in between, the attempt is not
 * made again, and says that it was not.
 */
const forgiven = (run: Run): Run => ({
  ...run,
  steps: Object.fromEntries(
    Object.entries(run.steps).map(([name, step]) => [
      name,
      step.error?.code === 'target_disabled'
        ? { ...step, error: { code: 'target_gone', status: 410 } }
        : step,
    ]),
  ),
});

/** Of an attempt, by the key that its receiver sees. */
export const idOf = ({ key, attempt }: Hit): string => `${key}#${attempt}`;

export interface Ends {
  readonly pipelines: readonly Named[];
  readonly ended: ReadonlyMap<string, Run>;
  /** Of the runs that were accepted. */
  readonly ids: ReadonlyMap<string, string>;
  readonly hits: readonly Hit[];
  readonly violation: Violation;
}

/** Whether each has come to what the model says, by the attempts that the model says. */
export const compareEnds = ({ pipelines, ended, ids, hits, violation }: Ends): void => {
  for (const { name, case: case_ } of pipelines) {
    const run = ended.get(name);
    const wanted = expected(case_);
    const differences = run ? compareEnd(wanted, forgiven(run)) : ['it has not ended'];
    const made = new Set(hits.filter(({ path }) => path.startsWith(`${name}/`)).map(idOf));
    const wants = new Set(
      Object.entries(wanted.deliveries).flatMap(([key, times]) =>
        times.map((_, index) => `${ids.get(name)}:${key}#${index + 1}`),
      ),
    );
    const all = [
      ...differences,
      ...[...wants].filter((id) => !made.has(id)).map((id) => `${id} was never made`),
      ...[...made].filter((id) => !wants.has(id)).map((id) => `${id} must not be made`),
    ];
    if (all.length > 0) violation(`${name}: ${all.join('; ')}`, case_);
  }
};
