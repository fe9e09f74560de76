/**
 * Brings the journal up to a live run, and the readers with it. Each commit holds all that the run is ahead, so none
 * can overtake another: no step is recorded as begun, and no run as ended, before what led to that.
 *
 * Fails closed: while the journal cannot be written, nothing is shown and nothing goes on; nothing is dropped either.
 */
import type { Clock } from '../../clock';
import { asFailure } from '../../failure';
import type { Log } from '../../handler';
import type { Journal } from './journal';
import { type LiveRun, show, unrecorded } from './live-run';
import type { SignalGroup } from './signal-group';

/** Between two tries to write a journal that cannot be written, ms. */
export const JOURNAL_PAUSE = 1_000;

export interface RecorderOptions {
  readonly journal: () => Promise<Journal>;
  readonly clock: Clock;
  readonly log: Log;
  /** Until when it stays with a journal that cannot be written. */
  readonly cutting: SignalGroup;
}

/** Resolves when all that the run was ahead is on the disk. Rejects with `aborted` when it was cut before. */
export type Recorder = (run: LiveRun) => Promise<void>;

export const recorder = ({ journal, clock, log, cutting }: RecorderOptions): Recorder => {
  let pausing: Promise<void> | undefined;

  /** One pause, and one line in the log, for all that wait for the same journal. */
  const pause = (error: unknown): Promise<void> => {
    if (!pausing) {
      log.error('journal_unavailable', { error });
      pausing = cutting
        .using((signal) => clock.sleep(JOURNAL_PAUSE, signal))
        .finally(() => {
          pausing = undefined;
        });
    }
    return pausing;
  };

  return async (run) => {
    for (;;) {
      try {
        const file = await journal();
        // Read and queued in one go: a later call has at least as much, and is behind this one.
        const { results, ended } = run;
        await file.record(run.record.id, unrecorded(run), ended);
        return show(run, results, ended);
      } catch (thrown) {
        if (asFailure(thrown).code !== 'engine_unavailable') throw thrown;
        await pause(thrown);
      }
    }
  };
};
