/**
 * What each dependency weighs, measured in node_modules: `npm run docs -- --dependencies`.
 *
 * Size: the files of the package and of all that it brings, on this platform; what two bring counts for both. Import:
 * the median of the processor time that a fresh process spends in `require()`, which a busy machine changes little.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { code, table } from './markdown';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What we import of a package, where that is not its name. */
const ENTRIES: Readonly<Record<string, string>> = {
  '@google-cloud/functions-framework': '@google-cloud/functions-framework/testing',
  'libphonenumber-js': 'libphonenumber-js/max',
};
/** Run as commands, read as data, or there for their types alone. */
const NOT_IMPORTED = ['@biomejs/biome', '@jest/globals', '@types/node', 'jest', 'typescript'];

export interface FiguresOptions {
  /** Imports of each; odd. @default 9 */
  readonly runs?: number;
}

/** Throws an Error when one is not installed. */
export const figuresOf = (root: string, { runs = 9 }: FiguresOptions = {}): string => {
  const { dependencies = {}, devDependencies = {} } = read(root);
  return [
    `Measured with Node ${process.versions.node} on ${process.platform}-${process.arch}.`,
    ...Object.entries({ 'At run time': dependencies, 'To develop': devDependencies }).map(
      ([title, names]) =>
        `\n${table(
          [title, 'version', 'packages', 'size', 'import', 'licence'],
          Object.keys(names).map((name) => row(root, name, runs)),
        )}`,
    ),
  ].join('\n');
};

const row = (root: string, name: string, runs: number): readonly string[] => {
  const folder = resolve(root, name);
  if (folder === undefined) throw new Error(`${name} is not installed: npm ci`);
  const brought = [...closure(folder)];
  const { version, license = '' } = read(folder);
  const size = brought.reduce((sum, one) => sum + sizeOf(one), 0);
  return [
    `[${code(name)}](#${name.toLowerCase().replace(/[^\w-]/g, '')})`,
    version,
    String(brought.length),
    `${(size / 1e6).toFixed(1)} MB`,
    NOT_IMPORTED.includes(name) ? '–' : `${importTime(root, ENTRIES[name] ?? name, runs)} ms`,
    license,
  ];
};

const read = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;

/** As node finds it: in the nearest node_modules above. */
const resolve = (from: string, name: string): string | undefined => {
  for (let at = from; ; at = path.dirname(at)) {
    const folder = path.join(at, 'node_modules', name);
    if (existsSync(path.join(folder, 'package.json'))) return realpathSync(folder);
    if (at === path.dirname(at)) return undefined;
  }
};

/** The package and all that it brings, each once. */
const closure = (folder: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(folder)) return seen;
  seen.add(folder);
  const { dependencies, optionalDependencies } = read(folder);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    // What is optional may be for another platform.
    const found = resolve(folder, name);
    if (found !== undefined) closure(found, seen);
  }
  return seen;
};

/** In bytes, without the packages nested in it: they count as what they are. */
const sizeOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .map((entry) => {
      const at = path.join(folder, entry.name);
      return entry.isDirectory() ? sizeOf(at) : entry.isFile() ? statSync(at).size : 0;
    })
    .reduce((sum, size) => sum + size, 0);

const importTime = (root: string, entry: string, runs: number): number => {
  const script = `const start=process.cpuUsage();require(${JSON.stringify(entry)});const{user,system}=process.cpuUsage(start);console.log((user+system)/1e3);process.exit()`;
  const times = Array.from({ length: runs }, () =>
    Number(execFileSync(process.execPath, ['-e', script], { cwd: root, encoding: 'utf8' })),
  );
  return Math.round(times.sort((a, b) => a - b)[(runs - 1) / 2] as number);
};
