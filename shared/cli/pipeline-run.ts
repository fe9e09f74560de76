/** `faas-patterns pipeline run`: starts a run, many runs, or only shows what one would send. */
import { type Call, command } from './command';
import { UsageError } from './flags';
import { readInput } from './input';
import { isFile, pipelineName, readCount, readDuration } from './names';
import { runEach } from './run-each';
import { runOne } from './run-one';

const FLAGS = {
  input: 'text',
  data: 'text',
  'idempotency-key': 'text',
  wait: 'optional',
  each: 'switch',
  concurrency: 'text',
  'dry-run': 'switch',
} as const;

export type RunCall = Call<typeof FLAGS>;

export const PIPELINE_RUN_USAGE = `Usage: faas-patterns pipeline run NAME|FILE (--data JSON | --input FILE|-) [OPTIONS]

Starts a run, and prints its id and its location.

  --data JSON              the input
  --input FILE|-           the input, from a file or from stdin
  --idempotency-key KEY    the same key and input: the same run
  --wait[=60s]             follow the run to its end, so long at most; exit 1 unless it has succeeded
  --each                   each line of --input is an input: a run a line, results in their order;
                           with an idempotency key, line 7 has the key KEY:7
  --concurrency N          with --each: how many at once (default 8)
  --dry-run                send nothing, and need no server: check the file and the input, and show every call
                           with its URL, headers and body
  --json                   for machines: one JSON object a line
  --url URL --token TOKEN  default: FAAS_URL (http://localhost:8080) and FAAS_TOKEN

Exit: 0 started (with --wait: succeeded), 1 refused, failed or cancelled, 2 the server cannot be asked, a wrong
option, or an input that cannot be read.
`;

export const pipelineRun = (knownFunctions: readonly string[]) =>
  command(
    {
      name: 'pipeline run',
      usage: PIPELINE_RUN_USAGE,
      flags: FLAGS,
      positionals: ['the name of a pipeline'],
    },
    async (call) => {
      const { values, io } = call;
      const target = call.positionals[0] as string;
      const name = pipelineName(target);
      refuseTogether(values);
      if (values.each) {
        if (values.input === undefined)
          throw new UsageError('--each needs --input FILE or --input -');
        return runEach(name, call, waitOf(values.wait));
      }
      if (values.input === undefined && values.data === undefined)
        throw new UsageError('an input is missing: --data JSON, --input FILE or --input -');
      const text = (await readInput(values, io)) as string;
      if (!values['dry-run']) return runOne(name, text, call, waitOf(values.wait));
      // The code of a real attempt, which only this command needs.
      const { dryRun } = await import('./dry-run');
      return dryRun(isFile(target) ? { file: target } : { name }, JSON.parse(text), {
        io,
        json: values.json === true,
        knownFunctions,
      });
    },
  );

const refuseTogether = (values: RunCall['values']): void => {
  const refused: readonly (readonly [boolean, string])[] = [
    [
      values['dry-run'] === true && values.wait !== undefined,
      '--dry-run sends nothing to --wait for',
    ],
    [
      values['dry-run'] === true && values.each === true,
      '--dry-run is for one input, not for --each',
    ],
    [
      values.each === true && values.data !== undefined,
      '--each reads lines: give --input, not --data',
    ],
    [values.concurrency !== undefined && !values.each, '--concurrency is for --each'],
  ];
  for (const [isRefused, message] of refused) if (isRefused) throw new UsageError(message);
  readCount('concurrency', values.concurrency);
};

/** `undefined`: not at all. */
const waitOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  return text === '' ? Number.POSITIVE_INFINITY : readDuration('wait', text);
};
