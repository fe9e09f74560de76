/**
 * Pipeline files from the disk: the one file here that reads any. What cannot be read is a mistake like any other,
 * with the code `unreadable`. Fails closed: a pipeline with a mistake is not among those that are given.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { findCallCycles, type PipelineFile } from './call-cycles';
import type { CheckOptions } from './check';
import { MAX_TEXT } from './document';
import { quote } from './finding';
import { baseName, loadPipeline } from './load';
import type { Pipeline, PipelineMistake } from './pipeline';

export type LoadOptions = Pick<CheckOptions, 'functions' | 'environment'>;

export interface LoadedPipelines {
  /** Those without errors, in the order of their files. */
  readonly pipelines: readonly Pipeline[];
  readonly mistakes: readonly PipelineMistake[];
}

/** All `*.yaml` and `*.yml` of a folder, in the order of their names. */
export const loadDirectory = (folder: string, options: LoadOptions = {}): LoadedPipelines => {
  let names: readonly string[];
  try {
    names = listPipelines(folder);
  } catch (thrown) {
    return { pipelines: [], mistakes: [unreadable(folder, thrown)] };
  }
  return loadFiles(
    names.map((name) => path.join(folder, name)),
    options,
  );
};

/** A step may call the pipelines of these files and of those beside them. */
export const loadFiles = (files: readonly string[], options: LoadOptions = {}): LoadedPipelines => {
  const folders = [...new Set(files.map((file) => path.dirname(file)))];
  const pipelines = folders.flatMap(neighbours).map(baseName);
  const mistakes: PipelineMistake[] = [];
  const loaded = new Map<string, PipelineFile>();
  const seen = new Set<string>();
  for (const file of files) {
    const text = readText(file, mistakes);
    if (text === undefined) continue;
    const resolve = (name: string) => readBeside(file, name);
    const found = loadPipeline({ ...options, file, text, resolve, pipelines });
    mistakes.push(...found.mistakes);
    const name = baseName(file);
    if (seen.has(name)) {
      const message = `another file has the name ${quote(name)}`;
      mistakes.push({
        file,
        ...found.locate('/name'),
        code: 'duplicate_name',
        message,
        severity: 'error',
      });
    } else if (found.pipeline)
      loaded.set(name, { file, pipeline: found.pipeline, locate: found.locate });
    seen.add(name);
  }
  const cycles = findCallCycles(loaded);
  mistakes.push(...cycles.mistakes);
  for (const name of cycles.names) loaded.delete(name);
  return { pipelines: [...loaded.values()].map(({ pipeline }) => pipeline), mistakes };
};

const listPipelines = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort();

/** What stands beside is a courtesy: a folder that cannot be listed adds nothing. */
const neighbours = (folder: string): readonly string[] => {
  try {
    return listPipelines(folder);
  } catch {
    return [];
  }
};

const readText = (file: string, mistakes: PipelineMistake[]): string | undefined => {
  try {
    return readBounded(file);
  } catch (thrown) {
    mistakes.push(unreadable(file, thrown));
    return undefined;
  }
};

const readBeside = (file: string, name: string): string | undefined => {
  try {
    return readBounded(path.join(path.dirname(file), name));
  } catch {
    return undefined;
  }
};

/** Never a pipe or a device, which would not end. */
const readBounded = (file: string): string => {
  const stats = statSync(file);
  if (!stats.isFile()) throw new TypeError('is not a file');
  if (stats.size > 4 * MAX_TEXT) throw new TypeError(`is larger than ${4 * MAX_TEXT} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder',
  EACCES: 'may not be read',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8',
};

const unreadable = (file: string, thrown: unknown): PipelineMistake => {
  const { code, message } = thrown as { readonly code?: string; readonly message: string };
  const reason = REASONS[code ?? ''] ?? (thrown instanceof TypeError ? message : 'cannot be read');
  return {
    file,
    line: 1,
    column: 1,
    code: 'unreadable',
    message: `${quote(file)} ${reason}`,
    severity: 'error',
  };
};
