/**
 * `npm run docs`: writes what the declarations say into README.md and docs/; with --check only says whether it would.
 *
 * Exit codes: 0 fine, 1 something is stale (--check), 2 a file, a flag or a pipeline that cannot be used.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { AnyFunction } from '../define';
import { pipelineFunction } from '../pipeline/function';
import { loadDirectory } from '../pipeline/load-directory';
import type { Catalogue } from '../suite/suite';
import { configurationPage } from './docs/configuration';
import { figuresOf } from './docs/dependencies';
import { between, table } from './docs/markdown';
import { fileFields, stepFields } from './docs/pipeline-fields';

export interface DocsIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** The root of the project. */
  readonly folder: string;
}

const USAGE = `Usage: npm run docs [-- --check | --dependencies]

  --check          write nothing; exit with 1 when something is stale
  --dependencies   measure the dependencies as well: their figures in docs/dependencies.md
`;

/** Resolves with the exit code. */
export const docs = async (
  args: readonly string[],
  catalogue: Catalogue,
  io: DocsIo,
): Promise<number> => {
  try {
    const values = readFlags(args);
    const pages = new Map(await generate(catalogue, io.folder));
    if (values.dependencies) {
      const text = await readFile(path.join(io.folder, DEPENDENCIES), 'utf8');
      pages.set(DEPENDENCIES, between(text, 'figures', await figuresOf(io.folder)));
    }
    return await (values.check ? compare(pages, io) : write(pages, io));
  } catch (error) {
    io.stderr(`docs: ${(error as Error).message}\n`);
    return 2;
  }
};

const readFlags = (args: readonly string[]) => {
  try {
    const options = { check: { type: 'boolean' }, dependencies: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`);
  }
};

const README = 'README.md';
const PIPELINES = 'docs/pipelines.md';
const DEPENDENCIES = 'docs/dependencies.md';

/** The pages as they should be, by their path below the folder. Reads the environment of nobody. */
export const generate = async (
  catalogue: Catalogue,
  folder: string,
): Promise<ReadonlyMap<string, string>> => {
  const functions = await declarations(catalogue, folder);
  const read = (file: string) => readFile(path.join(folder, file), 'utf8');
  const pipelines = between(await read(PIPELINES), 'file fields', fileFields());
  return new Map([
    [README, between(await read(README), 'functions', functionTable(functions))],
    ['docs/configuration.md', configurationPage(functions)],
    [PIPELINES, between(pipelines, 'step fields', stepFields())],
  ]);
};

const functionTable = (functions: readonly AnyFunction[]): string =>
  table(
    ['function', 'kind', 'what it does'],
    functions.map(({ name, kind, summary }) => [
      `[\`${name}\`](docs/configuration.md#${name})`,
      kind,
      summary,
    ]),
  );

/** Without an environment: a page must not depend on who writes it, and a required webhook has no URL here. */
const declarations = async (
  catalogue: Catalogue,
  folder: string,
): Promise<readonly AnyFunction[]> => {
  const modules = await Promise.all(Object.values(catalogue).map((load) => load()));
  const { pipelines, mistakes } = loadDirectory(path.join(folder, 'pipelines'), {
    functions: Object.keys(catalogue),
  });
  const [mistake] = mistakes.filter(({ severity }) => severity === 'error');
  if (mistake) {
    const { file, line, column, message } = mistake;
    throw new Error(`${path.relative(folder, file)}:${line}:${column} ${message}`);
  }
  return [
    ...modules.map((module) => module.default),
    ...pipelines.map((pipeline) => {
      const { examples } = pipeline.input;
      return pipelineFunction(pipeline, {
        example: Array.isArray(examples) ? examples[0] : undefined,
      });
    }),
  ];
};

const stale = async (pages: ReadonlyMap<string, string>, folder: string): Promise<string[]> => {
  const files: string[] = [];
  for (const [file, text] of pages) {
    const found = await readFile(path.join(folder, file), 'utf8').catch(() => undefined);
    if (found !== text) files.push(file);
  }
  return files;
};

const compare = async (pages: ReadonlyMap<string, string>, io: DocsIo): Promise<number> => {
  const files = await stale(pages, io.folder);
  for (const file of files) io.stderr(`${file} is stale: npm run docs writes it\n`);
  if (files.length === 0) io.stdout(`${pages.size} pages are as the declarations say\n`);
  return files.length === 0 ? 0 : 1;
};

const write = async (pages: ReadonlyMap<string, string>, io: DocsIo): Promise<number> => {
  const files = await stale(pages, io.folder);
  for (const file of files) {
    await writeFile(path.join(io.folder, file), pages.get(file) as string);
    io.stdout(`wrote ${file}\n`);
  }
  if (files.length === 0) io.stdout('nothing has changed\n');
  return 0;
};
