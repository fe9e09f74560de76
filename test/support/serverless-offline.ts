/** Lambda with a gateway of real HTTP in front, on this machine: what serverless.yml says, served by serverless-offline. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { providePeers } from './peers';
import { freePort } from './restate';

const PEER = path.resolve(__dirname, '../peers/serverless/node_modules');

/** What a serverless.yml needs to be served here. */
export const OFFLINE = { plugins: ['serverless-offline'] } as const;

export interface Offline {
  readonly port: number;
  readonly url: string;
  /** What it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

export interface StartOfflineOptions {
  /** With serverless.yml and the bundles. */
  readonly folder: string;
  readonly port?: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What else is installed: folders by their names in node_modules. @default nothing */
  readonly packages?: Readonly<Record<string, string>>;
}

/** How long a start may take, ms. */
const PATIENCE = 90_000;

export const startOffline = async ({
  folder,
  environment,
  port: wanted,
  packages = {},
}: StartOfflineOptions): Promise<Offline> => {
  const peers = await providePeers('serverless');
  const modules = path.join(folder, 'node_modules');
  mkdirSync(modules);
  for (const [name, target] of Object.entries({
    serverless: path.join(PEER, 'serverless'),
    'serverless-offline': path.join(PEER, 'serverless-offline'),
    ...packages,
  }))
    symlinkSync(target, path.join(modules, name));
  const port = wanted ?? (await freePort());
  const ports = ['--httpPort', `${port}`, '--lambdaPort', `${await freePort()}`];
  const child = spawn(
    process.execPath,
    [
      peers.resolve('serverless/bin/serverless.js'),
      'offline',
      'start',
      ...['--host', '127.0.0.1', '--noPrependStageInUrl', '--noAuth', '--noTimeout'],
      ...ports,
    ],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        SLS_TELEMETRY_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  const read = (part: Buffer) => {
    text += part;
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const output = () => text;
  await until(child, output, /Server ready/);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    output,
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const until = (child: ChildProcess, output: () => string, pattern: RegExp): Promise<void> =>
  new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`serverless-offline ${why}:\n${output()}`));
    };
    const late = setTimeout(() => fail('was not ready in time'), PATIENCE);
    const look = () => {
      if (!pattern.test(output())) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', (code) => {
      clearTimeout(late);
      fail(`ended with ${code}`);
    });
  });
