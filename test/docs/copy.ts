/** A copy of the tree in which what the docs tell is really done. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export const ROOT = path.resolve(__dirname, '../..');
const LEFT_OUT = ['node_modules', 'dist', '.git', '.data', 'coverage'];

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

export interface Copy {
  readonly folder: string;
  read(file: string): Promise<string>;
  /** Writes a whole file; a fragment goes to its place in the file that stands. */
  put(file: string, text: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Runs a program in the copy, with what is set in nobody's shell. */
  run(command: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ran>;
  /** Starts a program of Node in the copy, and resolves once it has said something. Gives what ends it. */
  start(file: string): Promise<() => Promise<void>>;
  clear(): Promise<void>;
}

export const makeCopy = async (): Promise<Copy> => {
  const folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-docs-')));
  await cp(ROOT, folder, {
    recursive: true,
    filter: (file) => !LEFT_OUT.includes(path.relative(ROOT, file)),
  });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const read = (file: string) => readFile(path.join(folder, file), 'utf8');
  return {
    folder,
    read,
    put: async (file, text) => {
      const at = path.join(folder, file);
      await mkdir(path.dirname(at), { recursive: true });
      await writeFile(at, isFragment(file, text) ? insert(await read(file), file, text) : text);
    },
    remove: (file) => rm(path.join(folder, file), { recursive: true }),
    run: ([program = '', ...args], environment = {}) =>
      run(program, args, { cwd: folder, env: { PATH: process.env.PATH, ...environment } }),
    start: (file) => start(path.join(folder, file), folder),
    clear: () => rm(folder, { recursive: true, force: true }),
  };
};

/** Some lines of a file: an entry of its table, a step. */
export const isFragment = (file: string, text: string): boolean =>
  /\.ts$/.test(file) ? /^ +\S/.test(text) : /\.ya?ml$/.test(file) && !/^\S/m.test(text);

/** Steps go to the end; an entry goes before the end of the first table of the file. What is there stays as it is. */
const insert = (whole: string, file: string, text: string): string => {
  const key = /^\s*(['"\w-]+)\s*:/.exec(text)?.[1];
  if (key !== undefined && new RegExp(`^\\s+${key}\\s*:`, 'm').test(whole)) return whole;
  if (!file.endsWith('.ts')) return whole.replace(/\n*$/, `\n${text}`);
  const end = /^ *\}(?: as const satisfies .*)?;$/m.exec(whole);
  if (!end) throw new Error(`there is no table in ${file}`);
  return `${whole.slice(0, end.index)}${text}${whole.slice(end.index)}`;
};

const start = async (file: string, cwd: string): Promise<() => Promise<void>> => {
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const isUp = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    ended.then(() => false),
  ]);
  if (!isUp) throw new Error(`${file} has ended`);
  child.stdout.resume();
  return async () => {
    child.kill();
    await ended;
  };
};

/** Both outputs, in the order in which they came. */
export const run = (
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
