/**
 * Bounded load, as HAProxy's `hash-balance-factor` has it: a shard takes a request only while it has less in flight than
 * its part, by weight, of all that is in flight with this one, times the factor; rounded up, and one at least.
 * Source: V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
 */

/** What is counted. Both numbers are of the shards that are up: the others can take nothing. */
export interface Total {
  readonly inFlight: number;
  readonly weight: number;
}

export interface Load {
  readonly inFlight: number;
  readonly weight: number;
}

/** The factor in thousandths: whole numbers divide without an error that would round up to one more. */
const THOUSANDTHS = 1000;

/** How many requests a shard may have in flight, with the one that is to come. */
export const roomOf = (weight: number, total: Total, factor: number): number =>
  Math.max(
    1,
    Math.ceil(
      (Math.round(factor * THOUSANDTHS) * (total.inFlight + 1) * weight) /
        (THOUSANDTHS * total.weight),
    ),
  );

export const hasRoom = ({ inFlight, weight }: Load, total: Total, factor: number): boolean =>
  inFlight < roomOf(weight, total, factor);

/** Whether one has less to do than another, beside what it can take. */
export const isLighter = (one: Load, other: Load): boolean =>
  one.inFlight * other.weight < other.inFlight * one.weight;
