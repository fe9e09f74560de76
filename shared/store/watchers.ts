/**
 * Watching, the same for every store: a watcher is only told that its key may have changed, and reads the state when
 * its consumer asks for the next one. Nothing queues up, so a slow consumer skips states and never the latest.
 *
 * Fails closed: a watcher that cannot read rejects with what reading rejects with, and is over. Nobody goes on with a
 * state that may be gone.
 */
import type { Clock } from '../clock';
import { ABSENT, type Entry, type Version } from './store';

export interface WatchersOptions {
  /** Tells when an entry that is watched expires. */
  readonly clock: Clock;
  readonly read: <T>(key: string) => Promise<Entry<T> | undefined>;
  /** Called when somebody begins to watch; what it gives is called when nobody does any more. @default nothing */
  readonly onWatched?: () => () => void;
}

export interface Watchers {
  watch<T>(key: string, signal: AbortSignal): AsyncIterableIterator<Entry<T> | undefined>;
  /** Something may have happened to this key; or to any, when none is given. */
  changed(key?: string): void;
  /** Ends them all. */
  close(): void;
}

interface Watcher {
  /** Whether the state may be another one than was read. */
  stale: boolean;
  over: boolean;
  /** Goes on from where it waits. */
  wake(): void;
  end(): void;
}

/** The longest wait for an expiry, in ms: a wall clock that is put forward, or a machine that slept, is noticed then. */
const LONGEST_WAIT = 60_000;

export const createWatchers = ({
  clock,
  read,
  onWatched = () => () => undefined,
}: WatchersOptions): Watchers => {
  const watched = new Map<string, Set<Watcher>>();
  let unwatched = (): void => undefined;

  /** Whatever ends a watcher releases all of it at once, also when its consumer never comes back. */
  const enter = (key: string, signal: AbortSignal): Watcher => {
    if (watched.size === 0) unwatched = onWatched();
    const others = watched.get(key) ?? new Set();
    watched.set(key, others);
    const watcher: Watcher = {
      stale: true,
      over: false,
      wake: () => undefined,
      end: () => {
        if (watcher.over) return;
        watcher.over = true;
        signal.removeEventListener('abort', watcher.end);
        others.delete(watcher);
        if (others.size === 0) watched.delete(key);
        if (watched.size === 0) unwatched();
        watcher.wake();
      },
    };
    others.add(watcher);
    signal.addEventListener('abort', watcher.end);
    return watcher;
  };

  /** The state as it is now; of no meaning when the watcher ended meanwhile. */
  const latest = <T>(watcher: Watcher, key: string): Promise<Entry<T> | undefined> =>
    new Promise((resolve, reject) => {
      watcher.stale = false;
      watcher.wake = () => watcher.over && resolve(undefined);
      read<T>(key).then(resolve, reject);
    });

  /** Resolves when the state may be another one, or the watcher has ended. */
  const change = async (watcher: Watcher, expiresAt = Number.POSITIVE_INFINITY): Promise<void> => {
    const left = expiresAt - clock.now();
    if (watcher.stale || watcher.over || left <= 0) return;
    const awake = new AbortController();
    await new Promise<void>((resolve) => {
      watcher.wake = resolve;
      if (left < Number.POSITIVE_INFINITY)
        clock
          .sleep(Math.min(left, LONGEST_WAIT), awake.signal, { ref: false })
          .then(resolve, () => undefined);
    });
    awake.abort();
  };

  async function* states<T>(
    key: string,
    signal: AbortSignal,
    started: (watcher: Watcher) => void,
  ): AsyncGenerator<Entry<T> | undefined, undefined> {
    if (signal.aborted) return;
    const watcher = enter(key, signal);
    started(watcher);
    try {
      for (let seen: Version | undefined; ; ) {
        const entry = await latest<T>(watcher, key);
        if (watcher.over) return;
        const version = entry?.version ?? ABSENT;
        if (version !== seen) yield entry;
        seen = version;
        await change(watcher, entry?.expiresAt);
        if (watcher.over) return;
      }
    } finally {
      watcher.end();
    }
  }

  return {
    watch: <T>(key: string, signal: AbortSignal) => {
      let end = (): void => undefined;
      const all = states<T>(key, signal, (watcher) => {
        end = watcher.end;
      });
      return {
        next: () => all.next(),
        // A generator alone would wait for the next state before it returns.
        return: () => {
          end();
          return all.return(undefined);
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
    changed: (key) => {
      const told = key === undefined ? [...watched.values()] : [watched.get(key) ?? []];
      for (const watchers of told)
        for (const watcher of watchers) {
          watcher.stale = true;
          watcher.wake();
        }
    },
    close: () => {
      for (const watchers of [...watched.values()]) for (const { end } of [...watchers]) end();
    },
  };
};
