import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

export interface LogLine {
  readonly severity: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface HostProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
  readonly folder: string;
  /** What it wrote so far. */
  output(): string;
  lines(): readonly LogLine[];
  /** Sends the signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface StartHostOptions {
  /** A bundle; see `bundle`. */
  readonly file: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where it runs and keeps `.data`. @default a new folder, deleted at stop */
  readonly folder?: string;
  readonly args?: readonly string[];
}

/** Starts a host as a process of its own on a free port and waits until it listens. */
export const startHost = async ({
  file,
  environment = {},
  folder,
  args = [],
}: StartHostOptions): Promise<HostProcess> => {
  const home = folder ?? (await mkdtemp(path.join(os.tmpdir(), 'faas-')));
  const child = spawn(process.execPath, [file, ...args], {
    cwd: home,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      // Nothing before it asks for readiness.
      DRAIN_DELAY: '0s',
      PIPELINES_DIR: path.join(ROOT, 'pipelines'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listening = new Promise<number>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk;
      const port = /"message":"listening".*?"port":(\d+)/.exec(output)?.[1];
      if (port) resolve(Number(port));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`the host ended with ${code}:\n${output}`)));
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const port = await listening;
  return {
    child,
    port,
    url: `http://127.0.0.1:${port}`,
    folder: home,
    output: () => output,
    lines: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as LogLine),
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const code = await exited;
      if (folder === undefined) await rm(home, { recursive: true, force: true });
      return code;
    },
  };
};

/** Runs to its end; for starts that must be refused. */
export const runToEnd = async (
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
  args: readonly string[] = [],
  cwd = os.tmpdir(),
): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
};
