import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { bundle } from './bundle';

export interface ChildOptions {
  /** Set on top of this process's environment; `undefined` removes. @default none */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A command that runs the child, such as `['nice']`. @default none */
  readonly wrap?: readonly string[];
  /** After so many ms it is killed, and `ended` tells of SIGKILL. @default 60000 */
  readonly timeout?: number;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly pid: number;
  /** The next line of standard output; rejects, with what stderr says, when there will be none. */
  line(): Promise<string>;
  /** One line to standard input. */
  send(line: string): void;
  kill(signal?: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Runs a TypeScript file as a process of its own. */
export const startChild = async (
  entry: string,
  args: readonly string[] = [],
  { env = {}, wrap = [], timeout = 60_000 }: ChildOptions = {},
): Promise<Child> => {
  const file = bundle(entry);
  const [command, ...rest] = [...wrap, process.execPath, file, ...args] as [string, ...string[]];
  const child = spawn(command, rest, {
    env: { ...process.env, ...env },
    stdio: 'pipe',
    timeout,
    killSignal: 'SIGKILL',
  });
  // A child that is gone reads nothing more; what it left undone shows in `ended`.
  child.stdin.on('error', () => {});
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(
    ([code, signal]): Ended => ({ code, signal, stdout, stderr }),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid as number,
    line: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the child has ended: ${(await ended).stderr}`);
      return value;
    },
    send: (line) => void child.stdin.write(`${line}\n`),
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    ended,
  };
};
