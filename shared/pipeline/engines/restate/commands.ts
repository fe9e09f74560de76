/** What somebody asks of a run. Answered when it is recorded. */
import { canonicalJson } from '../../../canonical';
import type { Clock } from '../../../clock';
import { Failure } from '../../../failure';
import type { Commanded, Engine, Refusal } from '../../engine';
import type { Command } from '../../machine/refuse';
import type { Pipeline } from '../../pipeline';
import { digest } from '../digest';
import type { SignalGroup } from '../signal-group';
import type { Graphs } from './graphs';
import { unavailable } from './http';
import type { Ingress } from './ingress';
import type { Reader } from './reader';
import type { Names, ReplayCommand, Told } from './stored';

/** Without an open connection a command waits for the attempts under way, ms. */
const COMMAND_TIMEOUT = 120_000;
/** How often it is given anew to a run that ended, or began anew, meanwhile. */
const TRIES = 100;
const PAUSE = 50;

export interface CommandsOptions {
  readonly ingress: Ingress;
  readonly names: Pick<Names, 'runs'>;
  readonly reader: Reader;
  readonly graphs: Graphs;
  /** Those of now. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly clock: Clock;
  readonly closing: SignalGroup;
}

const NOT_FOUND: Refusal = { code: 'not_found', detail: 'There is no such run.' };
const NOT_ENDED: Refusal = {
  code: 'run_not_ended',
  detail: 'Only a run that has ended can run again; this one is under way.',
};

export const createCommands = (
  options: CommandsOptions,
): Pick<Engine, 'signal' | 'cancel' | 'replay'> => {
  const { ingress, names, reader, graphs, pipelines, clock, closing } = options;

  const command = async (
    pipeline: string,
    id: string,
    give: (endedAt: string | undefined) => Promise<Told>,
  ): Promise<Commanded> => {
    for (let left = TRIES; left > 0; left -= 1) {
      if (closing.aborted) throw new Failure('stopping', { headers: { 'retry-after': '1' } });
      const found = await reader.shown(pipeline, id);
      if (!found) return { refused: NOT_FOUND };
      const told = await give(found.snapshot.progress.endedAt);
      if ('refused' in told) return told;
      // A replay may have gone over to another graph.
      if ('progress' in told)
        return {
          run: await reader.toRun(
            (await reader.shown(pipeline, id))?.about ?? found.about,
            told.progress,
          ),
        };
      await clock.sleep(PAUSE);
    }
    throw unavailable(new Error(`the run ${id} took no command`));
  };

  const tell = (pipeline: string, id: string, what: Command): Promise<Commanded> =>
    command(pipeline, id, () =>
      ingress.call<Told>(
        { service: names.runs, key: id, handler: 'tell', body: { command: what, at: clock.now() } },
        { timeout: COMMAND_TIMEOUT },
      ),
    );

  return {
    signal: (pipeline, id, step, data) =>
      tell(pipeline, id, {
        kind: 'signalled',
        step,
        data,
        fingerprint: digest(canonicalJson(data)),
      }),
    cancel: (pipeline, id, { by, reason }) => tell(pipeline, id, { kind: 'cancelled', by, reason }),
    replay: (pipeline, id, { upgrade = false, ...request }) =>
      command(pipeline, id, async (endedAt) => {
        if (endedAt === undefined) return { refused: NOT_ENDED };
        const current = upgrade ? pipelines.get(pipeline) : undefined;
        if (current) await graphs.keep(current);
        const body: ReplayCommand = { request, endedAt, ...(current && { graph: current.hash }) };
        return ingress.call<Told>(
          { service: names.runs, key: id, handler: 'replay', body },
          { timeout: COMMAND_TIMEOUT, again: false },
        );
      }),
  };
};
