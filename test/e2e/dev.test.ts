/** `npm run dev` on a copy of the sources. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const ROOT = path.resolve(__dirname, '../..');
/** Ten times what a reload may take. */
const CEILING = 10_000;

let folder: string;
let url: string;
let child: ChildProcess;
let output = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'faas-dev-'));
  for (const name of [
    'deploy',
    'functions',
    'pipelines',
    'shared',
    'package.json',
    'tsconfig.json',
  ])
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  child = spawn(process.execPath, ['deploy/build.mjs', '--watch'], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: `${port}`, STORE_URL: 'memory:' },
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk;
    });
});

afterAll(async () => {
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Every version listens on the same one. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Every summary that is served now; none while nobody listens. */
const summaries = async (): Promise<readonly string[]> => {
  try {
    const response = await fetch(url, { headers: { connection: 'close' } });
    const { functions } = (await response.json()) as { functions: { summary: string }[] };
    return functions.map(({ summary }) => summary);
  } catch {
    return [];
  }
};

const served = async (summary: string): Promise<void> => {
  const end = Date.now() + CEILING;
  while (!(await summaries()).includes(summary)) {
    if (Date.now() > end) throw new Error(`not served in time: ${summary}\n${output}`);
    await delay(20);
  }
};

const source = () => path.join(folder, 'functions/create-user/index.ts');
const change = (summary: string) =>
  readFileSync(source(), 'utf8').replace(/summary: '[^']*'/, `summary: '${summary}'`);

test('what is saved is served, whether it is written or put in the place of the file', async () => {
  await served('Keeps a user record, unique by mail address.');
  for (const summary of ['Written.', 'Written again.']) {
    writeFileSync(source(), change(summary));
    await served(summary);
  }
  for (const summary of ['Replaced.', 'Replaced again.']) {
    writeFileSync(`${source()}~`, change(summary));
    renameSync(`${source()}~`, source());
    await served(summary);
  }
  const pipeline = path.join(folder, 'pipelines/signup.yaml');
  const text = readFileSync(pipeline, 'utf8');
  writeFileSync(pipeline, text.replace(/^summary: .*$/m, 'summary: A pipeline that was changed.'));
  await served('A pipeline that was changed.');
});

test('a mistake is told with its line, and the version before goes on', async () => {
  const right = change('Before the mistake.');
  writeFileSync(source(), right);
  await served('Before the mistake.');
  output = '';
  writeFileSync(source(), `${right}\nconst = 1;\n`);
  const end = Date.now() + CEILING;
  while (!output.includes('the version before goes on') && Date.now() < end) await delay(20);
  expect(output).toMatch(/functions\/create-user\/index\.ts:\d+:\d+:[\s\S]*Not built; the version/);
  expect(await summaries()).toContain('Before the mistake.');
  writeFileSync(source(), change('After the mistake.').replace('const = 1;', ''));
  await served('After the mistake.');
});

test('Ctrl-C ends it and its server', async () => {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(await summaries()).toEqual([]);
});
