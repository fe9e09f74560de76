/** A layered drawing, second half: how far down each slot stands. Pure; lengths in px. */
import type { Layers, Slot } from './layers';

/** Between what stands below each other. */
const SPACE = 20;
const PASSES = 12;
/** A line bends less willingly than a box moves. */
const BEND_WEIGHT = 16;

/** The middle of every slot: as near to its neighbours as the order and the heights allow, there and back again. */
export const place = (
  { layers, slots }: Layers,
  margin: number,
  heightOf: (slot: Slot) => number,
): ReadonlyMap<string, number> => {
  const middles = new Map<string, number>();
  const arrange = (all: readonly Slot[], sides: readonly ('before' | 'behind')[]) => {
    const wishes = all.map((slot, index) => {
      const beside = sides.flatMap((side) => slot[side]);
      const weights = beside.map((id) => weightOf(slot, slots.get(id) as Slot));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return total === 0
        ? { at: middles.get(slot.id) ?? index * SPACE, weight: 0.01 }
        : {
            at:
              beside.reduce(
                (sum, id, n) => sum + (middles.get(id) as number) * (weights[n] as number),
                0,
              ) / total,
            weight: total,
          };
    });
    const gaps = all.map((slot, index) => {
      const above = all[index - 1];
      return above ? (heightOf(above) + heightOf(slot)) / 2 + SPACE : 0;
    });
    for (const [index, at] of apart(wishes, gaps).entries())
      middles.set((all[index] as Slot).id, at);
  };
  for (const all of layers) arrange(all, ['before']);
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const all of layers.toReversed())
      arrange(all, pass < PASSES / 2 ? ['behind'] : ['before', 'behind']);
    for (const all of layers) arrange(all, pass < PASSES / 2 ? ['before'] : ['before', 'behind']);
  }
  const top = Math.min(
    ...[...slots.values()].map((slot) => (middles.get(slot.id) as number) - heightOf(slot) / 2),
  );
  return new Map([...middles].map(([id, at]) => [id, Math.round(at - top + margin)]));
};

const weightOf = (a: Slot, b: Slot): number =>
  a.step === undefined && b.step === undefined ? BEND_WEIGHT : 1;

/**
 * Places in the given order, each at least its gap behind the one before, with the least squared distance from the
 * wishes: neighbours that would come too near are pooled and moved as one (isotonic regression).
 */
const apart = (
  wishes: readonly { readonly at: number; readonly weight: number }[],
  gaps: readonly number[],
): readonly number[] => {
  let offset = 0;
  const offsets = gaps.map((gap) => {
    offset += gap;
    return offset;
  });
  const pools: { at: number; weight: number; size: number }[] = [];
  for (const [index, { at, weight }] of wishes.entries()) {
    let pool = { at: at - (offsets[index] as number), weight, size: 1 };
    for (let above = pools.at(-1); above && above.at > pool.at; above = pools.at(-1)) {
      const sum = above.weight + pool.weight;
      pool = {
        at: (above.at * above.weight + pool.at * pool.weight) / sum,
        weight: sum,
        size: above.size + pool.size,
      };
      pools.pop();
    }
    pools.push(pool);
  }
  return pools
    .flatMap(({ at, size }) => Array.from({ length: size }, () => at))
    .map((at, index) => at + (offsets[index] as number));
};
