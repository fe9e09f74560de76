/** `faas-patterns pipeline export`: a pipeline in the language of another engine, or all that cannot be said in it. */
import { didYouMean } from '../nearest';
import type { Exported, Exporter, ExportOptions } from '../pipeline/export/export';
import { toKnative } from '../pipeline/export/knative';
import { toServerlessWorkflow } from '../pipeline/export/serverless-workflow';
import { toStepFunctions } from '../pipeline/export/step-functions';
import type { Pipeline } from '../pipeline/pipeline';
import { type FlagValues, parseFlags, UsageError } from './flags';
import type { PipelineCheckIo } from './pipeline-check';
import { EXIT, onlyFile, readPipelineFile } from './pipeline-file';
import { oneLine, showJson } from './text';

const FORMATS: Readonly<Record<string, Exporter>> = {
  'serverless-workflow': toServerlessWorkflow,
  'step-functions': toStepFunctions,
  knative: toKnative,
};

export const PIPELINE_EXPORT_USAGE = `Usage: faas-patterns pipeline export FILE --to FORMAT [--unsigned] [--functions-url URL]
         [--dead-letter-sink URL] [--json]

Prints a pipeline for another engine; FORMAT is ${Object.keys(FORMATS).join(', ')}.
  --unsigned              export calls that we would sign without a signature: no format can make one
  --functions-url URL     where the functions are (default FUNCTIONS_URL)
  --dead-letter-sink URL  knative: what gets the events that could not be delivered
Exit: 0 fine, 1 mistakes in the file or something that cannot be said, 2 a file that cannot be read or a wrong option.
`;

const FLAGS = {
  to: 'text',
  unsigned: 'switch',
  'functions-url': 'text',
  'dead-letter-sink': 'text',
  json: 'switch',
  help: 'switch',
} as const;

/** The exit code. With --json `{ to, text, notes }` or `{ to, refused: [{ step, reason }] }`. */
export const pipelineExport = async (
  args: readonly string[],
  io: PipelineCheckIo,
): Promise<number> => {
  try {
    return translate(args, io);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    io.stderr.write(`${thrown.message}\n${PIPELINE_EXPORT_USAGE}`);
    return EXIT.unusable;
  }
};

const translate = (args: readonly string[], io: PipelineCheckIo): number => {
  const { values, positionals } = parseFlags(args, FLAGS);
  if (values.help) {
    io.stdout.write(PIPELINE_EXPORT_USAGE);
    return EXIT.fine;
  }
  const { to = '', json } = values;
  const file = onlyFile(positionals);
  const exporter = Object.hasOwn(FORMATS, to) ? FORMATS[to] : undefined;
  if (!exporter) throw new UsageError(noFormat(to));
  const pipeline = readPipelineFile(file, io, { json });
  if (typeof pipeline === 'number') return pipeline;
  const result = exportWith(exporter, pipeline, optionsOf(values, io));
  tell(result, { file, to, json }, io);
  return 'refused' in result ? EXIT.no : EXIT.fine;
};

const noFormat = (to: string): string => {
  const names = Object.keys(FORMATS);
  return to === ''
    ? `--to is needed: ${names.join(', ')}`
    : `there is no format ${oneLine(to)}${didYouMean(to, names)}`;
};

/** A URL that cannot be used is one of the command's own. */
const exportWith = (exporter: Exporter, pipeline: Pipeline, options: ExportOptions): Exported => {
  try {
    return exporter(pipeline, options);
  } catch (thrown) {
    throw thrown instanceof TypeError ? new UsageError(thrown.message) : thrown;
  }
};

const optionsOf = (values: FlagValues<typeof FLAGS>, { env }: PipelineCheckIo): ExportOptions => {
  const functionsUrl = values['functions-url'] ?? (env.FUNCTIONS_URL?.trim() || undefined);
  const deadLetterSink = values['dead-letter-sink'];
  return {
    unsigned: values.unsigned === true,
    ...(functionsUrl !== undefined && { functionsUrl }),
    ...(deadLetterSink !== undefined && { deadLetterSink }),
  };
};

const tell = (
  result: Exported,
  {
    file,
    to,
    json,
  }: { readonly file: string; readonly to: string; readonly json: true | undefined },
  { stdout, stderr }: PipelineCheckIo,
): void => {
  if (json) stdout.write(`${showJson({ to, ...result })}\n`);
  else if (!('refused' in result)) stdout.write(result.text);
  else
    for (const { step, reason } of result.refused)
      stderr.write(`${oneLine(file)} ${step}: ${oneLine(reason)}\n`);
};
