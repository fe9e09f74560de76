/**
 * What is said when nobody may be asked: to come again later, or, with `pin-retry`, to wait. Pure, and in bounds: a
 * request waits for `retryFor` at most, and not at all for a shard that is known to stay down for longer.
 */
import type { Choice, Wish } from './choice';
import type { Place, Rules } from './choose';
import { type CircuitLimits, restOf } from './circuit';

/** The soonest that a client is asked to come again, ms: what a whole second of Retry-After can say. */
const LEAST_RETRY = 1_000;

/** Parts of `retryFor`: between two attempts of one request, which has three; and between two looks at one's shard. */
const BETWEEN_ATTEMPTS = 1 / 3;
const BETWEEN_LOOKS = 1 / 20;

/** With `pin-retry` a server stays open for this part of `retryFor` at most: there are requests that wait for it. */
const STAYS_OPEN = 1 / 8;

/** How long a server stays open where requests may be waiting for it, ms. */
export const openForOf = ({ onDown, openFor, retryFor }: OpenForOptions): number =>
  onDown === 'pin-retry' ? Math.min(openFor, retryFor * STAYS_OPEN) : openFor;

interface OpenForOptions
  extends Pick<Rules, 'onDown' | 'retryFor'>,
    Pick<CircuitLimits, 'openFor'> {}

/** Of the places that could have answered. */
export const nobody = (
  places: readonly Place[],
  { owner, tried, since }: Wish,
  { onDown, limits, retryFor, random }: Rules,
  now: number,
): Choice => {
  // 0 where it is not for the time to say: one has just failed, or somebody is finding out.
  const rest = Math.min(
    ...places.flatMap(({ servers }) => servers.map(({ circuit }) => restOf(circuit, limits, now))),
  );
  const left = since + retryFor - now;
  if (onDown === 'pin-retry' && rest < left) {
    const step = retryFor * (tried.size > 0 ? BETWEEN_ATTEMPTS : BETWEEN_LOOKS);
    // Only ever longer, and by chance, so that those who wait together do not come back together.
    const ms = Math.max(rest, step) * (1 + random.below(250) / 1_000);
    return { kind: 'wait', ms: Math.ceil(Math.min(ms, left)) };
  }
  const retryAfter = Number.isFinite(rest) ? Math.max(rest, LEAST_RETRY) : LEAST_RETRY;
  return { kind: 'refused', shard: owner, retryAfter };
};
