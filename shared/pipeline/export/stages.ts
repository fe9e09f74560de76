/**
 * The steps in stages: each begins when the one before has ended and no required step of it has failed.
 *
 * The one form in which these formats begin nothing once a run is lost, as we do. What waits before its first
 * attempt makes a stage of its own, since a failure beside it would come after the stage has begun.
 */
import { levelsOf } from '../levels';
import type { Step } from '../pipeline';

export const stagesOf = (steps: readonly Step[]): readonly (readonly Step[])[] =>
  levelsOf(steps).flatMap((level) => {
    const delays = [...new Set(level.map(({ delay = 0 }) => delay))].sort((a, b) => a - b);
    return delays.map((ms) => level.filter(({ delay = 0 }) => delay === ms));
  });
