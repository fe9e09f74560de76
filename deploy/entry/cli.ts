#!/usr/bin/env node
/** The command `faas-patterns`. */
import { once } from 'node:events';
import { catalogue } from '../../functions';
import { cli } from '../../shared/cli/cli';

const { stdin, stdout, stderr } = {
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
};
const stopping = new AbortController();

// The first asks a command to end in good order; the second is the system's.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
// Whoever reads has seen enough, such as `| head`.
stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 0 : 2));

cli(process.argv.slice(2), catalogue, {
  stdout: (text) => stdout.write(text),
  stderr: (text) => stderr.write(text),
  environment: process.env,
  folder: process.cwd(),
  stdin: { [Symbol.asyncIterator]: () => stdin()[Symbol.asyncIterator]() },
  terminals: {
    stdout: stdout.isTTY ? stdout : undefined,
    stderr: stderr.isTTY ? stderr : undefined,
  },
  drained: async () => {
    if (stdout.writableNeedDrain) await once(stdout, 'drain');
  },
  signal: stopping.signal,
})
  .then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      stderr.write(`faas-patterns: ${(error as Error).message}\n`);
      process.exitCode = 2;
    },
  )
  .finally(() => {
    // Somebody may still be typing.
    if (stopping.signal.aborted) stdin().destroy();
  });
