/** A table over a real store of members, with a clock that stands still and a store that can be cut off. */
import { Failure } from '../../shared/failure';
import { systemRandom } from '../../shared/random';
import { liveTable } from '../../shared/shard/members/live-table';
import { publishMembers } from '../../shared/shard/members/publish';
import type { LiveTable } from '../../shared/shard/members/source';
import { DEFAULT_MEMBERS_KEY } from '../../shared/shard/members/stored';
import type { TopologyInput } from '../../shared/shard/topology';
import { memoryStore } from '../../shared/store/memory';
import type { Store } from '../../shared/store/store';
import { testContext } from './invoke';
import { type ManualClock, manualClock } from './manual-clock';

export interface StoredTable {
  readonly clock: ManualClock;
  readonly table: LiveTable;
  /** Gives the epoch. */
  publish(...names: readonly string[]): Promise<number>;
  /** From now on the store answers: `fails` at once, `hangs` never. */
  answer(how: 'well' | 'fails' | 'hangs'): void;
  /** How often the store was read for the table. */
  reads(): number;
}

export const storedTable = (
  topology: Omit<TopologyInput, 'shards'> = { mode: 'native' },
): StoredTable => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  let how: 'well' | 'fails' | 'hangs' = 'well';
  let reads = 0;
  const behind: Store = Object.create(store, {
    get: {
      value: (key: string) => {
        reads += 1;
        if (how === 'hangs') return new Promise(() => undefined);
        return how === 'fails' ? Promise.reject(new Failure('store_unavailable')) : store.get(key);
      },
    },
  });
  return {
    clock,
    table: liveTable({
      topology: topology as TopologyInput,
      members: { from: 'store' },
      store: behind,
      clock,
      random: systemRandom,
      log: testContext().log,
    }),
    publish: async (...names) => {
      const members = { shards: names.map((address) => ({ address })) };
      const published = await publishMembers(store, DEFAULT_MEMBERS_KEY, members, {
        topology: topology as TopologyInput,
      });
      if (!('epoch' in published)) throw new Error(JSON.stringify(published));
      return published.epoch;
    },
    answer: (next) => {
      how = next;
    },
    reads: () => reads,
  };
};
