/** The runs that are carried through in this process, for those who wait for them here: no change is asked for. */
import type { Shown } from './stored';

export interface Hub {
  /** A run is carried here from now on; gives the way out. */
  enter(id: string): { publish(shown: Shown): void; leave(): void };
  /** As it stands after all that is journaled; `undefined`: it is not carried here. */
  latest(id: string): Shown | undefined;
  /** Calls back at every change, and when it is carried here no longer; gives the way out. */
  watch(id: string, changed: (shown: Shown | undefined) => void): () => void;
}

export const createHub = (): Hub => {
  const carried = new Map<string, { latest?: Shown }>();
  const watchers = new Map<string, Set<(shown: Shown | undefined) => void>>();

  const notify = (id: string, shown: Shown | undefined): void => {
    for (const changed of [...(watchers.get(id) ?? [])]) changed(shown);
  };

  return {
    enter: (id) => {
      const mine: { latest?: Shown } = {};
      carried.set(id, mine);
      return {
        publish: (shown) => {
          mine.latest = shown;
          notify(id, shown);
        },
        leave: () => {
          // A later passage may be here already.
          if (carried.get(id) !== mine) return;
          carried.delete(id);
          notify(id, undefined);
        },
      };
    },
    latest: (id) => carried.get(id)?.latest,
    watch: (id, changed) => {
      const all = watchers.get(id) ?? new Set();
      watchers.set(id, all.add(changed));
      return () => {
        all.delete(changed);
        if (all.size === 0 && watchers.get(id) === all) watchers.delete(id);
      };
    },
  };
};
