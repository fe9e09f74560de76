/** Somebody who does all that the docs say, from top to bottom, and complains about what is not so. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bundle, type HostProcess, startHost } from '../support/host-process';
import { type Copy, ROOT, run } from './copy';
import { expectAnswer, expectOutput, includes } from './expect';
import { type Block, type Page, readPage } from './markdown';
import { type Command, readCommands, recognise } from './shell';
import { isThere, type Standing, standing } from './standing';

/** One sentence each, with the page and the line. */
export type Complaints = readonly string[];

export interface Reader {
  /** Puts the files of these pages into the copy and checks them there: types, style, pipelines. */
  prepare(pages: Readonly<Record<string, string>>): Promise<Complaints>;
  /** Reads one page, on fresh hosts of its own. */
  follow(name: string, markdown: string): Promise<Complaints>;
}

export const createReader = (copy: Copy): Reader => {
  let known: Promise<Standing> | undefined;
  return {
    prepare: async (pages) => {
      const placed = new Map<string, string>();
      const complaints: string[] = [];
      for (const [name, markdown] of Object.entries(pages))
        for (const block of readPage(markdown).blocks.filter(isPlaced)) {
          const at = `${name}:${block.line}`;
          if (block.file === undefined)
            complaints.push(`${at} the sentence before the block names no file for it`);
          else {
            await copy.put(block.file, block.text);
            placed.set(block.file, at);
          }
        }
      const blame = (file: string, what: string): readonly string[] =>
        placed.has(file) ? [`${placed.get(file)} ${file}: ${what}`] : [];
      return [...complaints, ...(await checkFiles(copy, [...placed.keys()], blame))];
    },

    follow: async (name, markdown) => {
      const page = readPage(markdown);
      known ??= standing(copy);
      const state: State = { name, copy, hosts: new Map(), known: await known };
      const complaints = [
        ...page.loose.map(
          (line) => `${name}:${line} a fence is missing, or a comment has no block`,
        ),
        ...(await checkProse(page, state)).map((complaint) => `${name}:${complaint}`),
      ];
      try {
        for (const block of page.blocks)
          complaints.push(
            ...(await readBlock(block, state)).map((what) => `${name}:${block.line} ${what}`),
          );
      } finally {
        if (state.pending) await copy.remove(state.pending);
        for (const host of state.hosts.values()) await host.stop();
      }
      return complaints;
    },
  };
};

/** Where a reader is in a page. */
interface State {
  readonly name: string;
  readonly copy: Copy;
  readonly known: Standing;
  readonly hosts: Map<'fresh' | 'edited', HostProcess>;
  /** Something of the page has been written: from here on its reader serves an edited tree. */
  edited?: boolean;
  /** What the last command wrote or answered. */
  output?: string;
  /** A file that is wrong on purpose, and there only for the next commands. */
  pending?: string;
}

const isWrong = ({ expects }: Block): boolean => expects.some((one) => /^exit [1-9]/.test(one));
const isPlaced = (block: Block): boolean =>
  (/^(?:ts|yaml)$/.test(block.language) && !isWrong(block)) ||
  (block.language === 'json' && block.file?.endsWith('.json') === true);

const checkFiles = async (
  copy: Copy,
  files: readonly string[],
  blame: (file: string, what: string) => readonly string[],
): Promise<Complaints> => {
  const sources = files.filter((file) => file.endsWith('.ts'));
  const bin = (name: string) => path.join('node_modules/.bin', name);
  const [types, style, built] = await Promise.all([
    copy.run([bin('tsc'), '--noEmit', '--pretty', 'false']),
    sources.length === 0
      ? { output: '' }
      : copy.run([bin('biome'), 'check', '--error-on-warnings', '--reporter=github', ...sources]),
    copy.run(['node', 'deploy/build.mjs']),
  ]);
  if (built.code !== 0)
    return [`the tree with the files of the docs does not build: ${built.output}`];
  const checked = await copy.run(['node', 'dist/cli.cjs', 'pipeline', 'check', '--json']);
  const { errors } = JSON.parse(checked.output) as {
    errors: readonly { file: string; line: number; message: string }[];
  };
  return [
    ...[...types.output.matchAll(/^([\w./-]+)\((\d+),\d+\): (.*)$/gm)].flatMap(
      ([, file = '', line, what]) => blame(file, `line ${line}: ${what}`),
    ),
    ...[
      ...style.output.matchAll(/^::(?:error|warning) .*?file=([^,]+),line=(\d+).*?::(.*)$/gm),
    ].flatMap(([, file = '', line, what]) =>
      blame(path.relative(copy.folder, file), `line ${line}: ${what}`),
    ),
    ...errors.flatMap(({ file, line, message }) => blame(file, `line ${line}: ${message}`)),
  ];
};

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
    case 'text':
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
      const answer = await curl(command.text, (await hostOf(state)).url);
      state.output = answer.body;
      return expectAnswer(answer, expected);
    }
    case 'faas-patterns':
    case 'docs':
    case 'format':
    case 'jest': {
      const { code, output } = await state.copy.run([...PROGRAMS[command.kind], ...command.args], {
        ...environment,
      });
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

const PROGRAMS = {
  'faas-patterns': ['node', 'dist/cli.cjs'],
  docs: ['node', 'dist/docs.cjs'],
  format: ['node_modules/.bin/biome', 'check'],
  jest: ['node_modules/.bin/jest', '--silent'],
} as const;

/** Fresh for each page, so that an address that one page signs up is free in the next. */
const hostOf = async ({ hosts, copy, edited }: State): Promise<HostProcess> => {
  const which = edited ? 'edited' : 'fresh';
  const file = edited
    ? path.join(copy.folder, 'dist/functions-framework.cjs')
    : bundle('deploy/entry/functions-framework.ts');
  const environment = edited ? { PIPELINES_DIR: path.join(copy.folder, 'pipelines') } : {};
  const host = hosts.get(which) ?? (await startHost({ file, environment }));
  hosts.set(which, host);
  return host;
};

/** As it stands, by the real curl, but to the host at `url`. */
export const curl = async (
  text: string,
  url: string,
): Promise<{ readonly status: number; readonly body: string }> => {
  const here = text.replaceAll(/(?:http:\/\/)?localhost:8080/g, url);
  const { output } = await run('bash', ['-c', `${here} --max-time 20 -w '\\n%{http_code}'`], {
    cwd: ROOT,
    env: { PATH: process.env.PATH },
  });
  const [, body = '', status = '0'] = /^([\s\S]*)\n(\d{3})$/.exec(output) ?? [];
  const withHead = /^HTTP\//.test(body);
  return { status: Number(status), body: withHead ? body.replace(/^[\s\S]*?\r\n\r\n/, '') : body };
};

const checkProse = async (page: Page, state: State): Promise<string[]> => {
  const { copy, known } = state;
  const complaints: string[] = [];
  const isFile = (file: string) =>
    existsSync(path.join(copy.folder, file)) || page.blocks.some((block) => block.file === file);
  for (const [line, span] of page.spans) {
    const [name = ''] = span.split('=');
    if (/^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(name) && !known.variables.has(name))
      complaints.push(`${line} there is no setting ${name}`);
    if (
      /^(?:functions|shared|pipelines|test|deploy|docs|dist)\/[\w./-]+$/.test(span) &&
      !isFile(span)
    )
      complaints.push(`${line} there is no file ${span}`);
    if (/^(?:npm|npx|node|curl) \S.* \S|^npm \S/.test(span))
      complaints.push(...isThere(recognise(span), known).map((what) => `${line} ${what}`));
  }
  for (const [line, link] of page.links) {
    const [target = '', anchor] = link.split('#');
    if (/^http:\/\/localhost:8080/.test(link)) {
      const { status } = await curl(`curl -s ${link}`, (await hostOf(state)).url);
      if (status >= 400 || status === 0) complaints.push(`${line} ${link} answers ${status}`);
    } else if (!/^https?:/.test(link) && !known.isTarget(state.name, target, anchor))
      complaints.push(`${line} the link ${link} goes nowhere`);
  }
  return complaints;
};
