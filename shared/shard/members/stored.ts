/**
 * Members in an entry of the store, whose version is the epoch. Versions only grow, so an older one than is in use means
 * that the store has lost the latest, as a failover to a replica that was behind does. It is not taken at once: there is
 * time to publish again what was lost, which agrees all. But it is taken when it stays: whoever begins now knows no other,
 * and a key must not have two owners for good. A store whose versions do not outlive it (`monotoneVersions`) is believed
 * at once.
 *
 * Fails closed: an entry that is gone is a mistake, not an empty table.
 */
import type { Store } from '../../store/store';
import { readMembersDocument } from './document';
import type { Reader } from './reader';
import type { MembersSource } from './source';

export const DEFAULT_MEMBERS_KEY = 'shard-router/members';

/** For those who ask `asOf`, and for a change that nobody told of, ms. */
const EVERY = 5_000;

/** Waits before an attempt, longer after each failure; rejects when the signal aborts. */
export type Pause = (failures: number, signal: AbortSignal) => Promise<void>;

export const storeReader = (
  { key = DEFAULT_MEMBERS_KEY }: Extract<MembersSource, { from: 'store' }>,
  store: Store,
  pause: Pause,
): Reader => ({
  name: `store ${key}`,
  every: EVERY,
  onlyNewer: store.capabilities.monotoneVersions,
  look: async () => {
    const entry = await store.get(key);
    return {
      mark: entry?.version ?? 'absent',
      read: (topology) => {
        if (!entry) return { mistakes: [{ pointer: '', message: 'is not there' }] };
        const read = readMembersDocument(topology, entry.value);
        return 'mistakes' in read ? read : { ...read, epoch: entry.version };
      },
    };
  },
  // The state comes with it, but is read again: two answers on two ways could overtake each other.
  listen: async (signal, changed) => {
    for (let failures = 0; ; ) {
      try {
        for await (const _ of store.watch(key, signal)) {
          failures = 0;
          changed();
        }
      } catch {
        // Why is for the look to tell.
        if (!signal.aborted) changed();
      }
      failures += 1;
      await pause(failures, signal);
    }
  },
});
