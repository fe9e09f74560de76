/** The library as others get it: packed, and installed into a project that has nothing else. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const ROOT = path.resolve(__dirname, '../..');
/** For `beforeAll`: a build, a pack and an installation. */
export const PACK_TIMEOUT = 240_000;
const LEFT_OUT = ['node_modules', 'dist', '.git', '.data', 'coverage', 'bench', 'test'];

export interface Manifest {
  readonly [field: string]: unknown;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface Packed {
  readonly tarball: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
  readonly files: readonly string[];
  /** The package.json of the folder, before and after: packing puts another in its place for a moment. */
  readonly manifests: readonly [before: string, after: string];
  clear(): void;
}

export interface Project {
  readonly folder: string;
  /** Packages that npm has installed. */
  readonly installed: readonly string[];
  write(file: string, text: string): string;
  /** Makes packages of ours available, as if they were installed as well. */
  provide(...names: readonly string[]): void;
  run(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Ran;
  clear(): void;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const temporary = (name: string) =>
  realpathSync(mkdtempSync(path.join(os.tmpdir(), `faas-patterns-${name}-`)));

/** The tree without tests and benchmarks, with the packages of ours: enough to build it. */
export const copyTree = (name: string): string => {
  const folder = temporary(name);
  cpSync(ROOT, folder, {
    recursive: true,
    preserveTimestamps: true,
    filter: (file) => !LEFT_OUT.includes(path.relative(ROOT, file)),
  });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
};

/** In a copy of the tree, so that nobody meets a package.json that is not theirs. */
export const packLibrary = (): Packed => {
  const folder = copyTree('pack');
  const manifest = () => readFileSync(path.join(folder, 'package.json'), 'utf8');
  const before = manifest();
  const { status, stdout, stderr } = run('npm', ['pack', '--json'], { cwd: folder });
  if (status !== 0) throw new Error(`npm pack: ${stderr}`);
  const [pack] = Object.values(JSON.parse(stdout)) as readonly {
    readonly filename: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  }[];
  if (!pack) throw new Error('npm pack has packed nothing');
  return {
    tarball: path.join(folder, pack.filename),
    bytes: pack.size,
    unpackedBytes: pack.unpackedSize,
    files: pack.files.map((file) => file.path),
    manifests: [before, manifest()],
    clear: () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** A project that has installed the tarball, without install scripts, and no other package. */
export const createProject = (tarball: string): Project => {
  const folder = temporary('project');
  const at = (file: string) => path.join(folder, file);
  writeFileSync(at('package.json'), '{ "name": "project", "private": true }\n');
  const args = ['install', tarball, '--ignore-scripts', '--prefer-offline', '--no-audit'];
  const { status, stderr } = run('npm', args, { cwd: folder });
  if (status !== 0) throw new Error(`npm install: ${stderr}`);
  return {
    folder,
    installed: readdirSync(at('node_modules')).filter((name) => !name.startsWith('.')),
    write: (file, text) => {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), text);
      return at(file);
    },
    provide: (...names) => {
      for (const name of names) {
        mkdirSync(path.dirname(at(`node_modules/${name}`)), { recursive: true });
        symlinkSync(path.join(ROOT, 'node_modules', name), at(`node_modules/${name}`));
      }
    },
    run: (program, args, env = {}) =>
      run(program, args, { cwd: folder, env: { PATH: process.env.PATH, ...env } }),
    clear: () => rmSync(folder, { recursive: true, force: true }),
  };
};

export const run = (
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Ran => spawnSync(program, args, { ...options, encoding: 'utf8', timeout: PACK_TIMEOUT / 2 });
