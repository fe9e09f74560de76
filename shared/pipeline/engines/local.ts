/**
 * The local engine: one process, one journal file. It records before it acts, runs independent steps side by side,
 * and after a crash goes on where the journal ends: at least once, each step always with the same key.
 *
 * Fails closed: a run that cannot be recorded is not accepted; a result that cannot be recorded is kept until it can.
 */
import { canonicalJson } from '../../canonical';
import type { Clock } from '../../clock';
import { Failure } from '../../failure';
import type { Log } from '../../handler';
import type { Random } from '../../random';
import type { Attempt, GoneTargets } from '../attempt';
import type { Engine, Started } from '../engine';
import { begin } from '../machine/begin';
import { underway } from '../machine/underway';
import type { Pipeline, Target } from '../pipeline';
import { type RunRecord, toRun } from '../progress';
import type { Run } from '../run';
import { commands } from './commands';
import { digest } from './digest';
import { goneTargets } from './gone-targets';
import type { Journal } from './journal';
import { journalHolder } from './journal-holder';
import { dueAt, hasEnded, type LiveRun, liveRun, notify, show, until } from './live-run';
import { patrol } from './patrol';
import { performer } from './perform';
import { recorder } from './recorder';
import { roster } from './roster';
import { runId } from './run-id';
import { signalGroup } from './signal-group';

export interface LocalEngineOptions {
  /** Opens the journal; called again after it has rejected. */
  readonly openJournal: () => Promise<Journal>;
  /** What makes the attempts, given the targets that are gone. Called once. */
  readonly createAttempt: (gone: GoneTargets) => Attempt;
  /** Whether a step has an address to go to. */
  readonly isConfigured: (target: Target) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const localEngine = (options: LocalEngineOptions): Engine => {
  const { openJournal, createAttempt, isConfigured, clock, random, log } = options;
  const pipelines = new Map<string, Pipeline>();
  const closing = signalGroup();
  const cutting = signalGroup();
  let serial = 0;
  const holder = journalHolder({
    openJournal,
    prepare: async (file) => {
      serial = await file.lastSerial();
      gone.load(await file.goneTargets());
    },
    closing,
  });
  const journal = holder.open;
  const gone = goneTargets({ journal, clock, log });
  const runs = roster({ journal });
  const save = recorder({
    journal: holder,
    onSaved: (run, { progress, record }) => {
      show(run, progress, record);
      if (hasEnded(progress)) runs.dismiss(run);
    },
    clock,
    log,
    closing,
    cutting,
  });
  const steps = performer({ attempt: createAttempt(gone), save, clock, log, closing, cutting });
  const { resume } = patrol({ journal, runs, steps, save, clock, log, closing });

  const find: Engine['find'] = async (pipeline, id) => {
    const run = runs.get(pipeline, id);
    if (run) return run.shown;
    const stored = await (await journal()).find(pipeline, id);
    return stored && toRun(stored.record, stored.progress);
  };

  const untilEnded = (run: LiveRun, signal: AbortSignal): Promise<Run> =>
    until(run, signal, () => hasEnded(run.saved) || closing.aborted);

  /** Of a run that is not in memory. */
  const settledLater: Engine['settled'] = async (pipeline, id, signal) => {
    const watched = await runs.watched(pipeline, id);
    if (!watched) return find(pipeline, id);
    try {
      return await untilEnded(watched.run, signal);
    } finally {
      watched.release();
    }
  };

  return {
    register: (pipeline) => {
      if (pipelines.has(pipeline.name))
        throw new TypeError(`there are two pipelines named ${pipeline.name}`);
      pipelines.set(pipeline.name, pipeline);
    },

    open: async () => void (await journal()),

    start: async (name, input, { idempotencyKey, traceparent }): Promise<Started> => {
      const pipeline = pipelines.get(name);
      if (!pipeline) throw new TypeError(`there is no pipeline ${name}`);
      if (closing.aborted) throw new Failure('stopping', { headers: { 'retry-after': '1' } });
      const file = holder.opened ?? (await journal());
      const now = clock.now();
      const details: RunRecord = {
        id: runId(now, random),
        pipeline,
        input,
        traceparent,
        createdAt: new Date(now).toISOString(),
      };
      const progress = begin(pipeline, { input, isConfigured, now });
      serial += 1;
      const stored = { serial, record: details, progress };
      const accepted = await file.accept({
        ...stored,
        key: idempotencyKey === undefined ? undefined : digest(idempotencyKey),
        // Nobody compares what has no key.
        fingerprint: idempotencyKey === undefined ? '' : digest(canonicalJson(input)),
        dueAt: dueAt(underway(pipeline, progress)),
      });
      if (accepted === 'mismatch') return accepted;
      if (accepted !== 'accepted') {
        const known = runs.get(name, accepted.record.id)?.shown;
        return { run: known ?? toRun(accepted.record, accepted.progress), created: false };
      }
      const run = liveRun(stored);
      if (!hasEnded(run.saved)) {
        runs.admit(run);
        steps.takeUp(run);
      }
      return { run: run.shown, created: true };
    },

    find,

    settled: (pipeline, id, signal) => {
      const run = runs.get(pipeline, id);
      return run ? untilEnded(run, signal) : settledLater(pipeline, id, signal);
    },

    watch: async function* (pipeline, id, signal) {
      const watched = await runs.watched(pipeline, id);
      const run = watched?.run;
      try {
        for (let seen = run?.shown ?? (await find(pipeline, id)); seen; seen = run?.shown) {
          const last = seen;
          yield last;
          if (!run || hasEnded(last)) return;
          await until(run, signal, () => run.shown !== last || closing.aborted);
          if (run.shown === last) return;
        }
      } finally {
        watched?.release();
      }
    },

    list: async (query) => (await journal()).list(query),
    deadLetters: async (query) => (await journal()).deadLetters(query),
    disabledTargets: async () => (await journal()).goneTargets(),
    enableTarget: (name) => gone.remove(name),
    ...commands({ runs, steps, save, pipelines, isConfigured, clock, closing }),
    resume,

    close: async (signal) => {
      closing.abort();
      for (const run of runs.all()) notify(run);
      const cut = () => cutting.abort();
      if (signal.aborted) cut();
      else signal.addEventListener('abort', cut, { once: true });
      await steps.idle();
      signal.removeEventListener('abort', cut);
      // Nobody waits any more for a journal that is being closed.
      cut();
      await holder.close();
    },
  };
};
