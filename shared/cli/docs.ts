/**
 * `npm run docs`: writes what the declarations say into README.md and docs/; with --check only says whether it would.
 *
 * Exit codes: 0 fine, 1 something is stale (--check), 2 a file, a flag or a pipeline that cannot be used.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { AnyFunction } from '../define';
import type { Catalogue } from '../suite/suite';
import { readDeclarations } from './declarations';
import { configurationPage } from './docs/configuration';
import { figuresOf } from './docs/dependencies';
import { type LockFile, licencesPage } from './docs/licenses';
import { between, table } from './docs/markdown';
import { fileFields, stepFields } from './docs/pipeline-fields';
import { compareGenerated, type GeneratedIo, writeGenerated } from './generated';

const USAGE = `Usage: npm run docs [-- --check | --dependencies]

  --check          write nothing; exit with 1 when something is stale
  --dependencies   measure the dependencies as well: their figures in docs/dependencies.md, their licences
`;

/** Resolves with the exit code. */
export const docs = async (
  args: readonly string[],
  catalogue: Catalogue,
  io: GeneratedIo,
): Promise<number> => {
  try {
    const values = readFlags(args);
    const pages = new Map(await generate(catalogue, io.folder));
    if (values.dependencies) {
      const read = (file: string) => readFile(path.join(io.folder, file), 'utf8');
      const lock = JSON.parse(await read('package-lock.json')) as LockFile;
      pages.set(
        DEPENDENCIES,
        between(await read(DEPENDENCIES), 'figures', await figuresOf(io.folder)),
      );
      pages.set('docs/licenses.md', licencesPage(lock));
    }
    return await (values.check
      ? compareGenerated(pages, 'npm run docs', io)
      : writeGenerated(pages, io));
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
  const { functions } = await readDeclarations(catalogue, folder);
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
