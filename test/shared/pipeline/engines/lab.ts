/** A local engine on a real journal file, with time that stands still and steps that end as the test says. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../../../shared/canonical';
import { Failure } from '../../../../shared/failure';
import type { Attempt, AttemptOutcome, GoneTargets } from '../../../../shared/pipeline/attempt';
import type { Engine } from '../../../../shared/pipeline/engine';
import { type Journal, openJournal } from '../../../../shared/pipeline/engines/journal';
import { localEngine } from '../../../../shared/pipeline/engines/local';
import type { Activity } from '../../../../shared/pipeline/machine/underway';
import {
  PIPELINE_DEFAULTS,
  type Pipeline,
  STEP_DEFAULTS,
  type Step,
} from '../../../../shared/pipeline/pipeline';
import { type Progress, type RunRecord, toRun } from '../../../../shared/pipeline/progress';
import type { Run } from '../../../../shared/pipeline/run';
import { systemRandom } from '../../../../shared/random';
import type { Signal } from '../../../../shared/signal';
import { type Line, testContext } from '../../../support/invoke';
import { type ManualClock, manualClock } from '../../../support/manual-clock';

export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** What takes a step back. */
export const UNDO: NonNullable<Step['undo']> = {
  ...STEP_DEFAULTS,
  target: { function: 'take-back' },
};
export const DELIVERED: AttemptOutcome = { verdict: 'delivered' };
export const DEAD: AttemptOutcome = { verdict: 'dead', error: { code: 'refused', status: 422 } };

/** How far time goes at once, ms: less than between two rounds of the engine. */
const PACE = 10_000;

/** Step name to what differs from the defaults; they are called in the order of the list. */
export const pipelineOf = (
  steps: Readonly<Record<string, Partial<Step>>>,
  name = 'signup',
  fields: Partial<Pipeline> = {},
): Pipeline => {
  const filled = {
    name,
    summary: 'A test.',
    callers: 'public' as const,
    input: { type: 'object' },
    ...PIPELINE_DEFAULTS,
    ...fields,
    steps: Object.entries(steps).map(
      ([step, fields]): Step => ({
        name: step,
        target: { function: step },
        after: [],
        required: true,
        expose: [],
        keep: [],
        ...STEP_DEFAULTS,
        ...fields,
      }),
    ),
  };
  return { ...filled, hash: createHash('sha256').update(canonicalJson(filled)).digest('hex') };
};

export type Call = Pick<Activity, 'step' | 'undo' | 'attempt' | 'startedAt' | 'generation'> & {
  readonly run: RunRecord;
  readonly progress: Pick<Progress, 'results' | 'deadlineAt'>;
  readonly activity: Activity;
  readonly entering?: Signal;
  readonly signal: Signal;
  /** `create-user 1`: step and attempt; `create-user undo 1`: of what undoes it. */
  readonly label: string;
};

export interface Lab {
  readonly engine: Engine;
  readonly clock: ManualClock;
  readonly lines: Line[];
  /** Every attempt so far, in the order of their beginnings. */
  readonly calls: Call[];
  labels(): string[];
  /** Ends an attempt that the script leaves open. */
  end(label: string, outcome: AttemptOutcome, runId?: string): void;
  start(input?: unknown, key?: string): Promise<Run>;
  find(run: Run): Promise<Run>;
  /** Targets that are gone, as the engine gives them to what makes the attempts. */
  readonly gone: GoneTargets;
  /** Moves time on in small steps, with room for the disk after each, so that nothing is late. */
  pass(ms: number): Promise<void>;
  /** Waits, in real time, for what the disk takes. */
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** The run when it has ended, with the clock standing still. */
  ended(run: Run): Promise<Run>;
}

export interface LabOptions {
  readonly path: string;
  readonly pipeline: Pipeline;
  /** How an attempt ends; `undefined` leaves it open until `end` or the signal. @default delivered */
  readonly script?: (call: Call) => AttemptOutcome | Promise<AttemptOutcome> | undefined;
  /** @default the journal as it is */
  readonly wrap?: (journal: Journal) => Journal;
  /** @default a new one */
  readonly clock?: ManualClock;
  /** Whether the engine knows the pipeline from the start. @default true */
  readonly register?: boolean;
  /** @default all are */
  readonly isConfigured?: (target: Step['target']) => boolean;
}

export const createLab = (options: LabOptions): Lab => {
  const { path, pipeline, script = () => DELIVERED, wrap = (journal) => journal } = options;
  const { clock = manualClock(), isConfigured = () => true, register = true } = options;
  const { log, lines } = testContext();
  const calls: Call[] = [];
  const open = new Map<string, (outcome: AttemptOutcome) => void>();
  const attempt: Attempt = async ({ activity, ...details }) => {
    const { step, undo, attempt } = activity;
    const label = `${step.name}${undo ? ' undo' : ''} ${attempt}`;
    const call = { ...details, ...activity, activity, label };
    calls.push(call);
    return (
      script(call) ??
      new Promise((resolve, reject) => {
        open.set(`${details.run.id} ${label}`, resolve);
        details.signal.addEventListener('abort', () => reject(new Failure('aborted')));
      })
    );
  };
  let gone: GoneTargets | undefined;
  const engine = localEngine({
    openJournal: async () => wrap(await openJournal(path)),
    createAttempt: (targets) => {
      gone = targets;
      return attempt;
    },
    isConfigured,
    clock,
    random: systemRandom,
    log,
  });
  if (register) engine.register(pipeline);
  const find = async ({ pipeline, id }: Run): Promise<Run> =>
    (await engine.find(pipeline, id)) as Run;
  const until: Lab['until'] = async (condition) => {
    const end = performance.now() + 5_000;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error('this should have happened by now');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    engine,
    clock,
    lines,
    calls,
    gone: gone as unknown as GoneTargets,
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= PACE) {
        await clock.advance(Math.min(PACE, left));
        for (let turn = 0; turn < 8; turn += 1)
          await new Promise((resolve) => setImmediate(resolve));
      }
    },
    labels: () => calls.map(({ label }) => label),
    end: (label, outcome, runId = calls.find((call) => call.label === label)?.run.id) => {
      const resolve = open.get(`${runId} ${label}`);
      if (!resolve) throw new Error(`nothing is open: ${label}`);
      open.delete(`${runId} ${label}`);
      resolve(outcome);
    },
    start: async (input = {}, key) => {
      const started = await engine.start(pipeline.name, input, {
        idempotencyKey: key,
        traceparent: TRACEPARENT,
      });
      if (started === 'mismatch') throw new Error('this should not be a mismatch');
      return started.run;
    },
    find,
    until,
    ended: async (run) => {
      await until(async () => (await find(run)).state !== 'running');
      return find(run);
    },
  };
};

export interface Folder {
  /** The path of a journal that is not there yet. */
  file(): string;
  /** A folder with the files of a journal as they are now: what a crash at this moment would leave. */
  copy(path: string): string;
  /** The run as it would be found after a crash at this moment. */
  afterCrash(path: string, run: Pick<Run, 'pipeline' | 'id'>): Promise<Run | undefined>;
  clean(): Promise<void>;
}

/** A folder for journals that `clean` deletes. */
export const createFolder = (): Folder => {
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  let count = 0;
  const file = () => join(folder, `${++count}`, 'runs.db');
  const copy = (path: string): string => {
    const target = dirname(file());
    mkdirSync(target);
    // By another process: reading the file in this one would drop the locks on it.
    execFileSync('sh', ['-c', 'cp "$0"* "$1"', path, target]);
    return target;
  };
  return {
    file,
    copy,
    afterCrash: async (path, { pipeline, id }) => {
      const journal = await openJournal(join(copy(path), 'runs.db'));
      const stored = await journal.find(pipeline, id);
      await journal.close();
      return stored && toRun(stored.record, stored.progress);
    },
    clean: () => rm(folder, { recursive: true, force: true }),
  };
};

export const now = (): AbortSignal => AbortSignal.abort();
export const never = (): AbortSignal => new AbortController().signal;

/** A run in the middle of everything: one step done, one called, one called again, one waiting, one to come. */
export const interrupted: Pick<LabOptions, 'pipeline' | 'script'> = {
  pipeline: pipelineOf({
    done: {},
    held: {},
    twice: {},
    later: {},
    last: { after: ['done', 'held', 'twice', 'later'] },
  }),
  script: ({ label, startedAt }) => {
    const error = { code: 'refused', status: 503 };
    if (label === 'done 1') return { verdict: 'delivered', output: { challenge: 'c' } };
    if (label === 'twice 1') return { verdict: 'again', error, at: startedAt + 500 };
    if (label === 'later 1') return { verdict: 'again', error, at: startedAt + 60_000 };
    return undefined;
  },
};
