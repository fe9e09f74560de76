/** What somebody asks of a run: an answer to a step that waits, the end, or to run again. Recorded before it is answered. */
import { canonicalJson } from '../../canonical';
import type { Clock } from '../../clock';
import { Failure } from '../../failure';
import type { Commanded, Engine, Refusal } from '../engine';
import { type Command, refuse } from '../machine/refuse';
import { regraph, replay } from '../machine/replay';
import type { Pipeline, Target } from '../pipeline';
import { digest } from './digest';
import { hasEnded, type LiveRun } from './live-run';
import type { Performer } from './perform';
import type { Roster } from './roster';
import type { SignalGroup } from './signal-group';

export interface CommandsOptions {
  readonly runs: Roster;
  readonly steps: Performer;
  readonly save: (run: LiveRun) => Promise<void>;
  /** Those of now. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly isConfigured: (target: Target) => boolean;
  readonly clock: Clock;
  readonly closing: SignalGroup;
}

type Commands = Pick<Engine, 'inspect' | 'signal' | 'cancel' | 'replay'>;

const NOT_FOUND: Refusal = { code: 'not_found', detail: 'There is no such run.' };

export const commands = (options: CommandsOptions): Commands => {
  const { runs, steps, save, pipelines, isConfigured, clock, closing } = options;

  /** With the run in memory, and out of it again when nothing is under way. */
  const withRun = async (
    pipeline: string,
    id: string,
    work: (run: LiveRun) => Promise<Refusal | undefined>,
  ): Promise<Commanded> => {
    if (closing.aborted) throw new Failure('stopping', { headers: { 'retry-after': '1' } });
    const run = await runs.load(pipeline, id);
    if (!run) return { refused: NOT_FOUND };
    // It may have come from the journal just now.
    if (!hasEnded(run.saved)) steps.takeUp(run);
    const refused = await work(run);
    if (hasEnded(run.saved) && run.progress === run.saved) runs.dismiss(run);
    return refused ? { refused } : { run: run.shown };
  };

  const tell = (pipeline: string, id: string, event: Command): Promise<Commanded> =>
    withRun(pipeline, id, async (run) => {
      const refused = refuse(run.record.pipeline, run.progress, event);
      if (refused) return refused;
      await steps.tell(run, event);
      // It may be decided already by somebody else's, and still on its way to the disk.
      await save(run);
      return undefined;
    });

  return {
    inspect: async (pipeline, id) => {
      const run = await runs.load(pipeline, id);
      if (!run) return undefined;
      const { record, shown } = run;
      if (hasEnded(run.saved) && run.progress === run.saved) runs.dismiss(run);
      return { run: shown, input: record.input, pipeline: record.pipeline };
    },

    signal: (pipeline, id, step, data) =>
      tell(pipeline, id, {
        kind: 'signalled',
        step,
        data,
        fingerprint: digest(canonicalJson(data)),
      }),

    cancel: (pipeline, id, { by, reason }) => tell(pipeline, id, { kind: 'cancelled', by, reason }),

    replay: (pipeline, id, { upgrade = false, ...request }) =>
      withRun(pipeline, id, async (run) => {
        const { record, progress } = run;
        const current = upgrade ? (pipelines.get(pipeline) ?? record.pipeline) : record.pipeline;
        const base =
          current.hash === record.pipeline.hash
            ? progress
            : regraph(record.pipeline, current, progress, { input: record.input, isConfigured });
        if ('code' in base) return base;
        const again = replay(current, base, request, { now: clock.now() });
        if ('code' in again) return again;
        run.record = { ...record, pipeline: current };
        run.progress = again;
        runs.admit(run);
        try {
          await save(run);
        } catch (error) {
          runs.dismiss(run);
          throw error;
        }
        steps.takeUp(run);
        return undefined;
      }),
  };
};
