/**
 * The local engine: one process, one journal file. It records before it acts, runs independent steps side by side,
 * and after a crash goes on where the journal ends: at least once, each step always with the same key.
 *
 * Fails closed: a run that cannot be recorded is not accepted; a result that cannot be recorded is kept until it can.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical';
import type { Clock } from '../../clock';
import { Failure } from '../../failure';
import type { Log } from '../../handler';
import { type Random, randomId } from '../../random';
import type { Attempt } from '../attempt';
import type { Engine, Started } from '../engine';
import { decide } from '../next';
import type { Pipeline, Step } from '../pipeline';
import { createGate } from './gate';
import type { Journal, RunRecord } from './journal';
import { advance, hasEnded, type LiveRun, liveRun, notify, show, until } from './live-run';
import { performer } from './perform';
import { recorder } from './recorder';
import { signalGroup } from './signal-group';

/** Calls of steps that are under way at once, in all. */
export const MAX_CALLS = 64;
/** Of these, calls to one target: a function, or the URL of a webhook. */
export const MAX_CALLS_TO_ONE = 32;

export interface LocalEngineOptions {
  /** Opens the journal; called again after it has rejected. */
  readonly openJournal: () => Promise<Journal>;
  readonly attempt: Attempt;
  /** Whether a step has an address to go to. */
  readonly isConfigured: (target: Step['target']) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const localEngine = (options: LocalEngineOptions): Engine => {
  const { openJournal, attempt, isConfigured, clock, random, log } = options;
  const pipelines = new Map<string, Pipeline>();
  /** Every run that has not ended. */
  const live = new Map<string, LiveRun>();
  /** Of these, what a former process has left and nobody has taken up yet. */
  let left: LiveRun[] = [];
  const closing = signalGroup();
  const cutting = signalGroup();
  let opening: Promise<Journal> | undefined;

  /** With the journal comes what it holds, before anything is added: so nothing is taken up twice. */
  const openAll = async (): Promise<Journal> => {
    const file = await openJournal();
    try {
      left = (await file.unended()).map(({ record, results }) => liveRun(record, results));
    } catch (error) {
      await file.close();
      throw error;
    }
    for (const run of left) live.set(run.record.id, run);
    return file;
  };

  const journal = async (): Promise<Journal> => {
    if (opening) return opening;
    if (closing.aborted) throw new Failure('stopping');
    opening = openAll();
    // A file that could not be opened may be there at the next call.
    opening.catch(() => {
      opening = undefined;
    });
    return opening;
  };

  const record = recorder({ journal, clock, log, cutting });
  const save = async (run: LiveRun): Promise<void> => {
    await record(run);
    if (hasEnded(run.shown)) live.delete(run.record.id);
  };
  const gate = createGate({ limit: MAX_CALLS, share: MAX_CALLS_TO_ONE });
  const steps = performer({ attempt, save, gate, clock, log, closing, cutting });

  const find: Engine['find'] = async (pipeline, id) => {
    const run = live.get(id);
    if (!run) return (await journal()).find(pipeline, id);
    return run.record.pipeline.name === pipeline ? run.shown : undefined;
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
      const now = clock.now();
      const details: RunRecord = {
        id: randomId(random),
        pipeline,
        input,
        traceparent,
        createdAt: new Date(now).toISOString(),
      };
      const run = liveRun(details, decide(pipeline, input, isConfigured));
      const begun = advance(run, { now, begin: true });
      const { results, ended } = run;
      const accepted = await (await journal()).accept({
        ...details,
        key: idempotencyKey === undefined ? undefined : digest(idempotencyKey),
        fingerprint: digest(canonicalJson(input)),
        results,
        ended,
      });
      if (accepted === 'mismatch') return accepted;
      if (accepted !== 'accepted')
        return { run: live.get(accepted.id)?.shown ?? accepted, created: false };
      show(run, results, ended);
      if (!ended) live.set(details.id, run);
      steps.launch(run, begun);
      return { run: run.shown, created: true };
    },

    find,

    settled: async (pipeline, id, signal) => {
      const run = live.get(id);
      if (run?.record.pipeline.name !== pipeline) return find(pipeline, id);
      await until(run, signal, () => hasEnded(run.shown) || closing.aborted);
      return run.shown;
    },

    watch: async function* (pipeline, id, signal) {
      const run = live.get(id);
      for (let seen = await find(pipeline, id); seen; seen = run?.shown) {
        const last = seen;
        yield last;
        if (!run || hasEnded(last)) return;
        await until(run, signal, () => run.shown !== last || closing.aborted);
        if (run.shown === last) return;
      }
    },

    resume: async () => {
      await journal();
      const taken = left;
      left = [];
      for (const run of taken) {
        const { results } = run;
        const running = Object.keys(results).filter((step) => results[step]?.state === 'running');
        steps.launch(run, running);
        // A stop may have recorded a result without what follows from it.
        steps.proceed(run);
      }
      if (taken.length > 0) log.info('runs_resumed', { count: taken.length });
    },

    close: async (signal) => {
      closing.abort();
      for (const run of live.values()) notify(run);
      const cut = () => cutting.abort();
      if (signal.aborted) cut();
      else signal.addEventListener('abort', cut, { once: true });
      await steps.idle();
      signal.removeEventListener('abort', cut);
      const file = await opening?.catch(() => undefined);
      await file?.close();
    },
  };
};

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
