/**
 * Carries out a Dockerfile in plain folders: what COPY names is copied, through .dockerignore, and what RUN says is run
 * in its working directory. The base image with node is this machine's node and npm; any other is an empty folder.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { type Instruction, parseDockerfile, readIgnore, toRegExp } from './dockerfile';

export interface Image {
  /** The folder that would be `/`. */
  readonly root: string;
  readonly workdir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly entrypoint: readonly string[];
}

export interface BuildOptions {
  readonly dockerfile: string;
  /** The folder that is sent to who builds, with its .dockerignore. */
  readonly context: string;
  /** An empty folder. */
  readonly into: string;
}

type Stage = { -readonly [K in keyof Image]: Image[K] };

/** The last stage. Rejects with what a command said when it fails. */
export const buildImage = async ({ dockerfile, context, into }: BuildOptions): Promise<Image> => {
  const sent = filesOf(context);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of parseDockerfile(dockerfile)) {
    if (instruction.name === 'ARG') continue;
    if (instruction.name === 'FROM') {
      const [image = '', , name = `${stages.size}`] = instruction.words;
      stage = begin(path.join(into, name), image, stages.get(image));
      stages.set(name, stage);
    } else await carryOut(instruction, stage as Stage, { context, sent, stages, into });
  }
  return stage as Stage;
};

const begin = (root: string, image: string, from: Stage | undefined): Stage => {
  mkdirSync(root, { recursive: true });
  if (from) cpSync(from.root, root, { recursive: true, verbatimSymlinks: true });
  else if (image.startsWith('node:')) {
    mkdirSync(path.join(root, 'usr/local/bin'), { recursive: true });
    copyFileSync(process.execPath, path.join(root, 'usr/local/bin/node'));
    chmodSync(path.join(root, 'usr/local/bin/node'), 0o755);
  }
  return from
    ? { ...from, root }
    : { root, workdir: '/', environment: {}, user: '0:0', entrypoint: [] };
};

interface Surroundings {
  readonly context: string;
  readonly sent: readonly string[];
  readonly stages: ReadonlyMap<string, Stage>;
  readonly into: string;
}

const carryOut = async (
  { name, rest, words, flags }: Instruction,
  stage: Stage,
  { context, sent, stages, into }: Surroundings,
): Promise<void> => {
  const inside = (at: string) => path.join(stage.root, path.posix.resolve(stage.workdir, at));
  if (name === 'WORKDIR') {
    stage.workdir = path.posix.resolve(stage.workdir, rest);
    mkdirSync(inside('.'), { recursive: true });
  } else if (name === 'COPY') {
    const sources = words.slice(0, -1);
    const target = words.at(-1) as string;
    const from = flags.from === undefined ? undefined : stages.get(flags.from);
    const isFolder = target.endsWith('/');
    for (const source of sources) {
      const copied = from ? copiedOf(from.root, source) : copiedOf(context, source, sent);
      if (copied.length === 0) throw new Error(`COPY ${source}: there is no such file`);
      for (const { file, below } of copied) {
        const to = path.join(
          inside(target),
          isFolder || below !== path.basename(file) ? below : '',
        );
        mkdirSync(path.dirname(to), { recursive: true });
        cpSync(file, to, { recursive: true, verbatimSymlinks: true });
      }
    }
  } else if (name === 'RUN') await run(rest, inside('.'), stage, into);
  else if (name === 'ENV') {
    const [, variable = '', value = ''] = /^(\w+)=(\S*)$/.exec(rest) ?? [];
    stage.environment = { ...stage.environment, [variable]: value };
  } else if (name === 'USER') stage.user = rest;
  else if (name === 'ENTRYPOINT') stage.entrypoint = words;
  else if (name !== 'EXPOSE') throw new Error(`${name} is not carried out here`);
};

/** What a source stands for: of a folder what is in it, of a pattern all that fits. */
const copiedOf = (root: string, source: string, sent?: readonly string[]) => {
  const at = source.replace(/^\//, '');
  if (sent) {
    const isFolder = existsSync(path.join(root, at)) && statSync(path.join(root, at)).isDirectory();
    return sent
      .filter((file) => (isFolder ? file.startsWith(`${at}/`) : file === at))
      .map((file) => ({
        file: path.join(root, file),
        below: isFolder ? file.slice(at.length + 1) : path.basename(file),
      }));
  }
  const folder = path.dirname(at);
  const names = toRegExp(path.basename(at));
  return readdirSync(path.join(root, folder))
    .filter((name) => names.test(name))
    .flatMap((name) => {
      const file = path.join(root, folder, name);
      return statSync(file).isDirectory()
        ? readdirSync(file).map((inner) => ({ file: path.join(file, inner), below: inner }))
        : [{ file, below: name }];
    });
};

/** All that would be sent. */
const filesOf = (context: string): readonly string[] => {
  const ignored = readIgnore(readFileSync(path.join(context, '.dockerignore'), 'utf8'));
  const walk = (folder: string): readonly string[] =>
    readdirSync(path.join(context, folder), { withFileTypes: true }).flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      // Nothing in these is ever let through, and there is much in them.
      if (entry.isDirectory()) return /^(node_modules|\.git)$/.test(entry.name) ? [] : walk(file);
      return ignored(file) ? [] : [file];
    });
  return walk('');
};

const run = async (command: string, cwd: string, { root, environment }: Stage, home: string) => {
  const child = spawn('/bin/sh', ['-ec', command], {
    cwd,
    env: {
      PATH: `${path.join(root, 'usr/local/bin')}:${process.env.PATH}`,
      HOME: home,
      // The same packages as ever, checked against the lockfile: no need to bring them again.
      npm_config_cache: process.env.npm_config_cache ?? path.join(process.env.HOME ?? '/', '.npm'),
      npm_config_prefer_offline: 'true',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`RUN ${command} ended with ${code}:\n${output}`);
};
