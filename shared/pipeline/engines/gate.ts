/**
 * Bounds how many calls are made at once, and shares the places: one that is slow to answer cannot take them all.
 * A free place goes to the target that holds the fewest; among equals, to who has waited longest.
 */

export interface GateOptions {
  /** Places, in all. */
  readonly limit: number;
  /** Places that one target may hold. */
  readonly share: number;
}

export interface Gate {
  /** Resolves, as soon as there is a place, with the way out: to be taken once. */
  enter(target: string): Promise<Leave>;
}

export type Leave = () => void;

interface Queue {
  inside: number;
  readonly waiting: { readonly since: number; readonly enter: () => void }[];
}

export const createGate = ({ limit, share }: GateOptions): Gate => {
  const queues = new Map<string, Queue>();
  let inside = 0;
  let arrivals = 0;

  const admit = (): void => {
    while (inside < limit) {
      const queue = fairest(queues.values(), share);
      if (!queue) return;
      inside += 1;
      queue.inside += 1;
      queue.waiting.shift()?.enter();
    }
  };

  return {
    enter: async (target) => {
      const queue = queues.get(target) ?? { inside: 0, waiting: [] };
      queues.set(target, queue);
      await new Promise<void>((enter) => {
        arrivals += 1;
        queue.waiting.push({ since: arrivals, enter });
        admit();
      });
      return () => {
        inside -= 1;
        queue.inside -= 1;
        if (queue.inside === 0 && queue.waiting.length === 0) queues.delete(target);
        admit();
      };
    },
  };
};

const fairest = (queues: Iterable<Queue>, share: number): Queue | undefined => {
  let best: Queue | undefined;
  for (const queue of queues)
    if (queue.waiting.length > 0 && queue.inside < share && (!best || isBefore(queue, best)))
      best = queue;
  return best;
};

const isBefore = (a: Queue, b: Queue): boolean =>
  a.inside < b.inside || (a.inside === b.inside && headOf(a) < headOf(b));

const headOf = ({ waiting }: Queue): number => waiting[0]?.since ?? 0;
