/**
 * The runs that this process has in memory: those under way, and whoever is being looked at. All others rest in the
 * journal, and come back one object for each, however many ask at once.
 */
import type { Journal, StoredRun } from './journal';
import { hasEnded, type LiveRun, liveRun } from './live-run';

export interface RosterOptions {
  readonly journal: () => Promise<Journal>;
}

export interface Roster {
  /** As it is in memory. */
  get(pipeline: string, id: string): LiveRun | undefined;
  /** From memory or the journal, ended or not; it stays until it is dismissed. */
  load(pipeline: string, id: string): Promise<LiveRun | undefined>;
  /** A run that has not ended, for somebody who waits for its changes, until `release`; `undefined`: there is none. */
  watched(
    pipeline: string,
    id: string,
  ): Promise<{ readonly run: LiveRun; release(): void } | undefined>;
  /** The one in memory, if there is one: what the journal has may be behind it. */
  take(stored: StoredRun): { readonly run: LiveRun; readonly isNew: boolean };
  admit(run: LiveRun): void;
  dismiss(run: LiveRun): void;
  all(): Iterable<LiveRun>;
}

export const roster = ({ journal }: RosterOptions): Roster => {
  const live = new Map<string, LiveRun>();
  const loading = new Map<string, Promise<LiveRun | undefined>>();

  const get: Roster['get'] = (pipeline, id) => {
    const run = live.get(id);
    return run?.record.pipeline.name === pipeline ? run : undefined;
  };

  const dismiss: Roster['dismiss'] = (run) => {
    if (live.get(run.record.id) === run) live.delete(run.record.id);
  };

  const take: Roster['take'] = (stored) => {
    const known = live.get(stored.record.id);
    if (known) return { run: known, isNew: false };
    const run = liveRun(stored);
    live.set(run.record.id, run);
    return { run, isNew: true };
  };

  const read = async (pipeline: string, id: string): Promise<LiveRun | undefined> => {
    const stored = await (await journal()).find(pipeline, id);
    return stored && take(stored).run;
  };

  const load: Roster['load'] = async (pipeline, id) => {
    const known = get(pipeline, id);
    if (known) return known;
    const about = `${pipeline} ${id}`;
    const found = loading.get(about) ?? read(pipeline, id).finally(() => loading.delete(about));
    loading.set(about, found);
    return found;
  };

  return {
    get,
    load,
    watched: async (pipeline, id) => {
      const run = await load(pipeline, id);
      if (!run) return undefined;
      if (hasEnded(run.saved)) {
        if (run.progress === run.saved) dismiss(run);
        return undefined;
      }
      // Whoever watches must see the very object that changes.
      const hold = () => undefined;
      run.watchers.add(hold);
      return { run, release: () => void run.watchers.delete(hold) };
    },
    take,
    admit: (run) => void live.set(run.record.id, run),
    dismiss,
    all: () => live.values(),
  };
};
