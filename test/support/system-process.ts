/** A server of the system that a test runs: in a folder of its own, ended with the test at the latest. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SystemProcess {
  /** For good, with its folder. */
  stop(): Promise<void>;
}

export interface StartSystemProcessOptions {
  readonly executable: string;
  readonly args: readonly string[];
  /** Its own; goes when it stops. */
  readonly folder: string;
  /** A path or a port that answers as soon as it is ready. */
  readonly listens: string | number;
}

/** How long one may take to listen, in ms. */
const START_TIMEOUT = 20_000;

/** Ends what a test run that was broken off has left behind. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export const startSystemProcess = async ({
  executable,
  args,
  folder,
  listens,
}: StartSystemProcessOptions): Promise<SystemProcess> => {
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk).slice(-20_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (const end = performance.now() + START_TIMEOUT; !(await answers(listens)); await sleep(10))
    if (!running.has(child) || performance.now() > end) {
      await stop();
      throw new Error(`${executable} does not listen:\n${output}`);
    }
  return { stop };
};

const answers = async (listens: string | number): Promise<boolean> => {
  const socket =
    typeof listens === 'string' ? connect(listens) : connect({ port: listens, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};
