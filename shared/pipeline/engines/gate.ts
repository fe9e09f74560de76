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
  /** Resolves with the way out, to be taken once; with `undefined` when the gate was closed before there was a place. */
  enter(target: string): Promise<Leave | undefined>;
  /** Lets nobody in any more. */
  close(): void;
}

export type Leave = () => void;

interface Queue {
  inside: number;
  readonly waiting: { readonly since: number; readonly enter: (open: boolean) => void }[];
}

export const createGate = ({ limit, share }: GateOptions): Gate => {
  const queues = new Map<string, Queue>();
  let inside = 0;
  let arrivals = 0;
  let closed = false;

  const admit = (): void => {
    while (inside < limit) {
      const queue = fairest(queues.values(), share);
      if (!queue) return;
      inside += 1;
      queue.inside += 1;
      queue.waiting.shift()?.enter(true);
    }
  };

  return {
    enter: async (target) => {
      if (closed) return undefined;
      const queue = queues.get(target) ?? { inside: 0, waiting: [] };
      queues.set(target, queue);
      const open = await new Promise<boolean>((enter) => {
        arrivals += 1;
        queue.waiting.push({ since: arrivals, enter });
        admit();
      });
      if (!open) return undefined;
      return () => {
        inside -= 1;
        queue.inside -= 1;
        if (queue.inside === 0 && queue.waiting.length === 0) queues.delete(target);
        admit();
      };
    },
    close: () => {
      closed = true;
      for (const { waiting } of queues.values())
        for (const { enter } of waiting.splice(0)) enter(false);
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
