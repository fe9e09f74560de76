/** Plays generated cases on an engine; the first that comes to something else than the model says is made small. */
import fc from 'fast-check';
import type { EngineLab, EngineLabOptions } from '../../../contracts/engine-lab';
import { answerOf, type Called, type Case, describeCase } from './case';
import { cases, type Profile } from './generate';
import { type Played, play } from './play';

/** Which pipeline is played by which case. */
export interface Scripts extends EngineLabOptions {
  add(pipeline: string, case_: Case): void;
  delete(pipeline: string): void;
}

export const createScripts = (): Scripts => {
  const byPipeline = new Map<string, Case>();
  return {
    add: (pipeline, case_) => void byPipeline.set(pipeline, case_),
    delete: (pipeline) => void byPipeline.delete(pipeline),
    answer: (path, attempt) => {
      const [pipeline, name, undo] = path.split('/') as [string, string, 'undo'?];
      const step = byPipeline.get(pipeline)?.steps.find((one) => one.name === name);
      return answerOf((undo ? step?.undo : step) as Called, attempt);
    },
  };
};

export interface ConformOptions {
  readonly lab: EngineLab;
  readonly scripts: Scripts;
  readonly profile: Profile;
  readonly count: number;
  readonly atOnce: number;
  readonly seed: number;
  /** Told after each batch. @default nobody */
  readonly onProgress?: (played: number) => void;
}

export interface Conformed {
  readonly played: number;
  /** Attempts that reached a receiver. */
  readonly deliveries: number;
  /** For a reader: the seed, the smallest case that does so too, and what differs. */
  readonly violation?: string;
}

export const conform = async (options: ConformOptions): Promise<Conformed> => {
  const { profile, count, atOnce, seed, onProgress } = options;
  const all = fc.sample(cases(profile), { seed, numRuns: count });
  let deliveries = 0;
  for (let first = 0; first < count; first += atOnce) {
    const batch = all.slice(first, first + atOnce);
    const played = await playAll(batch, `c${first}`, options);
    deliveries += played.reduce((sum, one) => sum + one.deliveries, 0);
    onProgress?.(first + batch.length);
    const index = played.findIndex(({ differences }) => differences.length > 0);
    if (index === -1) continue;
    const violation = await smallest(played[index] as Played, first + index, options);
    return { played: first + batch.length, deliveries, violation };
  }
  return { played: count, deliveries };
};

const playAll = async (
  batch: readonly Case[],
  prefix: string,
  { lab, scripts, profile }: ConformOptions,
): Promise<readonly Played[]> => {
  const names = batch.map((_, index) => `${prefix}-${index}`);
  for (const [index, name] of names.entries()) scripts.add(name, batch[index] as Case);
  const played = await play(batch, { lab, exact: profile.lateness === 0, names });
  for (const name of names) scripts.delete(name);
  return played;
};

const smallest = async (found: Played, index: number, options: ConformOptions): Promise<string> => {
  const { seed, profile, count } = options;
  let tries = 0;
  let last: Played | undefined;
  const property = fc.asyncProperty(cases(profile), async (case_) => {
    tries += 1;
    const [played] = (await playAll([case_], `r${index}-${tries}`, options)) as [Played];
    if (played.differences.length > 0) last = played;
    return played.differences.length === 0;
  });
  await fc.check(property, {
    seed,
    path: String(index),
    numRuns: 1,
    interruptAfterTimeLimit: 20_000,
  });
  const { case: case_, differences } = last ?? found;
  return [
    `case ${index} of ${count}, seed ${seed}${last ? `, the smallest of ${tries} tries` : ', only beside others'}`,
    describeCase(case_),
    ...differences,
  ].join('\n');
};
