/** `faas-patterns pipeline replay`: runs again what failed, of one run or of many. */
import type { Run } from '../pipeline/run';
import { type Call, command } from './command';
import { UsageError } from './flags';
import { pipelineName, readCount, runId, stepName } from './names';
import { readReason, tell } from './pipeline-orders';
import { replayMany } from './replay-many';

const FLAGS = {
  step: 'text',
  downstream: 'switch',
  resend: 'switch',
  upgrade: 'switch',
  reason: 'text',
  by: 'text',
  all: 'switch',
  ids: 'text',
  code: 'text',
  rate: 'text',
  limit: 'text',
} as const;

export type ReplayCall = Call<typeof FLAGS>;

export const PIPELINE_REPLAY_USAGE = `Usage: faas-patterns pipeline replay NAME RUN --reason TEXT [OPTIONS]
       faas-patterns pipeline replay NAME --all --reason TEXT [--step STEP] [--code CODE] [--rate 10/s] [--limit N]
       faas-patterns pipeline replay NAME --ids FILE|- --reason TEXT [OPTIONS]

Runs again what failed, or was not reached, under the keys it had. What has succeeded is not sent again.

  --step STEP              this step only; with --all, of runs that have a dead letter of it
  --downstream             also what comes after the step
  --resend                 under new keys, and also what has succeeded
  --upgrade                on the graph of now, where that is the same for all that has begun
  --reason TEXT            why; kept with the run
  --by WHO                 who; kept with the run (default operator)
  --all                    every run that has a dead letter, each once, newest first
  --ids FILE|-             these runs: an id a line, or JSON with a member run or id, as the lists give it
  --code CODE              with --all: those that failed for this, such as refused
  --rate 10/s              with --all and --ids: so many in a second (default 10/s), or in a minute (600/m)
  --limit N                with --all and --ids: so many runs at most
  --json                   for machines: the run; with --all and --ids one result a line
  --url URL --token TOKEN  default: FAAS_URL (http://localhost:8080) and FAAS_TOKEN, of the server's ADMIN_TOKENS

A run that is under way, or has nothing to run again, is skipped: the same command once more does no harm.
Exit: 0 recorded, or skipped, 1 one was refused, or the command was interrupted, 2 the server cannot be asked, or a
wrong option.
`;

export const pipelineReplay = command(
  {
    name: 'pipeline replay',
    usage: PIPELINE_REPLAY_USAGE,
    flags: FLAGS,
    positionals: ['the name of a pipeline', 'the id of a run?'],
  },
  async (call) => {
    const { positionals, values, io, connect } = call;
    const name = pipelineName(positionals[0] as string);
    const order = readOrder(values);
    checkScope(positionals[1], values);
    if (values.all || values.ids !== undefined) return replayMany(name, order, call);
    const id = runId(positionals[1] as string);
    const { body } = await connect().call({
      method: 'POST',
      path: `/${name}/runs/${id}/replay`,
      body: order,
      callers: 'admin',
      signal: io.signal,
    });
    return tell(body as Run, values.json === true, io, 'runs again');
  },
);

/** The body of the call. */
const readOrder = (values: ReplayCall['values']): string => {
  const { step, downstream, resend, upgrade, by } = values;
  if (downstream && step === undefined) throw new UsageError('--downstream needs a --step');
  return JSON.stringify({
    reason: readReason(values.reason),
    ...(by !== undefined && { by }),
    ...(step !== undefined && { step: stepName(step) }),
    ...(downstream && { downstream }),
    ...(resend && { resend }),
    ...(upgrade && { upgrade }),
  });
};

const checkScope = (id: string | undefined, values: ReplayCall['values']): void => {
  const { all, ids, code, rate, limit } = values;
  const scopes = [id, all, ids].filter((scope) => scope !== undefined).length;
  if (scopes === 0) throw new UsageError('the id of a run is missing, or --all, or --ids');
  if (scopes > 1) throw new UsageError('of the id of a run, --all and --ids only one can be given');
  if (code !== undefined && !all) throw new UsageError('--code is for --all');
  if (id !== undefined && (rate !== undefined || limit !== undefined))
    throw new UsageError('--rate and --limit are for --all and --ids');
  readCount('limit', limit);
};
