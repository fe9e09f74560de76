/**
 * Brings the journal up to a live run, and the readers with it. Each commit holds all that the run is ahead, so none
 * can overtake another: no step is recorded as begun, and no run as ended, before what led to that. What happens to a
 * run until its commit goes with it.
 *
 * A step that ended, and lets nothing else begin or end, can wait a moment for the next commit: a crash in this moment
 * makes its call once more, as one a moment earlier would have.
 *
 * Fails closed: while the journal cannot be written, nothing is shown and nothing goes on; nothing is dropped either.
 */
import type { Clock } from '../../clock';
import { asFailure, Failure } from '../../failure';
import type { Log } from '../../handler';
import { underway } from '../machine/underway';
import type { ChangedRun } from './journal';
import type { JournalHolder } from './journal-holder';
import { dueAt, type LiveRun } from './live-run';
import type { SignalGroup } from './signal-group';

/** Between two tries to write a journal that cannot be written, ms. */
export const JOURNAL_PAUSE = 1_000;

export interface RecorderOptions {
  readonly journal: JournalHolder;
  /** Called at once when something of a run is on the disk. */
  readonly onSaved: (run: LiveRun, recorded: ChangedRun) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** From then on steps stay pending that could begin: somebody has to look at their runs. */
  readonly closing: SignalGroup;
  /** Until when it stays with a journal that cannot be written. */
  readonly cutting: SignalGroup;
}

/** Resolves when all that the run was ahead is on the disk. Rejects with `stopping` when it was cut before. */
export type Recorder = (run: LiveRun) => Promise<void>;

export const recorder = (options: RecorderOptions): Recorder => {
  const { journal, onSaved, clock, log, closing, cutting } = options;
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

  const saving = new WeakMap<LiveRun, Promise<void>>();

  const save = async (run: LiveRun): Promise<void> => {
    for (;;) {
      try {
        const file = journal.opened ?? (await journal.open());
        if (run.progress === run.saved) {
          saving.delete(run);
          return;
        }
        const recorded = await file.record(
          () => {
            // What happens from here on is for the next commit.
            saving.delete(run);
            return changesOf(run, closing.aborted);
          },
          { patient: canWait(run) },
        );
        onSaved(run, recorded);
        return;
      } catch (thrown) {
        saving.delete(run);
        if (asFailure(thrown).code !== 'engine_unavailable') throw thrown;
        await pause(thrown);
      }
    }
  };

  return (run) => {
    const known = saving.get(run);
    if (!known) {
      const saved = save(run);
      if (run.progress !== run.saved) saving.set(run, saved);
      return saved;
    }
    if (!canWait(run)) journal.opened?.hurry();
    return known;
  };
};

const changesOf = (run: LiveRun, isClosing: boolean): ChangedRun => {
  const { serial, record, progress, saved, savedRecord } = run;
  return {
    serial,
    record,
    progress,
    saved,
    dueAt: isClosing ? 0 : dueAt(underway(record.pipeline, progress)),
    regraphed: record.pipeline !== savedRecord.pipeline,
  };
};

const canWait = ({ progress, saved }: LiveRun): boolean => {
  if (progress.state !== saved.state || progress.cancelled !== saved.cancelled) return false;
  let isBusy = false;
  for (const [step, { state, nextAttemptAt, undo }] of Object.entries(progress.results)) {
    const isSame = progress.results[step] === saved.results[step];
    if (!isSame && (state === 'running' || state === 'pending' || undo)) return false;
    // Something is still to come that will be recorded.
    isBusy ||= state === 'running' && nextAttemptAt === undefined;
  }
  return isBusy;
};
