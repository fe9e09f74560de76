/** A lab and what the tests of all engines ask of it: pipelines, scripts, and time that passes while something is awaited. */
import type { ReplayOrder, StartOptions } from '../../shared/pipeline/engine';
import type { Call, Pipeline, Step } from '../../shared/pipeline/pipeline';
import type { Run } from '../../shared/pipeline/run';
import { type Answer, WELL } from '../shared/pipeline/conformance/case';
import { pipelineOf, TRACEPARENT } from '../shared/pipeline/engines/lab';
import type { CreateEngineLab, EngineLab } from './engine-lab';

/** As in a pipeline; a step goes to a target of its own. `undo: {}` has one, too. */
export type StepFields = Partial<Omit<Step, 'undo'>> & { readonly undo?: Partial<Call> };

export interface World {
  readonly lab: EngineLab;
  /** ms: so many of the shortest time that makes a difference. */
  ticks(count: number): number;
  /** Registers a pipeline under a name that no other has. */
  pipeline(
    steps: Readonly<Record<string, StepFields>>,
    fields?: Partial<Pipeline>,
    stem?: string,
  ): Pipeline;
  /** How a step answers, attempt by attempt; after that, and without it, all is well after a tick. */
  script(pipeline: Pipeline, step: string, ...answers: readonly Partial<Answer>[]): void;
  start(pipeline: Pipeline, input?: unknown, options?: Partial<StartOptions>): Promise<Run>;
  /** What it comes to, while time passes. */
  during<T>(work: Promise<T>): Promise<T>;
  pass(ms: number): Promise<void>;
  /** What is read as soon as it is so, or at last: for what an engine shows a moment later. */
  soon<T>(read: () => Promise<T>, isSo: (value: T) => boolean): Promise<T>;
  find(run: Run): Promise<Run>;
  /** As soon as it is so. */
  reaches(run: Run, isThere: (run: Run) => boolean): Promise<Run>;
  ended(run: Run): Promise<Run>;
  replay(run: Run, order?: Partial<ReplayOrder>): Promise<Run>;
  /** Keys that have come to the step, without the id of the run, in their order. */
  keys(run: Run, step: string): readonly string[];
}

/** Longer than anything lasts here, ms of the clock. */
const PATIENCE = 30 * 86_400_000;

export const never = (): AbortSignal => new AbortController().signal;

export const createWorld = async (name: string, createLab: CreateEngineLab): Promise<World> => {
  const scripts = new Map<string, readonly Partial<Answer>[]>();
  const answer = (path: string, attempt: number): Answer => ({
    ...WELL,
    takes: lab.tick,
    ...scripts.get(path)?.[attempt - 1],
  });
  const lab = await createLab({ answer });
  let count = 0;

  const during: World['during'] = async (work) => {
    let isDone = false;
    const mark = () => {
      isDone = true;
    };
    work.then(mark, mark);
    await lab.runUntil(() => isDone, PATIENCE);
    return work;
  };

  const find: World['find'] = async ({ pipeline, id }) => {
    const run = await during(lab.engine.find(pipeline, id));
    if (!run) throw new Error(`there is no run ${id} of ${pipeline}`);
    return run;
  };

  return {
    lab,
    ticks: (ticks) => ticks * lab.tick,
    pipeline: (steps, fields = {}, stem = 'p') => {
      count += 1;
      const own = `${name}-${stem}${count}`;
      const retry = { attempts: 3, backoff: lab.tick, maxBackoff: 4 * lab.tick, jitter: 0 };
      const filled = Object.entries(steps).map(([step, { undo, ...rest }]) => [
        step,
        {
          target: { function: `${own}/${step}` },
          retry,
          ...rest,
          ...(undo && {
            undo: { target: { function: `${own}/${step}/undo` }, timeout: 60_000, retry, ...undo },
          }),
        },
      ]);
      const made = pipelineOf(Object.fromEntries(filled), own, fields);
      lab.engine.register(made);
      return made;
    },
    script: (pipeline, step, ...answers) => void scripts.set(`${pipeline.name}/${step}`, answers),
    start: async (pipeline, input = {}, options = {}) => {
      const started = await during(
        lab.engine.start(pipeline.name, input, { traceparent: TRACEPARENT, ...options }),
      );
      if (started === 'mismatch') throw new Error('this should not be a mismatch');
      return started.run;
    },
    during,
    soon: (read, isSo) =>
      during(
        (async () => {
          for (let tries = 1; ; tries += 1) {
            const value = await read();
            if (isSo(value) || tries === 100) return value;
            await lab.clock.sleep(lab.tick / 4);
          }
        })(),
      ),
    pass: (ms) => during(lab.clock.sleep(ms)),
    find,
    reaches: (run, isThere) =>
      during(
        (async () => {
          for await (const state of lab.engine.watch(run.pipeline, run.id, never()))
            if (isThere(state)) return state;
          throw new Error('the run has ended, and this has not happened');
        })(),
      ),
    ended: async ({ pipeline, id }) =>
      (await during(lab.engine.settled(pipeline, id, never()))) as Run,
    replay: async ({ pipeline, id }, order = {}) => {
      const by = { by: 'ada', reason: 'a test', ...order };
      const commanded = await during(lab.engine.replay(pipeline, id, by));
      if ('refused' in commanded) throw new Error(`refused: ${commanded.refused.code}`);
      return commanded.run;
    },
    keys: ({ pipeline, id }, step) =>
      lab.receiver
        .hitsOf(`${pipeline}/${step}`)
        .filter(({ key }) => key.startsWith(`${id}:`))
        .map(({ key }) => key.slice(id.length + 1)),
  };
};

/** `a: succeeded, b: skipped upstream`, for all steps. */
export const standing = ({ steps }: Run): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(steps).map(([name, { state, reason, undo }]) => [
      name,
      [state, reason, undo && `undo ${undo.state}`].filter(Boolean).join(' '),
    ]),
  );
