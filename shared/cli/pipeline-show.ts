/** `faas-patterns pipeline show`: how one run stands, step by step, and what its errors mean. */
import type { Inspection } from '../pipeline/engine';
import type { Run } from '../pipeline/run';
import { command } from './command';
import type { FullIo } from './io';
import { pipelineName, runId } from './names';
import { errorMeaning, errorOf, errorText } from './step-text';
import { oneLine, showJson, table } from './text';

export const PIPELINE_SHOW_USAGE = `Usage: faas-patterns pipeline show NAME RUN [--record] [--json]

Shows a run: its steps with their attempts, the next try, and what their errors mean.

  --record                 also its input and its graph (for bearers of the server's ADMIN_TOKENS)
  --json                   for machines: what the server answers, as one JSON object
  --url URL --token TOKEN  default: FAAS_URL (http://localhost:8080) and FAAS_TOKEN

Exit: 0 fine, 1 there is no such run, 2 the server cannot be asked, or a wrong option.
`;

export const pipelineShow = command(
  {
    name: 'pipeline show',
    usage: PIPELINE_SHOW_USAGE,
    flags: { record: 'switch' },
    positionals: ['the name of a pipeline', 'the id of a run'],
  },
  async ({ positionals, values, io, connect }) => {
    const [name, id] = [pipelineName(positionals[0] as string), runId(positionals[1] as string)];
    const { body } = await connect().call({
      path: `/${name}/runs/${id}${values.record ? '/record' : ''}`,
      callers: values.record ? 'admin' : 'none',
      signal: io.signal,
    });
    if (values.json) io.stdout(`${JSON.stringify(body)}\n`);
    else if (values.record) showRecord(body as Inspection, io);
    else io.stdout(runText(body as Run));
    return 0;
  },
);

const showRecord = ({ run, input, pipeline }: Inspection, io: FullIo): void => {
  io.stdout(runText(run));
  io.stdout(`\ninput ${showJson(input, 2)}\n\ngraph ${showJson(pipeline, 2)}\n`);
};

export const runText = (run: Run): string => {
  const {
    id,
    pipeline,
    state,
    createdAt,
    deadlineAt,
    endedAt,
    cancelled,
    replays = [],
    steps,
    graph,
  } = run;
  const facts: readonly (readonly [string, string])[] = [
    ['run', `${id} of ${pipeline}`],
    ['state', state],
    ['accepted', createdAt],
    endedAt === undefined ? ['deadline', deadlineAt] : ['ended', endedAt],
    ['graph', graph.slice(0, 12)],
    ...(cancelled
      ? [['cancelled', `${cancelled.at} by ${cancelled.by}: ${cancelled.reason}`] as const]
      : []),
    ...replays.map(
      ({ at, by, reason, steps, resend }) =>
        [
          'replay',
          `${at} by ${by}: ${reason} (${steps.join(', ') || 'what is taken back'}${resend ? ', sent again' : ''})`,
        ] as const,
    ),
  ];
  const rows = Object.entries(steps).map(([name, step]) => {
    const { state, reason, attempts, nextAttemptAt = '', undo, generation } = step;
    const error = step.error ?? errorOf(step);
    return [
      name,
      [state, reason && `(${reason})`, undo && `undo ${undo.state}`].filter(Boolean).join(' '),
      `${attempts}${generation === undefined ? '' : ` of generation ${generation}`}`,
      undo?.nextAttemptAt ?? nextAttemptAt,
      error ? errorText(error) : '',
      (error && errorMeaning(error)) ?? '',
    ];
  });
  const outputs = Object.entries(steps).flatMap(([name, { output }]) =>
    output === undefined ? [] : [`${name} answered ${showJson(output)}`],
  );
  return [
    table(facts),
    '\n',
    table([['STEP', 'STATE', 'ATTEMPTS', 'NEXT TRY', 'ERROR', ''], ...rows]),
    ...(outputs.length > 0 ? ['\n', ...outputs.map((line) => `${oneLine(line)}\n`)] : []),
  ].join('');
};
