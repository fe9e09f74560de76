/** A signup through the whole suite on each host, with a real Restate server that carries the run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Run } from '../../shared/pipeline/run';
import { bundle } from '../support/bundle';
import { type HostProcess, runToEnd, startHost } from '../support/host-process';
import { freePort, RESTATE_NODE_PATH, type RestateServer, startRestate } from '../support/restate';

const ADA = { username: 'ada', email: 'ada@example.com', newsletter: true };

let server: RestateServer;
let host: HostProcess | undefined;

beforeAll(async () => {
  server = await startRestate();
}, 120_000);
afterAll(() => server?.stop());
afterEach(async () => {
  await host?.stop();
  host = undefined;
});

const environmentOf = ({ ingressUrl, adminUrl }: RestateServer) => ({
  ENGINE_URL: `restate+${ingressUrl}`,
  RESTATE_ADMIN_URL: adminUrl,
  NODE_PATH: RESTATE_NODE_PATH,
});

const signUp = async (url: string, user: string): Promise<Run> => {
  const answer = await fetch(`${url}/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=20' },
    body: JSON.stringify({ ...ADA, username: user, email: `${user}@example.com` }),
  });
  return (await answer.json()) as Run;
};

const SUCCEEDED = {
  state: 'succeeded',
  steps: {
    'create-user': { state: 'succeeded' },
    welcome: { state: 'succeeded' },
    newsletter: { state: 'succeeded' },
    crm: { state: 'skipped' },
  },
};

test.each([
  ['node', { RESTATE_PORT: '0' }],
  ['node', {}],
  ['functions-framework', { RESTATE_PORT: '0' }],
  ['functions-framework', {}],
])(
  'on the %s host with %j',
  async (name, more) => {
    host = await startHost({
      file: bundle(`deploy/entry/${name}.ts`),
      environment: { ...environmentOf(server), ...more },
    });
    const run = await signUp(host.url, 'ada');
    expect(run).toMatchObject(SUCCEEDED);
    const found = await fetch(`${host.url}/signup/runs/${run.id}`);
    expect(await found.json()).toEqual(run);
    const { severities } = { severities: new Set(host.lines().map(({ severity }) => severity)) };
    expect([...severities].filter((severity) => severity === 'error')).toEqual([]);
    expect(await host.stop()).toBe(0);
    host = undefined;
  },
  60_000,
);

test('on the stock command line of functions-framework, with its functions elsewhere', async () => {
  const file = bundle('deploy/entry/functions-framework.ts');
  host = await startHost({ file });
  const port = await freePort();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-'));
  const cli = path.resolve(
    __dirname,
    '../../node_modules/@google-cloud/functions-framework/build/src/main.js',
  );
  const source = bundle('deploy/entry/index.ts');
  const stock = spawn(
    process.execPath,
    [cli, '--target=signup', `--source=${source}`, `--port=${port}`],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        PIPELINES_DIR: path.resolve(__dirname, '../../pipelines'),
        FUNCTIONS_URL: host.url,
        ...environmentOf(server),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  try {
    let output = '';
    const registered = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk;
        if (output.includes('restate_registered')) resolve();
      };
      stock.stdout.on('data', read);
      stock.stderr.on('data', read);
      stock.once('exit', (code) => reject(new Error(`it ended with ${code}: ${output}`)));
    });
    await registered;
    expect(await signUp(`http://127.0.0.1:${port}`, 'bob')).toMatchObject(SUCCEEDED);
  } finally {
    stock.kill();
    await once(stock, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);

test('without the SDK, or without a server, a host does not start and says why', async () => {
  const file = bundle('deploy/entry/node.ts');
  const without = await runToEnd(file, {
    ENGINE_URL: `restate+${server.ingressUrl}`,
    PIPELINES_DIR: path.resolve(__dirname, '../../pipelines'),
  });
  expect(without.code).toBe(2);
  expect(without.stderr).toContain('npm install @restatedev/restate-sdk@');
  const url = `http://127.0.0.1:${await freePort()}`;
  const nobody = await runToEnd(file, {
    ...environmentOf(server),
    ENGINE_URL: `restate+${url}`,
    PIPELINES_DIR: path.resolve(__dirname, '../../pipelines'),
  });
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toContain(`Restate does not work at ${url}`);
}, 60_000);
