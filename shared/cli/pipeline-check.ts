/** `faas-patterns pipeline check`: all that is wrong with pipeline files, for people and for machines. Sends nothing. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Environment } from '../config';
import { didYouMean } from '../nearest';
import { type LoadedPipelines, loadDirectory, loadFiles } from '../pipeline/load-directory';
import type { PipelineMistake } from '../pipeline/pipeline';
import { oneLine } from './text';

/** What a command has of the process around it. */
export interface PipelineCheckIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly env: Environment;
  readonly cwd: string;
  /** Names of the functions of the suite, without the pipelines. */
  readonly knownFunctions: readonly string[];
}

export const PIPELINE_CHECK_USAGE = `Usage: faas-patterns pipeline check [FILES…] [--json]

Checks pipeline files; without FILES all of PIPELINES_DIR (default pipelines).
Exit: 0 fine, 1 mistakes, 2 a file that cannot be read or a wrong option.
`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** The exit code: 0 fine (warnings do not count), 1 mistakes, 2 a file that cannot be read or a wrong option. */
export const pipelineCheck = async (
  args: readonly string[],
  io: PipelineCheckIo,
): Promise<number> => {
  const unknown = unknownOption(args);
  if (unknown !== undefined) {
    const hint = didYouMean(
      unknown,
      Object.keys(OPTIONS).map((name) => `--${name}`),
    );
    io.stderr.write(`there is no option ${oneLine(unknown)}${hint}\n${PIPELINE_CHECK_USAGE}`);
    return 2;
  }
  const { values, positionals } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
  });
  if (values.help) {
    io.stdout.write(PIPELINE_CHECK_USAGE);
    return 0;
  }
  const { pipelines, mistakes } = load(positionals, io);
  const errors = mistakes.filter(({ severity }) => severity === 'error');
  const warnings = mistakes.filter(({ severity }) => severity === 'warning');
  if (values.json) {
    const valid = errors.length === 0;
    io.stdout.write(
      `${JSON.stringify({ valid, errors: errors.map(show), warnings: warnings.map(show) })}\n`,
    );
  } else {
    for (const mistake of mistakes) io.stderr.write(mistakeLine(mistake));
    if (errors.length === 0) io.stdout.write(`${count(pipelines.length)} fine\n`);
  }
  if (errors.some(({ code }) => code === 'unreadable')) return 2;
  return errors.length > 0 ? 1 : 0;
};

/** Paths are shown from the working folder, as an editor or a terminal can open them. */
const load = (
  files: readonly string[],
  { env, cwd, knownFunctions }: PipelineCheckIo,
): LoadedPipelines => {
  const options = { functions: knownFunctions, environment: env };
  const { pipelines, mistakes } =
    files.length > 0
      ? loadFiles(
          files.map((file) => path.resolve(cwd, file)),
          options,
        )
      : loadDirectory(path.resolve(cwd, env.PIPELINES_DIR?.trim() || 'pipelines'), options);
  const shown = mistakes.map((mistake) => ({
    ...mistake,
    file: path.relative(cwd, mistake.file) || '.',
  }));
  return { pipelines, mistakes: shown };
};

const show = ({ severity: _, ...mistake }: PipelineMistake) => mistake;

/** `file:line:column code message`. */
export const mistakeLine = ({
  file,
  line,
  column,
  code,
  message,
  severity,
}: PipelineMistake): string =>
  `${oneLine(file)}:${line}:${column} ${code} ${severity === 'warning' ? 'warning: ' : ''}${oneLine(message)}\n`;

const count = (pipelines: number): string =>
  pipelines === 1 ? '1 pipeline is' : `${pipelines} pipelines are`;

const unknownOption = (args: readonly string[]): string | undefined => {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const wrong = tokens.find(
    (token) =>
      token.kind === 'option' && (!Object.hasOwn(OPTIONS, token.name) || token.value !== undefined),
  );
  return wrong?.kind === 'option' ? wrong.rawName : undefined;
};
