/** `faas-patterns pipeline runs | dead-letters | targets`: what there is, newest first, as a table or a line of JSON each. */
import type { DeadLetter, DisabledTarget } from '../pipeline/engine';
import type { RunSummary } from '../pipeline/run';
import { type Call, command } from './command';
import { UsageError } from './flags';
import { pipelineName, readCount, readInstant, stepName } from './names';
import { type ListOptions, pages } from './pages';
import { errorMeaning, errorText } from './step-text';
import { table } from './text';

const PIPELINE = 'the name of a pipeline';
const COMMON = `  --limit N                so many at most (default 50)
  --all                    all there are
  --json                   for machines: one JSON object a line
  --url URL --token TOKEN  default: FAAS_URL (http://localhost:8080) and FAAS_TOKEN, of the server's ADMIN_TOKENS

Exit: 0 fine, 1 refused, 2 the server cannot be asked, or a wrong option.
`;
const LIMITS = { limit: 'text', all: 'switch' } as const;
const DEFAULT_LIMIT = 50;

export const PIPELINE_RUNS_USAGE = `Usage: faas-patterns pipeline runs NAME [OPTIONS]

Lists runs, newest first.

  --state STATE            running, succeeded, failed or cancelled
  --since INSTANT          accepted then or later: 2026-01-31T09:00:00Z, or how long ago, such as 2h
  --until INSTANT          accepted before
${COMMON}`;

export const pipelineRuns = command(
  {
    name: 'pipeline runs',
    usage: PIPELINE_RUNS_USAGE,
    flags: { state: 'text', since: 'text', until: 'text', ...LIMITS },
    positionals: [PIPELINE],
  },
  (call) => {
    const { values, io } = call;
    const { state } = values;
    const since = readInstant('since', values.since, io.clock);
    const until = readInstant('until', values.until, io.clock);
    return list<RunSummary>(
      call,
      { path: 'runs', member: 'runs', filters: { state, since, until } },
      ['RUN', 'STATE', 'ACCEPTED', 'ENDED'],
      ({ id, state, createdAt, endedAt = '' }) => [id, state.padEnd(9), createdAt, endedAt],
    );
  },
);

export const PIPELINE_DEAD_LETTERS_USAGE = `Usage: faas-patterns pipeline dead-letters NAME [OPTIONS]

Lists steps that have failed for good, those of the newest runs first. \`pipeline replay\` runs them again.

  --step STEP              of this step
  --code CODE              failed for this, such as refused or upstream_timeout
${COMMON}`;

export const pipelineDeadLetters = command(
  {
    name: 'pipeline dead-letters',
    usage: PIPELINE_DEAD_LETTERS_USAGE,
    flags: { step: 'text', code: 'text', ...LIMITS },
    positionals: [PIPELINE],
  },
  (call) => {
    const { step, code } = call.values;
    return list<DeadLetter>(
      call,
      {
        path: 'dead-letters',
        member: 'deadLetters',
        filters: { step: step && stepName(step), code },
      },
      ['RUN', 'STEP', 'ATTEMPTS', 'FAILED', 'ERROR', ''],
      ({ run, step, attempts, failedAt, error }) => [
        run,
        step.padEnd(16),
        String(attempts).padEnd(8),
        failedAt,
        error ? errorText(error) : '',
        (error && errorMeaning(error)) ?? '',
      ],
    );
  },
);

const list = async <T>(
  {
    positionals,
    values,
    io,
    connect,
  }: Pick<Call<typeof LIMITS>, 'positionals' | 'values' | 'io' | 'connect'>,
  options: Omit<ListOptions, 'limit' | 'signal'>,
  head: readonly string[],
  row: (item: T) => readonly string[],
): Promise<number> => {
  const name = pipelineName(positionals[0] as string);
  if (values.all && values.limit !== undefined)
    throw new UsageError('--limit and --all cannot both be given');
  const limit = values.all ? undefined : (readCount('limit', values.limit) ?? DEFAULT_LIMIT);
  let isFirst = true;
  let hasMore = false;
  for await (const { items, more } of pages<T>(connect(), name, {
    ...options,
    limit,
    signal: io.signal,
  })) {
    const rows = items.map(row);
    if (values.json) io.stdout(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    else if (items.length > 0) io.stdout(table(isFirst ? [head, ...rows] : rows));
    if (isFirst && items.length === 0 && !values.json) io.stderr('there are none\n');
    isFirst = false;
    hasMore = more;
    await io.drained();
  }
  if (hasMore) io.stderr('there are more: --limit N or --all\n');
  return io.signal.aborted ? 1 : 0;
};

export const PIPELINE_TARGETS_USAGE = `Usage: faas-patterns pipeline targets NAME [--enable TARGET] [--json]

Lists targets that have answered 410, and are not called until somebody enables them; those of all pipelines.

  --enable TARGET          let it be called again
  --json                   for machines: one JSON object a line
  --url URL --token TOKEN  default: FAAS_URL (http://localhost:8080) and FAAS_TOKEN, of the server's ADMIN_TOKENS

Exit: 0 fine, 1 no such target is disabled, 2 the server cannot be asked, or a wrong option.
`;

export const pipelineTargets = command(
  {
    name: 'pipeline targets',
    usage: PIPELINE_TARGETS_USAGE,
    flags: { enable: 'text' },
    positionals: [PIPELINE],
  },
  async ({ positionals, values, io, connect }) => {
    const name = pipelineName(positionals[0] as string);
    const { enable, json } = values;
    const client = connect();
    if (enable !== undefined) {
      // No path may mean another one.
      if (/^\.*$/.test(enable)) throw new UsageError('--enable needs the name of a target');
      const path = `/${name}/targets/${encodeURIComponent(enable)}/enable`;
      await client.call({ method: 'POST', path, callers: 'admin', signal: io.signal });
      io.stdout(json ? `${JSON.stringify({ name: enable, enabled: true })}\n` : `enabled\n`);
      return 0;
    }
    const { body } = await client.call({
      path: `/${name}/targets`,
      callers: 'admin',
      signal: io.signal,
    });
    const { targets } = body as { readonly targets: readonly DisabledTarget[] };
    if (json) io.stdout(targets.map((target) => `${JSON.stringify(target)}\n`).join(''));
    else if (targets.length === 0) io.stderr('there are none\n');
    else io.stdout(table([['TARGET', 'GONE SINCE'], ...targets.map(({ name, at }) => [name, at])]));
    return 0;
  },
);
