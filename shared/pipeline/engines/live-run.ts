/** A run under way, in memory: what is decided, what of that is on the disk, and who waits for it. */
import type { Underway } from '../machine/underway';
import { type Progress, type RunRecord, toRun } from '../progress';
import type { Run } from '../run';
import type { StoredRun } from './journal';

export interface Working {
  /** Ends the waiting for its time; absent when it is made at once. */
  readonly stop?: AbortController;
}

export interface LiveRun {
  readonly serial: number;
  record: RunRecord;
  /** Ahead of the journal while that is being written: to decide by, never to be shown. */
  progress: Progress;
  /** As the journal has it. */
  saved: Progress;
  savedRecord: RunRecord;
  /** That, as readers see it: the same object until it changes. Made when somebody looks. */
  readonly shown: Run;
  view: Run | undefined;
  /** Attempts that are being made or waited for, by the ids of their activities. */
  readonly working: Map<string, Working>;
  /** When the machine is to be told that time has passed; what waits for that. */
  alarm: { readonly at: number; readonly stop: AbortController } | undefined;
  /** As it was when its attempts were last taken up. */
  takenUp: Progress | undefined;
  /** Called at every change of `shown`. */
  readonly watchers: Set<() => void>;
}

/** As the journal has it. */
export const liveRun = ({ serial, record, progress }: StoredRun): LiveRun => ({
  serial,
  record,
  progress,
  saved: progress,
  savedRecord: record,
  get shown() {
    this.view ??= toRun(this.savedRecord, this.saved);
    return this.view;
  },
  view: undefined,
  working: new Map(),
  alarm: undefined,
  takenUp: undefined,
  watchers: new Set(),
});

/** To be called with what was recorded, as soon as it is. */
export const show = (run: LiveRun, saved: Progress, record = run.record): void => {
  run.saved = saved;
  run.savedRecord = record;
  run.view = undefined;
  notify(run);
};

export const notify = ({ watchers }: LiveRun): void => {
  for (const watch of [...watchers]) watch();
};

export const hasEnded = ({ state }: Pick<Run, 'state'>): boolean => state !== 'running';

/** When somebody has to look at the run, ms since the epoch; 0: now. */
export const dueAt = ({ attempts, wakeAt }: Underway): number =>
  attempts.some(({ at }) => at === undefined)
    ? 0
    : Math.min(...attempts.map(({ at }) => at as number), wakeAt ?? Number.MAX_SAFE_INTEGER);

/** Resolves with the run as it is shown, when a change of it finds it done, or the signal aborts. */
export const until = (run: LiveRun, signal: AbortSignal, isDone: () => boolean): Promise<Run> =>
  new Promise((resolve) => {
    const check = () => {
      if (!isDone() && !signal.aborted) return;
      run.watchers.delete(check);
      signal.removeEventListener('abort', check);
      resolve(run.shown);
    };
    run.watchers.add(check);
    signal.addEventListener('abort', check);
    check();
  });
