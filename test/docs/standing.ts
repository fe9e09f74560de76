/** What there is in the tree, for the commands and names that docs mention without running them. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SUITE_SETTINGS } from '../../shared/suite/environment';
import type { Copy } from './copy';
import { readPage } from './markdown';
import type { Command } from './shell';

export interface Standing {
  readonly scripts: readonly string[];
  readonly functions: readonly string[];
  readonly variables: ReadonlySet<string>;
  isEntry(name: string): boolean;
  /** Whether a link from the page leads to a file, and to a heading in it. */
  isTarget(page: string, target: string, anchor: string | undefined): boolean;
  /** What is wrong with the lock file: `npm ci` refuses one that does not name every package. */
  lock(): readonly string[];
}

export const standing = async (copy: Copy): Promise<Standing> => {
  const { scripts } = JSON.parse(await copy.read('package.json')) as { scripts: object };
  const listed = await copy.run(['node', 'dist/cli.cjs', 'functions', '--json']);
  // Its own variables a command tells in its help.
  const help = await copy.run(['node', 'dist/cli.cjs', 'help']);
  const { functions } = JSON.parse(listed.output) as {
    functions: readonly { name: string; config: { properties: object } }[];
  };
  return {
    scripts: Object.keys(scripts),
    functions: functions.map(({ name }) => name),
    variables: new Set([
      ...Object.keys(SUITE_SETTINGS),
      ...(help.output.match(/\bFAAS_[A-Z]+\b/g) ?? []),
      ...functions.flatMap(({ config }) => Object.keys(config.properties)),
    ]),
    isEntry: (name) => existsSync(path.join(copy.folder, `deploy/entry/${name}.ts`)),
    isTarget: (page, target, anchor) => {
      const file = path.join(copy.folder, target ? path.dirname(page) : '', target || page);
      if (!existsSync(file)) return false;
      return anchor === undefined || readPage(readFileSync(file, 'utf8')).anchors.includes(anchor);
    },
    lock: () => missingInLock(copy.folder),
  };
};

/** What there is not, of a command that is not run. */
export const isThere = (command: Command, known: Standing): readonly string[] => {
  switch (command.kind) {
    case 'script':
      return known.scripts.includes(command.name) ? [] : [`there is no script ${command.name}`];
    case 'install':
      return known.lock();
    case 'entry':
      return known.isEntry(command.name) ? [] : [`nothing builds dist/${command.name}.cjs`];
    case 'stock':
      return known.functions.includes(command.target)
        ? []
        : [`there is no function ${command.target}`];
    case 'tool':
      return command.complaints;
    case 'unknown':
      return [`nobody knows the command ${command.text}`];
    default:
      return [];
  }
};

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Those for other platforms too, which an install on one platform may have left out. */
export const missingInLock = (folder: string): readonly string[] => {
  const read = (file: string) => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
  const manifest = read('package.json') as Locked;
  const asked = { ...manifest.dependencies, ...manifest.devDependencies };
  const root = { ...packages['']?.dependencies, ...packages['']?.devDependencies };
  const isInSync = JSON.stringify(sorted(asked)) === JSON.stringify(sorted(root));
  return [
    ...(isInSync ? [] : ['package-lock.json is of another package.json: npm install']),
    ...Object.entries(packages).flatMap(
      ([at, { dependencies, devDependencies, optionalDependencies }]) =>
        Object.keys({
          ...dependencies,
          ...optionalDependencies,
          ...(at === '' ? devDependencies : {}),
        })
          .filter((name) => !isFound(packages, at, name))
          .map((name) => `package-lock.json lacks ${name}, of ${at || 'the project'}`),
    ),
  ];
};

const sorted = (record: object): readonly (readonly [string, string])[] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

const isFound = (packages: object, from: string, name: string): boolean => {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (Object.hasOwn(packages, `${at ? `${at}/` : ''}node_modules/${name}`)) return true;
    if (at === '') return false;
  }
};
