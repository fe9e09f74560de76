/** The real runtime of the edge, for tests: a worker made of a TypeScript file, served on a free port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { buildSync } from 'esbuild';
import { edgeOptions } from '../../deploy/build/edge-options.cjs';
import type { LogLine } from './host-process';
import { providePeers } from './peers';

const ROOT = path.resolve(__dirname, '../..');
/** How long one may take to listen, in ms. */
const START_TIMEOUT = 20_000;
/** Of a time when workerd has no Buffer yet unless one asks for it: what leans on Node shows. */
export const COMPATIBILITY_DATE = '2026-04-01';

/** Before all: installs workerd where that is not done yet, and gives the path of its binary. */
export const provideWorkerd = async (): Promise<string> =>
  ((await providePeers('edge'))('workerd') as { readonly default: string }).default;

export interface Workerd {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** What it has written so far. */
  output(): string;
  lines(): readonly LogLine[];
  stop(): Promise<void>;
}

export interface StartWorkerdOptions {
  /** The text of an ES module; see `bundleForEdge`. */
  readonly code: string;
  /** Text bindings. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** Service bindings: `host:port` by name. @default none */
  readonly services?: Readonly<Record<string, string>>;
  /** Whom it may reach over the network. @default the loopback addresses */
  readonly network?: readonly string[];
}

const codes = new Map<string, string>();

/** Bundles a TypeScript file, which begins at the root, as the build does. */
export const bundleForEdge = (entry: string): string => {
  const known = codes.get(entry);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    ...edgeOptions,
    absWorkingDir: ROOT,
    entryPoints: [entry],
    write: false,
    logLevel: 'error',
  });
  const code = outputFiles[0]?.text as string;
  codes.set(entry, code);
  return code;
};

/** Ends what a test run that was broken off has left behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export const startWorkerd = async (options: StartWorkerdOptions): Promise<Workerd> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'workerd-'));
  writeFileSync(path.join(folder, 'worker.mjs'), options.code);
  writeFileSync(path.join(folder, 'config.capnp'), configuration(options));
  const worker = await serveWorkerd({ config: path.join(folder, 'config.capnp') });
  const stop = async (): Promise<void> => {
    await worker.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...worker, stop };
};

export interface ServeWorkerdOptions {
  /** A file, with a socket `http`; it gets a free port. */
  readonly config: string;
  /** Of the process. @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

/** As `workerd serve` does it. */
export const serveWorkerd = async ({
  config,
  environment = {},
}: ServeWorkerdOptions): Promise<Workerd> => {
  const args = ['serve', config, '--socket-addr=http=127.0.0.1:0', '--control-fd=3'];
  const child = spawn(await provideWorkerd(), args, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    running.delete(child);
  };
  try {
    const port = await portOf(child, () => output);
    return {
      pid: child.pid as number,
      port,
      url: `http://127.0.0.1:${port}`,
      output: () => output,
      lines: () =>
        output
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as LogLine),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** It tells its port on a descriptor of its own. */
const portOf = (child: ChildProcess, output: () => string): Promise<number> =>
  new Promise((resolve, reject) => {
    let told = '';
    const fail = () => reject(new Error(`workerd does not listen:\n${output()}`));
    const late = setTimeout(fail, START_TIMEOUT);
    child.once('exit', fail);
    (child.stdio[3] as Readable).on('data', (chunk: Buffer) => {
      told += chunk;
      const port = /"event":"listen","socket":"http","port":(\d+)/.exec(told)?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      child.off('exit', fail);
      resolve(Number(port));
    });
  });

const configuration = ({
  environment = {},
  services = {},
  network = ['127.0.0.0/8'],
}: StartWorkerdOptions): string => {
  const bindings = [
    ...Object.entries(environment).map(
      ([name, text]) => `(name = ${quote(name)}, text = ${quote(text)})`,
    ),
    ...Object.keys(services).map((name) => `(name = ${quote(name)}, service = ${quote(name)})`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = [${network.map(quote).join(', ')}])),
    ${Object.entries(services)
      .map(
        ([name, address]) =>
          `(name = ${quote(name)}, external = (address = ${quote(address)}, http = ())),`,
      )
      .join('\n    ')}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
  compatibilityDate = ${quote(COMPATIBILITY_DATE)},
  compatibilityFlags = ["enable_request_signal"],
  bindings = [${bindings.join(', ')}],
);
`;
};

/** Cap'n Proto has the strings of C. */
const quote = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/[\n\r\t]/g, (one) => ESCAPES[one] as string)}"`;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Resident memory of a process, in KiB. */
export const residentKib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
