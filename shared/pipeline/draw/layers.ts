/**
 * A layered drawing of a graph, first half (Sugiyama, Tagawa and Toda 1981): what stands in which layer, in which order.
 *
 * An edge over several layers gets a bend in each that it passes; all long edges from one step share them, so that
 * a step that many wait for sends out one line that forks late. Deterministic, no randomness.
 */
import { levelsOf } from '../levels';
import type { Step } from '../pipeline';

export interface Slot {
  /** Of the step, or of the bend: `<step> <layer>`. */
  readonly id: string;
  /** Absent for a bend. */
  readonly step?: string;
  /** Slots in the layer before that lead here, and those in the next that this leads to. */
  readonly before: string[];
  readonly behind: string[];
}

export interface Layers {
  /** Each layer from top to bottom. */
  readonly layers: readonly (readonly Slot[])[];
  /** By id of the slot. */
  readonly slots: ReadonlyMap<string, Slot>;
}

/** Beyond them hardly a crossing goes any more. */
const SWEEPS = 12;

export const layer = (steps: readonly Pick<Step, 'name' | 'after'>[]): Layers => {
  const layers: Slot[][] = levelsOf(steps).map((level) =>
    level.map(({ name }) => ({ id: name, step: name, before: [], behind: [] })),
  );
  const slots = new Map(layers.flat().map((slot) => [slot.id, slot]));
  const depths = new Map(layers.flatMap((all, depth) => all.map(({ id }) => [id, depth] as const)));
  for (const { name, after } of steps)
    for (const from of after) {
      let last = slots.get(from) as Slot;
      for (let at = (depths.get(from) as number) + 1; at < (depths.get(name) as number); at += 1) {
        const id = `${from} ${at}`;
        if (!slots.has(id)) {
          const bend: Slot = { id, before: [], behind: [] };
          slots.set(id, bend);
          layers[at]?.push(bend);
        }
        join(last, slots.get(id) as Slot);
        last = slots.get(id) as Slot;
      }
      join(last, slots.get(name) as Slot);
    }
  return { layers: untangle(layers), slots };
};

const join = (from: Slot, to: Slot): void => {
  if (from.behind.includes(to.id)) return;
  from.behind.push(to.id);
  to.before.push(from.id);
};

/** Barycentre sweeps there and back; the order with the fewest crossings stays, the earliest of equals. */
const untangle = (layers: Slot[][]): Slot[][] => {
  let best = layers;
  let fewest = crossings(layers);
  let now = layers;
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep += 1) {
    now = sweep % 2 === 0 ? sweepDown(now) : sweepUp(now);
    const found = crossings(now);
    if (found >= fewest) continue;
    best = now;
    fewest = found;
  }
  return best;
};

const sweepDown = (layers: readonly Slot[][]): Slot[][] => {
  const sorted: Slot[][] = [];
  for (const all of layers) sorted.push(sortBy(all, sorted.at(-1) ?? [], 'before'));
  return sorted;
};

const sweepUp = (layers: readonly Slot[][]): Slot[][] => {
  const sorted: Slot[][] = [];
  for (const all of layers.toReversed()) sorted.unshift(sortBy(all, sorted[0] ?? [], 'behind'));
  return sorted;
};

/** By the mean place of the neighbours; who has none stays where it is. */
const sortBy = (
  all: readonly Slot[],
  beside: readonly Slot[],
  side: 'before' | 'behind',
): Slot[] => {
  const places = placesOf(beside);
  const weight = (slot: Slot, place: number): number =>
    slot[side].length === 0
      ? place
      : slot[side].reduce((sum, id) => sum + (places.get(id) ?? 0), 0) / slot[side].length;
  const weights = new Map(all.map((slot, place) => [slot.id, weight(slot, place)]));
  return [...all].sort((a, b) => (weights.get(a.id) as number) - (weights.get(b.id) as number));
};

/** Pairs of edges between neighbouring layers that cross. */
export const crossings = (layers: readonly (readonly Slot[])[]): number =>
  layers.reduce((sum, all, depth) => {
    const places = placesOf(layers[depth + 1] ?? []);
    const ends = all.flatMap(({ behind }) =>
      behind.map((id) => places.get(id) as number).sort((a, b) => a - b),
    );
    return sum + inversions(ends);
  }, 0);

const placesOf = (all: readonly Slot[]): ReadonlyMap<string, number> =>
  new Map(all.map(({ id }, place) => [id, place]));

/** Pairs that stand the wrong way round, counted while they are merged. */
const inversions = (values: readonly number[]): number => {
  if (values.length < 2) return 0;
  const half = values.length >> 1;
  const [left, right] = [values.slice(0, half), values.slice(half)];
  const inner = inversions(left) + inversions(right);
  left.sort((a, b) => a - b);
  right.sort((a, b) => a - b);
  let across = 0;
  let place = 0;
  for (const value of right) {
    while (place < left.length && (left[place] as number) <= value) place += 1;
    across += left.length - place;
  }
  return inner + across;
};
