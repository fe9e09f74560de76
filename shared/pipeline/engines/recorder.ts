/**
 * Brings the journal up to a live run, and the readers with it. Each commit holds all that the run is ahead, so none
 * can overtake another: no step is recorded as begun, and no run as ended, before what led to that.
 *
 * Fails closed: while the journal cannot be written, nothing is shown and nothing goes on; nothing is dropped either.
 */
import type { Clock } from '../../clock';
import { asFailure, Failure } from '../../failure';
import type { Log } from '../../handler';
import { underway } from '../machine/underway';
import type { Journal } from './journal';
import { dueAt, type LiveRun, show } from './live-run';
import type { SignalGroup } from './signal-group';

/** Between two tries to write a journal that cannot be written, ms. */
export const JOURNAL_PAUSE = 1_000;

export interface RecorderOptions {
  readonly journal: () => Promise<Journal>;
  readonly clock: Clock;
  readonly log: Log;
  /** From then on steps stay pending that could begin: somebody has to look at their runs. */
  readonly closing: SignalGroup;
  /** Until when it stays with a journal that cannot be written. */
  readonly cutting: SignalGroup;
}

/** Resolves when all that the run was ahead is on the disk. Rejects with `stopping` when it was cut before. */
export type Recorder = (run: LiveRun) => Promise<void>;

export const recorder = ({ journal, clock, log, closing, cutting }: RecorderOptions): Recorder => {
  let pausing: Promise<void> | undefined;

  /** One pause, and one line in the log, for all that wait for the same journal. */
  const pause = (error: unknown): Promise<void> => {
    if (!pausing) {
      log.error('journal_unavailable', { error });
      pausing = cutting
        .using((signal) => clock.sleep(JOURNAL_PAUSE, signal))
        .catch(() => {
          throw new Failure('stopping', { headers: { 'retry-after': '1' } });
        })
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
        const { serial, record, progress, saved } = run;
        if (progress === saved) return;
        await file.record({
          serial,
          record,
          progress,
          saved,
          dueAt: closing.aborted ? 0 : dueAt(underway(record.pipeline, progress)),
          regraphed: run.shown.graph !== record.pipeline.hash,
        });
        // What was queued meanwhile is ahead of this, and shown by whoever queued it.
        return show(run, progress);
      } catch (thrown) {
        if (asFailure(thrown).code !== 'engine_unavailable') throw thrown;
        await pause(thrown);
      }
    }
  };
};
