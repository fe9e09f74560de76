/**
 * Carries out a Dockerfile in plain folders: what COPY names is copied, through .dockerignore, and what RUN says is run
 * in its working directory. The base image with node is this machine's node and npm; any other is an empty folder.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  constants,
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
  const sent = path.join(into, 'context');
  send(context, sent);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of parseDockerfile(dockerfile)) {
    if (instruction.name === 'ARG') continue;
    if (instruction.name === 'FROM') {
      const [image = '', , name = `${stages.size}`] = instruction.words;
      stage = begin(path.join(into, name), image, stages.get(image));
      stages.set(name, stage);
    } else await carryOut(instruction, stage as Stage, { sent, stages, into });
  }
  return stage as Stage;
};

const begin = (root: string, image: string, from: Stage | undefined): Stage => {
  mkdirSync(root, { recursive: true });
  if (from) copy(from.root, root);
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
  readonly sent: string;
  readonly stages: ReadonlyMap<string, Stage>;
  readonly into: string;
}

const carryOut = async (
  { name, rest, words, flags }: Instruction,
  stage: Stage,
  { sent, stages, into }: Surroundings,
): Promise<void> => {
  const inside = (at: string) => path.join(stage.root, path.posix.resolve(stage.workdir, at));
  if (name === 'WORKDIR') {
    stage.workdir = path.posix.resolve(stage.workdir, rest);
    mkdirSync(inside('.'), { recursive: true });
  } else if (name === 'COPY') {
    const sources = words.slice(0, -1);
    const target = words.at(-1) as string;
    const from = flags.from === undefined ? sent : (stages.get(flags.from) as Stage).root;
    const isFolder = target.endsWith('/');
    for (const source of sources) {
      const copied = copiedOf(from, source);
      if (copied.length === 0) throw new Error(`COPY ${source}: there is no such file`);
      for (const { file, below } of copied) {
        const to = path.join(
          inside(target),
          isFolder || below !== path.basename(file) ? below : '',
        );
        mkdirSync(path.dirname(to), { recursive: true });
        copy(file, to);
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

const copy = (from: string, to: string): void =>
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });

/** What a source stands for: of a folder what is in it, of a pattern all that fits. */
const copiedOf = (root: string, source: string) => {
  const at = source.replace(/^\//, '');
  const folder = path.join(root, path.dirname(at));
  const fits = toRegExp(path.basename(at));
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => fits.test(name)) : [];
  return names.flatMap((name) => {
    const file = path.join(folder, name);
    return statSync(file).isDirectory()
      ? readdirSync(file).map((inner) => ({ file: path.join(file, inner), below: inner }))
      : [{ file, below: name }];
  });
};

/** Copies all that .dockerignore lets through. */
const send = (context: string, to: string): void => {
  const ignored = readIgnore(readFileSync(path.join(context, '.dockerignore'), 'utf8'));
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(context, folder), { withFileTypes: true })) {
      const file = path.posix.join(folder, entry.name);
      // Nothing in these is ever let through, and there is much in them.
      if (/^(node_modules|\.git)$/.test(entry.name)) continue;
      if (entry.isDirectory()) walk(file);
      else if (!ignored(file)) {
        mkdirSync(path.join(to, folder), { recursive: true });
        copyFileSync(path.join(context, file), path.join(to, file));
      }
    }
  };
  walk('');
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
