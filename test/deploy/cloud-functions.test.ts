/**
 * Source deploys to Cloud Functions and Cloud Run: what Google's buildpacks for Node do with a clean copy of the
 * sources (https://github.com/GoogleCloudPlatform/buildpacks, cmd/nodejs/npm and cmd/nodejs/functions_framework), step
 * by step, and that the result serves.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import http from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = path.resolve(__dirname, '../..');
const MANY_MINUTES = 600_000;
/** Of what git does not know nothing is sent: gcloud reads .gitignore. */
const SENT = [
  'functions',
  'shared',
  'pipelines',
  'deploy',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

let workspace: string;
let manifest: { readonly main: string; readonly scripts: Readonly<Record<string, string>> };
let api: http.Server;
const running: { readonly child: ChildProcess; readonly closed: Promise<unknown> }[] = [];

const run = (program: string, args: readonly string[], environment: Record<string, string> = {}) =>
  execFileSync(program, args, {
    cwd: workspace,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      npm_config_prefer_offline: 'true',
      ...environment,
    },
  });

beforeAll(async () => {
  workspace = await mkdtemp(path.join(os.tmpdir(), 'faas-workspace-'));
  for (const name of SENT)
    cpSync(path.join(ROOT, name), path.join(workspace, name), { recursive: true });
  manifest = JSON.parse(readFileSync(path.join(workspace, 'package.json'), 'utf8'));
  // A build script asks for the packages of development; the first of these is the one that is run.
  run('npm', ['ci', '--quiet', '--no-fund', '--no-audit'], { NODE_ENV: 'development' });
  const script = ['gcp-build', 'build'].find((name) => manifest.scripts[name]) as string;
  run('npm', ['run', script]);
  run('npm', ['prune', '--production'], { NODE_ENV: 'production' });
  api = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    request.pipe(response);
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
}, MANY_MINUTES);

afterEach(async () => {
  for (const { child, closed } of running.splice(0)) {
    try {
      // With what npx has started.
      process.kill(-(child.pid as number), 'SIGKILL');
    } catch (error) {
      // It has ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await closed;
  }
});
afterAll(() => {
  api?.close();
  rmSync(workspace, { recursive: true, force: true });
});

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** The web process, in the environment that the buildpack and the platform set. */
const serve = async (command: string, environment: Readonly<Record<string, string>>) => {
  const port = await freePort();
  const child = spawn('/bin/bash', ['-c', `exec ${command}`], {
    cwd: workspace,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.push({ child, closed: once(child, 'close') });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output += chunk;
    });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 400 && child.exitCode === null; tries += 1) {
    const isUp = await fetch(`${url}/favicon.ico`).then(
      () => true,
      () => false,
    );
    if (isUp) return { url, output: () => output };
    await sleep(50);
  }
  throw new Error(`it does not listen:\n${output}`);
};

const complete = async (url: string) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"ada"}',
  });
  return response.json();
};
const settings = () => ({
  ADD_DEFAULTS_TARGET: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
  ADD_DEFAULTS_SCHEMA: '{"properties":{"color":{"default":"blue"}}}',
});

describe('after the build of the buildpack', () => {
  test('`main` is there and is what the framework can load; what only the build needs is gone', () => {
    expect(manifest.main).toBe('dist/index.cjs');
    run('node', ['--check', manifest.main]);
    expect(existsSync(path.join(workspace, 'node_modules/esbuild'))).toBe(false);
    expect(readdirSync(path.join(workspace, 'node_modules/.bin'))).toContain('functions-framework');
  });

  test('the web process of a function serves it under the name that is its target', async () => {
    const { url } = await serve('node_modules/.bin/functions-framework', {
      FUNCTION_TARGET: 'add-defaults',
      // As the buildpack sets it for 256 MiB.
      NODE_OPTIONS: '--max-old-space-size=192',
      ...settings(),
    });
    expect(await complete(url)).toEqual({ name: 'ada', color: 'blue' });
  });

  test('`npx functions-framework --target` does so too', async () => {
    const { url } = await serve('npx functions-framework --target=add-defaults', settings());
    expect(await complete(url)).toEqual({ name: 'ada', color: 'blue' });
  });

  test('the node host serves it in place of the framework, by GOOGLE_ENTRYPOINT', async () => {
    const { url } = await serve('node dist/node.cjs', {
      FUNCTION_TARGET: 'add-defaults',
      ...settings(),
    });
    expect(await complete(url)).toEqual({ name: 'ada', color: 'blue' });
    expect((await fetch(`${url}/health/readiness`)).status).toBe(200);
  });

  test('a pipeline is a target like any function', async () => {
    const { url } = await serve('node_modules/.bin/functions-framework', {
      FUNCTION_TARGET: 'signup',
      FUNCTIONS_URL: 'http://127.0.0.1:9',
      ENGINE_URL: 'local:runs.db',
      SECRET_KEY: 'k'.repeat(32),
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"username":"ada","email":"ada@example.com"}',
    });
    expect([response.status, await response.json()]).toEqual([
      202,
      expect.objectContaining({ pipeline: 'signup', state: 'running' }),
    ]);
  });
});
