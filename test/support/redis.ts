/** A real Redis server for tests: on a free port of this machine, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './restate';
import { executableOf, provideSystemPackage, type SystemPackage } from './system-package';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** One command, as somebody who has nothing to do with the store; the answer as it comes over the wire. */
  command(...parts: readonly string[]): Promise<string>;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** As if its machine slept, until it is told to go on. */
  freeze(): void;
  goOn(): void;
  /** The same data on the same port, as soon as it answers. */
  start(): Promise<void>;
  /** For good, with its folder. */
  stop(): Promise<void>;
}

export interface StartRedisOptions {
  /** Beside the port and the folder, such as `['--appendonly', 'yes']`. @default nothing is kept on disk */
  readonly args?: readonly string[];
}

const REDIS: SystemPackage = {
  name: 'redis-server',
  executables: ['redis-server', 'valkey-server'],
  variable: 'REDIS_SERVER',
};

export const provideRedis = (): void => provideSystemPackage(REDIS);

/** Ends what a test run that was broken off has left behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A server that answers. */
export const startRedis = async ({ args = [] }: StartRedisOptions = {}): Promise<RedisServer> => {
  const executable = executableOf(REDIS);
  const folder = mkdtempSync(path.join(tmpdir(), 'redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;

  const command = (...parts: readonly string[]) => talk(port, parts);
  const launch = async (): Promise<void> => {
    const started = spawn(
      executable,
      [
        ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
        ...['--protected-mode', 'no', '--enable-debug-command', 'yes', ...args],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk).slice(-20_000);
    };
    started.stdout?.on('data', keep);
    started.stderr?.on('data', keep);
    running.add(started);
    started.once('exit', () => running.delete(started));
    child = started;
    for (const end = performance.now() + 20_000; ; await pause(10)) {
      // Also one that asks for a password answers.
      if ((await command('PING').catch(() => '')) !== '') return;
      if (started.exitCode !== null || performance.now() > end) throw new Error(output);
    }
  };
  const kill = async (): Promise<void> => {
    const ending = child;
    child = undefined;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
    ending.kill('SIGKILL');
    await once(ending, 'exit');
  };

  await launch();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    command,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    goOn: () => void child?.kill('SIGCONT'),
    start: launch,
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends one command on a connection of its own; gives what came until a whole line, or a whole text, was there. */
const talk = async (port: number, parts: readonly string[]): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' });
  const words = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  // Behind the answer to QUIT the server closes, so that the answer before is whole.
  socket.write(`*${parts.length}\r\n${words.join('')}*1\r\n$4\r\nQUIT\r\n`);
  let answer = '';
  for await (const chunk of socket.setEncoding('utf8').setTimeout(20_000, () => socket.destroy()))
    answer += chunk;
  return answer.replace(/\+OK\r\n$/, '').trimEnd();
};
