/** The commands of the README, run as a user runs them. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';

const ROOT = path.resolve(__dirname, '../..');
const PIPELINES = readdirSync(path.join(ROOT, 'pipelines'))
  .flatMap((file) => /^(.+)\.yaml$/.exec(file)?.[1] ?? [])
  .sort();

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with all that was written so far; a signal to send, once. */
  readonly onOutput?: (stdout: string) => NodeJS.Signals | undefined;
}

const run = (
  command: readonly string[],
  { environment = {}, folder = ROOT, onOutput }: RunOptions = {},
): Promise<Ended> =>
  new Promise((resolve) => {
    const [file = '', ...args] = command;
    const child = spawn(file, args, {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    let signalled = false;
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      const signal = signalled ? undefined : onOutput?.(stdout);
      if (!signal) return;
      signalled = true;
      // To the whole group, as a terminal does.
      process.kill(-(child.pid as number), signal);
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });

const cli = (...args: string[]) => run(['npx', 'faas-patterns', ...args]);

test('npm run demo signs a user up, shows the steps, verifies the code and prints the outbox', async () => {
  const { code, stdout } = await run(['npm', 'run', 'demo']);
  expect(code).toBe(0);
  for (const part of [
    /202 \/signup\/runs\/[\w-]{30}/,
    /create-user +succeeded/,
    /crm +skipped \(condition\)/,
    /The run has succeeded/,
    /200 \{"status":"verified","token":"/,
    /sms to \+12025550123/,
  ])
    expect(stdout).toMatch(part);
  expect(stdout.match(/^ {2}mail to ada@example\.com/gm)).toHaveLength(2);
});

test('the demo says why it failed, and exits with 1', async () => {
  const { code, stdout } = await run(['node', path.join(ROOT, 'dist/demo.cjs')], {
    folder: tmpdir(),
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(/The demo failed: the suite ended with 2\n[\s\S]*does not exist/);
});

test('npm start prints the functions with their URLs and what to try, and ends on Ctrl-C', async () => {
  const { stdout } = await run(['npm', 'start'], {
    environment: {
      PORT: '0',
      STORE_URL: 'memory:',
      ENGINE_URL: `local:/tmp/faas-${process.pid}.db`,
    },
    onOutput: (text) => (text.includes('All of them') ? 'SIGINT' : undefined),
  });
  expect(stdout).toMatch(
    new RegExp(
      `Try it: curl -s http://localhost:\\d+/(?:${PIPELINES.join('|')}) -H 'content-type: application/json'`,
    ),
  );
  for (const name of [...Object.keys(catalogue), ...PIPELINES])
    expect(stdout).toMatch(new RegExp(`^  ${name} +http://localhost:\\d+/${name}$`, 'm'));
  expect(stdout).toMatch(/"message":"stopped"/);
});

describe('faas-patterns', () => {
  test('functions --json gives every declaration', async () => {
    const { code, stdout } = await cli('functions', '--json');
    expect(code).toBe(0);
    const { functions } = JSON.parse(stdout) as { functions: Record<string, unknown>[] };
    expect(functions.map(({ name }) => name)).toEqual([...Object.keys(catalogue), ...PIPELINES]);
    for (const one of functions)
      expect(Object.keys(one)).toEqual(
        expect.arrayContaining(['name', 'kind', 'summary', 'runsAt', 'callers', 'config', 'calls']),
      );
    expect(functions.find(({ name }) => name === 'signup')).toMatchObject({
      kind: 'pipeline',
      callers: 'public',
      calls: ['create-user', 'email-user', 'two-factor', 'subscribe-user'],
    });
  });

  test('pipeline check is content with what is here', async () => {
    const { code, stdout } = await cli('pipeline', 'check', '--json');
    const { warnings, ...answer } = JSON.parse(stdout) as { warnings: { code: string }[] };
    expect([code, answer]).toEqual([0, { valid: true, errors: [] }]);
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['webhook_not_configured']));
  });

  test.each([
    [[]],
    [['nonsense']],
    [['functions', '--nonsense']],
    [['pipeline']],
    [['pipeline', 'nonsense']],
  ])('%j is refused with the usage and 2', async (args) => {
    const { code, stdout, stderr } = await cli(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^faas-patterns: .*\n\nUsage: faas-patterns/m);
  });

  test('help is no mistake', async () => {
    const { code, stdout } = await cli('help');
    expect([code, stdout.startsWith('Usage: faas-patterns')]).toEqual([0, true]);
  });

  test('a wrong environment is told, with 2', async () => {
    const { code, stderr } = await run(['npx', 'faas-patterns', 'functions'], {
      environment: { PIPELINES_DIR: '/nowhere', PORT: 'many' },
    });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/PORT +must be integer/)]);
  });
});
