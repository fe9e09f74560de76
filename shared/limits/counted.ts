/** What one entry holds of a limit: several windows that are counted together. Pure. */
import { add, alive, lifeOf, type Slots, subtract, sum, type WindowLimit, waitFor } from './window';

export interface Counted {
  readonly windows: readonly Slots[];
  /** How often something was refused, as long as the entry lives. */
  readonly refused: number;
}

/** The same in every window, or for each its own. */
export type Points = number | readonly number[];

const pointsIn = (points: Points, i: number): number =>
  typeof points === 'number' ? points : (points[i] ?? 0);

/** The most that is taken from a window. */
export const mostOf = (points: Points): number =>
  typeof points === 'number' ? points : Math.max(...points);

/** How long such an entry must live, ms. */
export const lifeOfAll = (limits: readonly WindowLimit[]): number =>
  Math.max(...limits.map(({ duration }) => lifeOf(duration)));

/** Each window as it counts now. */
export const current = (
  counted: Counted | undefined,
  limits: readonly WindowLimit[],
  now: number,
): readonly Slots[] =>
  limits.map(({ duration }, i) => alive(counted?.windows[i] ?? [], duration, now));

/** What counts in each window. */
export const sums = (windows: readonly Slots[]): readonly number[] => windows.map(sum);

export interface TakeFacts {
  readonly points: Points;
  /** The moment that it counts from, ms since the epoch. */
  readonly at: number;
  readonly now: number;
  /** What counts elsewhere, by window. @default nothing */
  readonly besides?: readonly number[] | undefined;
  /** Nothing is refused. @default false */
  readonly unlimited?: boolean | undefined;
}

/** From every window or from none; `wait`: ms until it would fit, 0 when it was taken. */
export const takeFrom = (
  before: Counted | undefined,
  limits: readonly WindowLimit[],
  { points, at, now, besides = [], unlimited = false }: TakeFacts,
): { readonly value: Counted; readonly wait: number } => {
  const windows = current(before, limits, now);
  const refused = before?.refused ?? 0;
  const waits = limits.map((limit, i) => {
    const asked = { points: pointsIn(points, i), besides: besides[i] ?? 0, now };
    return unlimited || asked.points === 0 ? 0 : waitFor(windows[i] ?? [], limit, asked);
  });
  const wait = Math.max(...waits);
  if (wait > 0) return { value: { windows, refused: refused + 1 }, wait };
  const taken = limits.map(({ duration }, i) =>
    add(windows[i] ?? [], duration, at, pointsIn(points, i)),
  );
  return { value: { windows: taken, refused }, wait };
};

/** What was taken at `at` and not used. */
export const giveBackTo = (
  before: Counted | undefined,
  limits: readonly WindowLimit[],
  { points, at, now }: Pick<TakeFacts, 'points' | 'at' | 'now'>,
): Counted => ({
  windows: current(before, limits, now).map((slots, i) =>
    subtract(slots, (limits[i] as WindowLimit).duration, { at, points: pointsIn(points, i) }),
  ),
  refused: before?.refused ?? 0,
});
