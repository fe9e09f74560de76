/** The first state of a run. Pure. */
import { decide } from '../next';
import type { Pipeline, Target } from '../pipeline';
import type { Progress } from '../progress';
import { advance } from './advance';
import { iso } from './transition';

export interface BeginOptions {
  readonly input: unknown;
  /** Whether a target has an address to go to. */
  readonly isConfigured: (target: Target) => boolean;
  /** ms since the epoch */
  readonly now: number;
}

export const begin = (pipeline: Pipeline, { input, isConfigured, now }: BeginOptions): Progress =>
  advance(
    pipeline,
    {
      state: 'running',
      results: decide(pipeline, input, isConfigured),
      deadlineAt: iso(now + pipeline.deadline),
    },
    { now },
  );
