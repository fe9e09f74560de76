/** `faas-patterns pipeline cancel | signal`: what somebody asks of one run. */
import type { Run } from '../pipeline/run';
import { command } from './command';
import { UsageError } from './flags';
import { readInput } from './input';
import type { FullIo } from './io';
import { pipelineName, runId, stepName } from './names';
import { oneLine } from './text';

const CONNECTION = `  --json                   for machines: the run, as one JSON object
  --url URL --token TOKEN  default: FAAS_URL (http://localhost:8080) and FAAS_TOKEN`;

const EXIT = `Exit: 0 it is recorded, 1 refused, 2 the server cannot be asked, or a wrong option.
`;

export const PIPELINE_CANCEL_USAGE = `Usage: faas-patterns pipeline cancel NAME RUN --reason TEXT [--by WHO]

Calls a run off: nothing more begins, and what has an undo is taken back.

  --reason TEXT            why; kept with the run
  --by WHO                 who; kept with the run (default operator)
${CONNECTION}, of the server's ADMIN_TOKENS

${EXIT}`;

const RUN = ['the name of a pipeline', 'the id of a run'] as const;

export const pipelineCancel = command(
  {
    name: 'pipeline cancel',
    usage: PIPELINE_CANCEL_USAGE,
    flags: { reason: 'text', by: 'text' },
    positionals: RUN,
  },
  async ({ positionals, values, io, connect }) => {
    const [name, id] = [pipelineName(positionals[0] as string), runId(positionals[1] as string)];
    const { by } = values;
    const { body } = await connect().call({
      method: 'POST',
      path: `/${name}/runs/${id}/cancel`,
      body: JSON.stringify({ reason: readReason(values.reason), ...(by !== undefined && { by }) }),
      callers: 'admin',
      signal: io.signal,
    });
    return tell(body as Run, values.json === true, io, 'is called off');
  },
);

export const PIPELINE_SIGNAL_USAGE = `Usage: faas-patterns pipeline signal NAME RUN STEP [--data JSON | --input FILE|-]

Answers a step that waits, or will. The first answer counts; the same once more is no mistake.

  --data JSON              the answer (default null)
  --input FILE|-           the answer, from a file or from stdin
${CONNECTION}, of the server's CALLER_TOKENS

${EXIT}`;

export const pipelineSignal = command(
  {
    name: 'pipeline signal',
    usage: PIPELINE_SIGNAL_USAGE,
    flags: { data: 'text', input: 'text' },
    positionals: [...RUN, 'the name of a step'],
  },
  async ({ positionals, values, io, connect }) => {
    const [name, id] = [pipelineName(positionals[0] as string), runId(positionals[1] as string)];
    const step = stepName(positionals[2] as string);
    const client = connect();
    const { body } = await client.call({
      method: 'POST',
      path: `/${name}/runs/${id}/signal/${step}`,
      body: (await readInput(values, io)) ?? 'null',
      callers: 'backend',
      signal: io.signal,
    });
    return tell(body as Run, values.json === true, io, `has the answer for ${step}`);
  },
);

/** Throws a UsageError when there is none: who asks later why, has to find an answer. */
export const readReason = (reason: string | undefined): string => {
  if (reason?.trim()) return reason;
  throw new UsageError('--reason is missing: it is kept with the run');
};

export const tell = (run: Run, json: boolean, io: FullIo, what: string): number => {
  io.stdout(
    json ? `${JSON.stringify(run)}\n` : oneLine(`run ${run.id} ${what}: ${run.state}`).concat('\n'),
  );
  return 0;
};
