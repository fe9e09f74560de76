/** The command as a process: signals, pipes, exit codes. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ReplayResult } from '../../../shared/cli/replay-many';
import { bundle } from '../../support/bundle';
import { createLab, type Lab, linesOf, type Ran } from './lab';

let lab: Lab;
beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab.close());

interface Options {
  readonly stdin?: string;
  /** Called with each piece of stdout. */
  readonly onOutput?: (kill: (signal: NodeJS.Signals) => void, close: () => void) => void;
}

const command = (args: readonly string[], { stdin, onOutput }: Options = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [bundle('deploy/entry/cli.ts'), 'pipeline', ...args], {
      cwd: lab.folder,
      env: { PATH: process.env.PATH, ...lab.environment, FAAS_URL: lab.host.url },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
      onOutput?.(
        (signal) => void child.kill(signal),
        () => void child.stdout.destroy(),
      );
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.on('close', (code) => resolve({ code: code as number, out, err }));
    if (stdin === undefined) return;
    child.stdin.on('error', () => undefined);
    child.stdin.write(stdin);
    // Whoever keeps it open may still have something to say.
    if (!onOutput) child.stdin.end();
  });

const lines = (count: number) =>
  Array.from({ length: count }, (_, i) => `{"email":"${i}@example.com"}\n`).join('');

test('reads inputs from a pipe', async () => {
  const { code, out, err } = await command(['run', 'order', '--input', '-', '--each', '--json'], {
    stdin: lines(20),
  });
  expect([code, err, linesOf(out).length]).toEqual([0, '', 20]);
});

test('Ctrl-C ends it in good order, also while it waits for somebody to type', async () => {
  const { code, out, err } = await command(['run', 'order', '--input', '-', '--each', '--json'], {
    stdin: lines(1),
    onOutput: (kill) => kill('SIGINT'),
  });
  expect([code, linesOf(out).length, err]).toEqual([1, 1, 'interrupted after 1 line\n']);
});

test('Ctrl-C in a replay of many tells how far it came', async () => {
  lab.receiver.answer = ({ path }) => (path === '/ship' ? 422 : 200);
  await command(['run', 'order', '--input', '-', '--each', '--wait'], { stdin: lines(8) });
  lab.receiver.answer = () => 200;
  const { code, out, err } = await command(
    ['replay', 'order', '--all', '--reason', 'mended', '--rate', '5/s', '--json'],
    { onOutput: (kill) => kill('SIGINT') },
  );
  const told = linesOf<ReplayResult>(out).length;
  expect(told).toBeLessThan(8);
  expect([code, err]).toEqual([1, `interrupted: ${told} replayed, 0 skipped, 0 refused\n`]);
});

test('a reader that has seen enough is no fault', async () => {
  const { code, err } = await command(['run', 'order', '--input', '-', '--each', '--json'], {
    stdin: lines(300),
    onOutput: (_, close) => close(),
  });
  expect([code, err]).toEqual([0, '']);
});

test('exits with 2 when nobody answers, and with 1 when the answer is no', async () => {
  expect((await command(['runs', 'order', '--url', 'http://127.0.0.1:9'])).code).toBe(2);
  expect((await command(['runs', 'nothing'])).code).toBe(1);
});
