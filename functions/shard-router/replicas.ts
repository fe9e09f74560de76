/**
 * The less loaded of two at random: nearly as even as the least loaded of all, without everybody choosing the same.
 * Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001).
 */
import type { Random } from '../../shared/random';

/** `undefined` where there is none; the first of the two when neither has less. */
export const ofTwo = <T>(
  all: readonly T[],
  isLighter: (one: T, other: T) => boolean,
  random: Pick<Random, 'below'>,
): T | undefined => {
  const { length } = all;
  if (length < 2) return all[0];
  const at = random.below(length);
  const next = random.below(length - 1);
  const one = all[at] as T;
  const other = all[next < at ? next : next + 1] as T;
  return isLighter(other, one) ? other : one;
};
