/**
 * Goes the rounds: takes up the runs in the journal that need somebody soon, lets rest those that need nobody for a
 * while, and takes out those whose time is over. Nothing of it stops the others: it goes page by page.
 */
import type { Clock } from '../../clock';
import { asFailure } from '../../failure';
import type { Log } from '../../handler';
import { advance } from '../machine/advance';
import type { Journal } from './journal';
import type { LiveRun } from './live-run';
import { canRest, HORIZON, type Performer } from './perform';
import type { Roster } from './roster';
import type { SignalGroup } from './signal-group';

/** Between two rounds, ms: half of what is waited for in memory, so that nothing is late. */
const ROUND = HORIZON / 2;
/** Runs read in one turn of the event loop: a few ms. The first ones are few, so that the first is soon under way. */
const PAGE = 100;
const FIRST_PAGE = 10;

export interface PatrolOptions {
  readonly journal: () => Promise<Journal>;
  readonly runs: Roster;
  readonly steps: Performer;
  readonly save: (run: LiveRun) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  readonly closing: SignalGroup;
}

export interface Patrol {
  /** The first round, with all that a former process has left; the others follow. */
  resume(): Promise<void>;
}

export const patrol = (options: PatrolOptions): Patrol => {
  const { journal, runs, steps, save, clock, log, closing } = options;

  const takeUpDue = async (): Promise<number> => {
    const file = await journal();
    const until = clock.now() + HORIZON;
    let count = 0;
    let after: { readonly dueAt: number; readonly serial: number } | undefined;
    for (let limit = FIRST_PAGE; !closing.aborted; limit = PAGE) {
      const page = await file.due({ until, limit, after });
      for (const stored of page) {
        const { run, isNew } = runs.take(stored);
        if (isNew) count += 1;
        goOn(run);
      }
      after = page.at(-1);
      if (page.length < limit) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return count;
  };

  /** A stop may have recorded a result without what follows from it. */
  const goOn = (run: LiveRun): void => {
    run.progress = advance(run.record.pipeline, run.progress, { now: clock.now() });
    if (run.progress === run.saved) steps.takeUp(run);
    else
      steps.background(
        run,
        save(run).then(() => steps.takeUp(run)),
      );
  };

  /** What was waited for meanwhile is taken up, what nobody needs soon is let go. */
  const review = (): void => {
    const before = clock.now() + HORIZON;
    for (const run of [...runs.all()])
      if (canRest(run, before)) runs.dismiss(run);
      else steps.takeUp(run);
  };

  const round = async (): Promise<void> => {
    review();
    await takeUpDue();
    const removed = await (await journal()).sweep(clock.now());
    if (removed > 0) log.info('runs_expired', { count: removed });
  };

  const rounds = async (): Promise<void> => {
    while (!closing.aborted) {
      await closing.using((signal) => clock.sleep(ROUND, signal, { ref: false }));
      try {
        await round();
      } catch (error) {
        // The next one may find the journal in order again.
        if (!closing.aborted) log.error('journal_unavailable', { error: asFailure(error) });
      }
    }
  };

  return {
    resume: async () => {
      const count = await takeUpDue();
      if (count > 0) log.info('runs_resumed', { count });
      rounds().catch((error: unknown) => {
        if (!closing.aborted) log.error('engine_fault', { error });
      });
    },
  };
};
