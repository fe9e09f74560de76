/**
 * What was taken of a limit in a sliding window: pure. The window is cut into slots, and a slot counts until its very
 * end is older than the window, so at no moment is more taken within it than the limit says; the last sixtieth may
 * count a little longer than it must.
 */

export interface WindowLimit {
  /** What may be taken: a whole number from 0. */
  readonly points: number;
  /** ms, a multiple of `SLOTS`. */
  readonly duration: number;
}

/** Points by slot, the oldest first. */
export type Slots = readonly (readonly [slot: number, points: number])[];

export const SLOTS = 60;

/** How long an entry must live that holds such a window, ms. */
export const lifeOf = (duration: number): number => duration + 2 * (duration / SLOTS);

const slotOf = (duration: number, at: number): number => Math.floor(at / (duration / SLOTS));

/** When the slot does not count any more, ms since the epoch. */
const endOf = (duration: number, slot: number): number =>
  (slot + 1) * (duration / SLOTS) + duration;

/** Those that still count. */
export const alive = (slots: Slots, duration: number, now: number): Slots =>
  slots.filter(([slot]) => now < endOf(duration, slot));

export const sum = (slots: Slots): number => slots.reduce((total, [, points]) => total + points, 0);

/** With so many more, taken at `at`. */
export const add = (slots: Slots, duration: number, at: number, points: number): Slots => {
  const mine = slotOf(duration, at);
  const rest = slots.filter(([slot]) => slot !== mine);
  const before = slots.find(([slot]) => slot === mine)?.[1] ?? 0;
  return [...rest, [mine, before + points] as const].sort(([a], [b]) => a - b);
};

/**
 * Of slots that still count: with so many given back that were taken at `at`, from their own slot, and what it lacks
 * from older ones, which end sooner. Never from younger ones: then more could be taken than the limit says once the
 * older have ended.
 */
export const subtract = (
  slots: Slots,
  duration: number,
  { at, points }: { readonly at: number; readonly points: number },
): Slots => {
  const mine = slotOf(duration, at);
  let left = points;
  return [...slots]
    .reverse()
    .map(([slot, held]) => {
      const given = slot <= mine ? Math.min(held, left) : 0;
      left -= given;
      return [slot, held - given] as const;
    })
    .reverse()
    .filter(([, held]) => held > 0);
};

/**
 * How long until `points` more fit, in ms: 0 is now. `besides`: what counts elsewhere. What can never fit is told the
 * whole window.
 */
export const waitFor = (
  slots: Slots,
  { points: limit, duration }: WindowLimit,
  {
    points,
    besides = 0,
    now,
  }: { readonly points: number; readonly besides?: number; readonly now: number },
): number => {
  let excess = sum(slots) + besides + points - limit;
  if (excess <= 0) return 0;
  for (const [slot, held] of slots) {
    excess -= held;
    if (excess <= 0) return Math.max(1, endOf(duration, slot) - now);
  }
  return duration;
};
