/** Every engine brings the same pipeline to the same end: generated graphs and failure scripts, beside a simple model. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { conform, createScripts, type Scripts } from '../shared/pipeline/conformance/conform';
import type { Profile } from '../shared/pipeline/conformance/generate';
import type { CreateEngineLab, EngineLab } from './engine-lab';

export interface ConformanceOptions {
  readonly count: number;
  /** How many are played side by side. */
  readonly atOnce: number;
  readonly profile: Profile;
  /** The same seed gives the same cases. @default the environment's CONFORMANCE_SEED, else one that is new each time */
  readonly seed?: number;
}

export const describeConformance = (
  name: string,
  createLab: CreateEngineLab,
  { count, atOnce, profile, seed = seedOf() }: ConformanceOptions,
): void => {
  describe(`${name}: generated pipelines`, () => {
    let scripts: Scripts;
    let lab: EngineLab;
    beforeAll(async () => {
      scripts = createScripts();
      lab = await createLab({ answer: scripts.answer });
    });
    afterAll(() => lab.close());

    test(`${count} of them end as the model says (seed ${seed})`, async () => {
      const report = await conform({ lab, scripts, profile, count, atOnce, seed });
      expect(report.violation ?? '').toBe('');
      expect(report.played).toBe(count);
    }, 120_000);
  });
};

const seedOf = (): number =>
  Number(process.env.CONFORMANCE_SEED ?? Math.floor(Math.random() * 2 ** 31));
