/** Somebody who does all that the docs say, from top to bottom, and complains about what is not so. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Copy } from './copy';
import { expectAnswer, expectOutput, includes } from './expect';
import { isApart, isPlaced, isWrong } from './files';
import { createHosts, curl, type Hosts } from './hosts';
import { type Block, type Page, readPage } from './markdown';
import { checkProse } from './prose';
import { type Command, readCommands } from './shell';
import { isThere, type Standing, standing } from './standing';

/** One sentence each, with the page and the line. */
export type Complaints = readonly string[];

/** Reads one page, on fresh hosts of its own. The copy has the files of all pages in place. */
export type Reader = (name: string, markdown: string) => Promise<Complaints>;

export const createReader = (copy: Copy): Reader => {
  let known: Promise<Standing> | undefined;
  return async (name, markdown) => {
    const page = readPage(markdown);
    known ??= standing(copy);
    const state: State = {
      name,
      copy,
      hosts: createHosts(copy),
      known: await known,
      programs: [],
      edited: false,
    };
    const complaints = page.loose.map(
      (line) => `${name}:${line} a fence is missing, or a comment has no block`,
    );
    const apart = await placeApart(page, copy);
    try {
      for (const complaint of await checkProse(page, state))
        complaints.push(`${name}:${complaint}`);
      for (const block of page.blocks)
        for (const what of await readBlock(block, state))
          complaints.push(`${name}:${block.line} ${what}`);
    } finally {
      if (state.pending) await copy.remove(state.pending);
      await state.hosts.stop();
      for (const stop of state.programs) await stop();
      for (const folder of apart) await copy.remove(folder);
    }
    return complaints;
  };
};

/** Gives the folders, to be removed. */
const placeApart = async ({ blocks }: Page, copy: Copy): Promise<ReadonlySet<string>> => {
  const folders = new Set<string>();
  for (const block of blocks.filter(isPlaced))
    if (block.file !== undefined && isApart(block.file)) {
      await copy.put(block.file, block.text);
      folders.add(block.file.split('/')[0] as string);
    }
  return folders;
};

/** Where a reader is in a page. */
interface State {
  readonly name: string;
  readonly copy: Copy;
  readonly known: Standing;
  readonly hosts: Hosts;
  /** What ends those that the page has started. */
  readonly programs: (() => Promise<void>)[];
  /** Something of the page has been written: from here on its reader serves an edited tree. */
  edited: boolean;
  /** What the last command wrote or answered. */
  output?: string;
  /** A file that is wrong on purpose, and there only for the next commands. */
  pending?: string;
}

const readBlock = async (block: Block, state: State): Promise<Complaints> => {
  switch (block.language) {
    case 'sh':
      return readShell(block, state);
    case 'ts':
    case 'yaml':
      if (!isWrong(block)) state.edited = true;
      else if (block.file) {
        state.pending = block.file;
        await state.copy.put(block.file, block.text);
      }
      return [];
    case 'json':
      return readJson(block, state);
    // Configurations of peers, which shard-router.test.ts gives to them.
    case 'nginx':
    case 'haproxy':
      return [];
    case 'js':
      return isPlaced(block) ? [] : ['the sentence before the block names no file for it'];
    case 'text':
      if (isPlaced(block)) return [];
      if (/[─│┌└├┤]/.test(block.text)) return [];
      if (state.output === undefined) return ['it is neither a picture nor what a command wrote'];
      return expectOutput(block.text, state.output);
    default:
      return [`nobody tries a block in ${JSON.stringify(block.language)}`];
  }
};

const readJson = ({ text, file }: Block, { output }: State): Complaints => {
  try {
    const value: unknown = JSON.parse(text);
    if (file?.endsWith('.json') || output === undefined) return [];
    return includes(JSON.parse(output), value) ? [] : [`the answer was ${output}`];
  } catch (error) {
    return [(error as Error).message];
  }
};

const readShell = async ({ text, expects }: Block, state: State): Promise<Complaints> => {
  const commands = readCommands(text);
  const complaints: string[] =
    expects.length > commands.length ? ['there are more expectations than commands'] : [];
  for (const [i, { command, environment }] of commands.entries()) {
    for (const [variable, value] of Object.entries(environment)) {
      if (!state.known.variables.has(variable)) complaints.push(`there is no setting ${variable}`);
      if (variable === 'FUNCTION_TARGET')
        complaints.push(...isThere({ kind: 'stock', target: value }, state.known));
    }
    complaints.push(...(await execute(command, expects[i], environment, state)));
  }
  if (state.pending) await state.copy.remove(state.pending);
  delete state.pending;
  return complaints;
};

const execute = async (
  command: Command,
  expected: string | undefined,
  environment: Readonly<Record<string, string>>,
  state: State,
): Promise<Complaints> => {
  delete state.output;
  switch (command.kind) {
    case 'curl': {
      const answer = await curl(command.text, await state.hosts.url(state.edited));
      state.output = answer.body;
      return expectAnswer(answer, expected);
    }
    case 'program':
      state.programs.push(await state.copy.start(command.file));
      return [];
    case 'script':
      await serve(environment, state);
      return isThere(command, state.known);
    case 'faas-patterns':
    case 'docs':
    case 'format':
    case 'jest': {
      const words = [...PROGRAMS[command.kind], ...command.args];
      const shell = command.kind === 'faas-patterns' ? command.shell : undefined;
      const { code, output } = await state.copy.run(
        shell === undefined ? words : ['bash', '-o', 'pipefail', '-c', words.join(' ') + shell],
        { ...environment },
      );
      state.output = output;
      const wanted = Number(/^exit (\d+)$/.exec(expected ?? 'exit 0')?.[1]);
      return code === wanted
        ? []
        : [`${command.kind} exited with ${code}, not ${wanted}: ${output}`];
    }
    default:
      return isThere(command, state.known);
  }
};

/** What names a file of the page is set for the hosts from here on. */
const serve = async (
  environment: Readonly<Record<string, string>>,
  { copy, hosts }: State,
): Promise<void> => {
  const files = Object.entries(environment).flatMap(([name, value]) => {
    const file = path.join(copy.folder, value);
    return value.endsWith('.json') && existsSync(file) ? [[name, file] as const] : [];
  });
  if (files.length > 0 && environment.FUNCTION_TARGET === undefined)
    await hosts.set(Object.fromEntries(files));
};

const PROGRAMS = {
  'faas-patterns': ['node', 'dist/cli.cjs'],
  docs: ['node', 'dist/docs.cjs'],
  format: ['node_modules/.bin/biome', 'check'],
  jest: ['node_modules/.bin/jest', '--silent'],
} as const;
