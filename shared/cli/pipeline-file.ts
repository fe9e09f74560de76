/** The one pipeline file that a command is about: read, checked, and what is wrong with it told as `pipeline check` does. */
import path from 'node:path';
import { loadFiles } from '../pipeline/load-directory';
import type { Pipeline, PipelineMistake } from '../pipeline/pipeline';
import { UsageError } from './flags';
import type { PipelineCheckIo } from './pipeline-check';
import { oneLine, showJson } from './text';

/** Exit codes of every command: the answer is no, and what was asked cannot be read. */
export const EXIT = { fine: 0, no: 1, unusable: 2 } as const;

/** Throws a UsageError when there is not just one. */
export const onlyFile = ([file, ...more]: readonly string[]): string => {
  if (file === undefined) throw new UsageError('FILE is missing');
  if (more.length > 0)
    throw new UsageError(`there is one argument too many: ${oneLine(more.join(' '))}`);
  return file;
};

/**
 * The pipeline, or the exit code once its mistakes are told: on stderr a line each, with `json` on stdout.
 * The environment is no matter here: a webhook that is not configured yet can be drawn.
 */
export const readPipelineFile = (
  file: string,
  { stdout, stderr, cwd, knownFunctions }: PipelineCheckIo,
  { json }: { readonly json: true | undefined },
): Pipeline | number => {
  const { pipelines, mistakes } = loadFiles([path.resolve(cwd, file)], {
    functions: knownFunctions,
  });
  const [pipeline] = pipelines;
  const errors = mistakes.filter(({ severity }) => severity === 'error');
  if (pipeline && errors.length === 0) return pipeline;
  const shown = errors.map(({ severity: _, ...mistake }) => ({
    ...mistake,
    file: path.relative(cwd, mistake.file) || '.',
  }));
  if (json) stdout.write(`${showJson({ valid: false, errors: shown })}\n`);
  else for (const mistake of shown) stderr.write(line(mistake));
  return errors.some(({ code }) => code === 'unreadable') ? EXIT.unusable : EXIT.no;
};

const line = ({ file, line, column, code, message }: Omit<PipelineMistake, 'severity'>): string =>
  `${oneLine(file)}:${line}:${column} ${code} ${oneLine(message)}\n`;
