/**
 * `faas-patterns pipeline run --dry-run`: what a run would send, shown and not sent. No server is asked, no name
 * resolved, no file written.
 *
 * Fails closed: a file with mistakes, or an input that the schema does not take, is not planned.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { deriveKeys, type Keys } from '../keys';
import { didYouMean } from '../nearest';
import type { Destination } from '../pipeline/attempt';
import { loadDirectory, loadFiles } from '../pipeline/load-directory';
import type { Pipeline } from '../pipeline/pipeline';
import { randomId } from '../random';
import { compile } from '../schema';
import { destinationOf } from '../suite/engine';
import { continueTrace } from '../trace';
import { UnusableInput } from './flags';
import type { FullIo } from './io';
import { mistakeLine } from './pipeline-check';
import { readPipelineFile } from './pipeline-file';
import { type PlannedStep, planRun } from './plan';
import { printPlan } from './plan-text';
import { oneLine } from './text';

export interface DryRunOptions {
  readonly io: FullIo;
  readonly json: boolean;
  readonly knownFunctions: readonly string[];
}

/** The exit code: 0 shown, 1 mistakes in the file, its settings or the input. Throws an UnusableInput for what cannot be read. */
export const dryRun = (
  target: { readonly name: string } | { readonly file: string },
  input: unknown,
  options: DryRunOptions,
): number => {
  const { io, json, knownFunctions } = options;
  const folder = path.resolve(io.folder, io.environment.PIPELINES_DIR?.trim() || 'pipelines');
  const file =
    'file' in target ? path.resolve(io.folder, target.file) : fileOf(target.name, folder);
  const read = readPipelineFile(
    file,
    {
      stdout: { write: io.stdout },
      stderr: { write: io.stderr },
      env: io.environment,
      cwd: io.folder,
      knownFunctions,
    },
    { json: json || undefined },
  );
  if (typeof read === 'number') return read;
  const settings = badSettings(file, options);
  if (settings.length > 0) return refuse(settings, settings.map(mistakeLine), options);
  const errors = compile(read.input)(input);
  if (errors.length > 0) {
    const lines = errors.map(
      ({ pointer, message }) => `  ${oneLine(`${pointer || '/'} ${message}`)}\n`,
    );
    return refuse(
      errors,
      [`the input does not match what ${read.name} takes\n`, ...lines],
      options,
    );
  }
  const runId = randomId(io.random);
  const steps = plan(read, input, runId, file, options);
  const { name: pipeline, hash: graph } = read;
  const whole = { pipeline, graph, runId, sent: false, steps } as const;
  io.stdout(
    json
      ? `${JSON.stringify(whole)}\n`
      : printPlan(whole, { file: path.relative(io.folder, file), io }),
  );
  return 0;
};

const refuse = (
  errors: readonly unknown[],
  lines: readonly string[],
  { io, json }: DryRunOptions,
): number => {
  if (json) io.stdout(`${JSON.stringify({ valid: false, errors })}\n`);
  else for (const line of lines) io.stderr(line);
  return 1;
};

const fileOf = (name: string, folder: string): string => {
  const found = ['.yaml', '.yml']
    .map((extension) => path.join(folder, `${name}${extension}`))
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  const names = existsSync(folder)
    ? readdirSync(folder).flatMap((file) => /^(.+)\.ya?ml$/.exec(file)?.[1] ?? [])
    : [];
  throw new UnusableInput(
    `there is no pipeline ${name} in ${oneLine(folder)} (PIPELINES_DIR)${didYouMean(name, names)}`,
  );
};

/** A URL or a secret that is not set is shown; one that cannot be used would show what is not. */
const badSettings = (file: string, { io, knownFunctions }: DryRunOptions) =>
  loadFiles([file], { functions: knownFunctions, environment: io.environment })
    .mistakes.filter(({ code }) => code === 'bad_webhook_url' || code === 'bad_webhook_secret')
    .map((mistake) => ({ ...mistake, file: path.relative(io.folder, mistake.file) }));

const plan = (
  pipeline: Pipeline,
  input: unknown,
  runId: string,
  file: string,
  options: DryRunOptions,
): readonly PlannedStep[] => {
  const { random, clock } = options.io;
  const trace = continueTrace(undefined, random);
  try {
    return planRun(pipeline, {
      input,
      destination: destinationFor(file, options),
      runId,
      traceparent: () => continueTrace(trace, random),
      now: clock.now(),
    });
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    throw new UnusableInput(`the environment cannot be used: ${oneLine(thrown.message)}`);
  }
};

const destinationFor = (file: string, { io, knownFunctions }: DryRunOptions): Destination => {
  const { environment } = io;
  const set = (name: string) => environment[name]?.trim() || undefined;
  const secret = set('SECRET_KEY') ?? developmentKey(io);
  let beside: readonly Pipeline[] | undefined;
  return destinationOf({
    environment,
    keys: secret === undefined ? NO_KEYS : deriveKeys(secret),
    functionsUrl: () => set('FUNCTIONS_URL') ?? `http://localhost:${set('PORT') ?? '8080'}`,
    subscribers: (type) => {
      beside ??= loadDirectory(path.dirname(file), { functions: knownFunctions }).pipelines;
      return beside.filter(({ on }) => on === type).map(({ name }) => name);
    },
  });
};

/** An empty key: what would be signed with the real one is shown without a signature. */
const NO_KEYS: Keys = () => {
  const current = { id: '', bytes: new Uint8Array() };
  return { current, all: [current] };
};

/** As a start in development has made it; it is not made here. */
const developmentKey = ({ environment, folder }: FullIo): string | undefined => {
  if (environment.NODE_ENV === 'production') return undefined;
  try {
    return readFileSync(path.join(folder, '.data/secret-key'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
};
