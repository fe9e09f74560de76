/** Reads runs, and waits for their changes: at Restate, or at once where they are carried through in this process. */
import type { Clock } from '../../../clock';
import type { Engine } from '../../engine';
import { type Progress, toRun } from '../../progress';
import type { Run } from '../../run';
import type { SignalGroup } from '../signal-group';
import type { Graphs } from './graphs';
import { unavailable } from './http';
import type { Hub } from './hub';
import type { Ingress } from './ingress';
import { passageOf } from './run-service';
import type { About, Names, Shown } from './stored';

/** Between two looks at a run that somebody watches and another host carries through, ms; doubled while nothing happens. */
export const POLL = { least: 50, most: 400 } as const;
/** How long the changes of a run that is carried here are waited for before somebody else is asked, ms. */
const LONG = 60_000;
/** How long a run that was accepted here just now is expected to begin here, ms. */
const BEGIN_HERE = 50;
/** How long a run that is accepted may take to begin before a reader is told to come back, ms. */
export const BEGIN_TIMEOUT = 10_000;

export interface ReaderOptions {
  readonly ingress: Ingress;
  readonly names: Pick<Names, 'runs'>;
  readonly graphs: Graphs;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly closing: SignalGroup;
  /** Whether the run was accepted here just now. */
  readonly isRecent: (id: string) => boolean;
}

export interface Reader extends Pick<Engine, 'find' | 'settled' | 'watch' | 'inspect'> {
  toRun(about: About, progress: Progress): Promise<Run>;
  /** As Restate has it. */
  shown(pipeline: string, id: string): Promise<Shown | undefined>;
}

const isRunning = ({ snapshot }: Shown): boolean => snapshot.progress.state === 'running';

const RUN_ID = /^[\w-]{1,64}$/;

export const createReader = (options: ReaderOptions): Reader => {
  const { ingress, names, graphs, hub, clock, closing, isRecent } = options;
  const asRun = async (about: About, progress: Progress): Promise<Run> =>
    toRun({ ...about, pipeline: await graphs.of(about.graph), input: undefined }, progress);

  const read = async <T extends Shown>(
    pipeline: string,
    id: string,
    handler: 'show' | 'inspect',
  ): Promise<T | undefined> => {
    if (!RUN_ID.test(id)) return undefined;
    const patience = clock.now() + BEGIN_TIMEOUT;
    for (let isLast = false; ; ) {
      const found = await ingress.call<T | null>({ service: names.runs, key: id, handler });
      if (found) return found.about.pipeline === pipeline ? found : undefined;
      if (isLast) return undefined;
      // It may be accepted and not begun yet; or it was quicker than the two questions, or is forgotten.
      const passage = await ingress.passage(id, passageOf(id, {}));
      if (passage === 'unknown') return undefined;
      isLast = passage === 'ended';
      if (clock.now() > patience) throw unavailable(new Error(`the run ${id} does not begin`));
      if (!isLast) await clock.sleep(POLL.least);
    }
  };

  const shown: Reader['shown'] = (pipeline, id) => read(pipeline, id, 'show');

  /** A signal that aborts when nobody waits any more, or the engine closes; and the way out. */
  const leaving = (signal: AbortSignal, work: (leaves: AbortSignal) => Promise<void>) =>
    closing.using(async (closed) => {
      const leaves = new AbortController();
      const leave = () => leaves.abort();
      if (signal.aborted || closed.aborted) leave();
      signal.addEventListener('abort', leave, { once: true });
      closed.addEventListener('abort', leave, { once: true });
      try {
        await work(leaves.signal);
      } finally {
        signal.removeEventListener('abort', leave);
      }
    });

  /** Resolves at the next change of a run that is carried here, after `ms`, or when it is time to leave. */
  const change = (id: string, ms: number, signal: AbortSignal): Promise<void> =>
    leaving(signal, async (leaves) => {
      const rest = new AbortController();
      const wake = () => rest.abort();
      const unwatch = hub.watch(id, wake);
      leaves.addEventListener('abort', wake, { once: true });
      if (leaves.aborted) wake();
      await clock.sleep(ms, rest.signal).catch(() => undefined);
      unwatch();
    });

  /** Waits for the end of a run that is carried here, or begins here within `ms`. */
  const endHere = (id: string, ms: number, signal: AbortSignal): Promise<Shown | undefined> =>
    new Promise((resolve) => {
      let last: Shown | undefined;
      const leave = () => {
        unwatch();
        signal.removeEventListener('abort', leave);
        closing.signal.removeEventListener('abort', leave);
        resolve(last && !isRunning(last) ? last : undefined);
      };
      const look = (shown: Shown | undefined) => {
        last = shown ?? last;
        if (!shown || !isRunning(shown)) leave();
      };
      const unwatch = hub.watch(id, look);
      signal.addEventListener('abort', leave, { once: true });
      closing.signal.addEventListener('abort', leave, { once: true });
      const lookNow = () => look(hub.latest(id));
      if (signal.aborted || closing.aborted) leave();
      else if (hub.latest(id) || ms === 0) lookNow();
      else void clock.sleep(ms).then(lookNow);
    });

  /** Newer than the version, as soon as there is such; `undefined` when it is time to leave, or the run is gone. */
  const newer = async (
    { about, snapshot: seen }: Shown,
    signal: AbortSignal,
  ): Promise<Shown | undefined> => {
    const { id, pipeline } = about;
    let pause: number = POLL.least;
    while (!signal.aborted && !closing.aborted) {
      const isNewer = (one: Shown | undefined) => one && one.snapshot.version > seen.version;
      if (isNewer(hub.latest(id))) return hub.latest(id);
      await change(id, hub.latest(id) ? LONG : pause, signal);
      pause = Math.min(pause * 2, POLL.most);
      if (isNewer(hub.latest(id))) continue;
      const latest = await shown(pipeline, id);
      if (!latest || isNewer(latest)) return latest;
    }
    return undefined;
  };

  /** What is told to those who watch here is true for those who ask here, too. */
  const find: Reader['find'] = async (pipeline, id) => {
    const found = await shown(pipeline, id);
    const here = hub.latest(id);
    const newest = found && here && here.snapshot.version > found.snapshot.version ? here : found;
    return newest && asRun(newest.about, newest.snapshot.progress);
  };

  return {
    toRun: asRun,
    shown,
    find,

    inspect: async (pipeline, id) => {
      const found = await read<Shown & { readonly input: unknown }>(pipeline, id, 'inspect');
      if (!found) return undefined;
      const { about, snapshot, input } = found;
      return {
        run: await asRun(about, snapshot.progress),
        input,
        pipeline: await graphs.of(about.graph),
      };
    },

    settled: async (pipeline, id, signal) => {
      const here = await endHere(id, isRecent(id) ? BEGIN_HERE : 0, signal);
      if (here?.about.pipeline === pipeline) return asRun(here.about, here.snapshot.progress);
      let found = await shown(pipeline, id);
      while (found && isRunning(found)) {
        const { version, progress } = found.snapshot;
        const passage = passageOf(id, progress);
        await leaving(signal, (leaves) => ingress.ended(id, passage, leaves)).catch(
          () => undefined,
        );
        found = await shown(pipeline, id);
        if (signal.aborted || closing.aborted) break;
        // It is carried on by somebody that nobody can wait for.
        if (found?.snapshot.version === version) await change(id, POLL.most, signal);
      }
      return found && asRun(found.about, found.snapshot.progress);
    },

    watch: async function* (pipeline, id, signal) {
      let seen = await shown(pipeline, id);
      while (seen) {
        yield await asRun(seen.about, seen.snapshot.progress);
        if (!isRunning(seen)) return;
        seen = await newer(seen, signal);
      }
    },
  };
};
