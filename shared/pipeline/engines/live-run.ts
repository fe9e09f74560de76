/** A run under way, in memory: what is decided, what of that is on the disk, and who waits for it. */
import { next } from '../next';
import type { Results, Run, StepResult } from '../run';
import type { Ended, RunRecord } from './journal';

export interface LiveRun {
  readonly record: RunRecord;
  /** Ahead of the journal while that is being written: to decide by, never to be shown. */
  results: Results;
  ended: Ended | undefined;
  /** As the journal has it: what readers see. */
  shown: Run;
  /** Called at every change of `shown`. */
  readonly watchers: Set<() => void>;
}

/** With these results on the disk. */
export const liveRun = (record: RunRecord, results: Results): LiveRun => ({
  record,
  results,
  ended: undefined,
  shown: {
    id: record.id,
    pipeline: record.pipeline.name,
    state: 'running',
    steps: results,
    createdAt: record.createdAt,
  },
  watchers: new Set(),
});

export const put = (run: LiveRun, step: string, result: StepResult): void => {
  run.results = { ...run.results, [step]: result };
};

export interface AdvanceOptions {
  /** ms since the epoch */
  readonly now: number;
  /** Whether steps may begin; without, they stay pending. */
  readonly begin: boolean;
}

/** Takes what follows from the results as they are into them. Gives the steps to call once that is recorded. */
export const advance = (run: LiveRun, { now, begin }: AdvanceOptions): readonly string[] => {
  const { start, skip, outcome } = next(run.record.pipeline, run.results);
  const at = new Date(now).toISOString();
  const begun = begin ? start : [];
  for (const [name, reason] of Object.entries(skip))
    put(run, name, { state: 'skipped', reason, attempts: 0, endedAt: at });
  for (const name of begun) put(run, name, { state: 'running', attempts: 1, startedAt: at });
  if (outcome) run.ended = { state: outcome, endedAt: at };
  return begun;
};

/** What the journal does not have yet. */
export const unrecorded = ({ results, shown }: LiveRun): Results =>
  Object.fromEntries(
    Object.entries(results).filter(([name, result]) => shown.steps[name] !== result),
  );

/** To be called with what was recorded, as soon as it is. */
export const show = (run: LiveRun, steps: Results, ended: Ended | undefined): void => {
  run.shown = { ...run.shown, steps, ...ended };
  notify(run);
};

export const notify = ({ watchers }: LiveRun): void => {
  for (const watch of [...watchers]) watch();
};

export const hasEnded = ({ state }: Run): boolean => state !== 'running';

/** Resolves when a change of the run finds it done, or the signal aborts. */
export const until = (run: LiveRun, signal: AbortSignal, isDone: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const check = () => {
      if (!isDone() && !signal.aborted) return;
      run.watchers.delete(check);
      signal.removeEventListener('abort', check);
      resolve();
    };
    run.watchers.add(check);
    signal.addEventListener('abort', check);
    check();
  });
