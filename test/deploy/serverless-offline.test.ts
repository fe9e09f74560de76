/** serverless.yml served: every function behind a gateway, each asked what its own example asks. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';
import { type Declarations, readDeclarations } from '../../shared/cli/declarations';
import { environmentOf } from '../../shared/cli/manifests/environment';
import { serverlessService } from '../../shared/cli/manifests/serverless';
import { toYaml } from '../../shared/pipeline/export/yaml';
import { describeFunction } from '../../shared/suite/describe';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { copyBuilt } from '../support/lambda-build';
import { PEERS_TIMEOUT } from '../support/peers';
import { provideRedis, type RedisServer, startRedis } from '../support/redis';
import { freePort, RESTATE_NODE_PATH, type RestateServer, startRestate } from '../support/restate';
import { OFFLINE, type Offline, startOffline } from '../support/serverless-offline';

const ROOT = path.resolve(__dirname, '../..');
const run = promisify(execFile);

let facts: Declarations;
let redis: RedisServer;
let restate: RestateServer;
let offline: Offline;
/** One more instance of the pipelines, behind a gateway that hands over bytes: Restate speaks no text. */
let instance: HostProcess;
const folder = mkdtempSync(path.join(os.tmpdir(), 'faas-offline-'));

beforeAll(async () => {
  facts = await readDeclarations(catalogue, ROOT);
  provideRedis();
  [redis, restate] = await Promise.all([startRedis(), startRestate()]);
  copyBuilt(
    folder,
    facts.functions.map(({ name }) => name),
  );
  cpSync(path.join(ROOT, 'pipelines'), path.join(folder, 'pipelines'), { recursive: true });
  const service = serverlessService(facts);
  writeFileSync(path.join(folder, 'serverless.yml'), toYaml({ ...service, ...OFFLINE }));
  const port = await freePort();
  const environment = {
    // Without an account each has its default, but for what an instance cannot keep.
    ...Object.fromEntries(facts.functions.flatMap(environmentOf).map(({ name }) => [name, ''])),
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    TRUSTED_PROXY_HOPS: '0',
    SECRET_KEY: 'a secret of at least 32 characters for this test',
    STORE_URL: `${redis.url}`,
    ENGINE_URL: `restate+${restate.ingressUrl}`,
    RESTATE_ADMIN_URL: restate.adminUrl,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    FUNCTIONS_URL: `http://127.0.0.1:${port}`,
  };
  instance = await startHost({
    file: bundle('test/support/lambda-gateway.ts'),
    args: [path.join(folder, 'dist/functions/signup/lambda.cjs')],
    environment: { ...environment, NODE_PATH: RESTATE_NODE_PATH },
  });
  offline = await startOffline({
    folder,
    port,
    environment,
    packages: { '@restatedev': path.join(RESTATE_NODE_PATH, '@restatedev') },
  });
}, PEERS_TIMEOUT);

afterAll(async () => {
  await offline?.stop();
  await instance?.stop('SIGKILL');
  await Promise.all([redis?.stop(), restate?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The commands that docs show, on this port. */
const examples = () =>
  facts.functions.map((declaration) => ({
    name: declaration.name,
    curls: describeFunction(declaration, { url: offline.url }).routes.flatMap(
      ({ curl }) => curl ?? [],
    ),
  }));

const curl = async (command: string) => {
  const { stdout } = await run('bash', ['-c', `${command} -w '\n%{http_code}'`]);
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
};

test('every function answers its own example', async () => {
  // Restate is told once, by whoever deploys, where the pipelines are.
  for (const { name } of facts.pipelines) {
    const uri = `${instance.url}/${name}/restate`;
    const answer = await fetch(`${restate.adminUrl}/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uri, use_http_11: true }),
    });
    expect({ status: answer.status, text: await answer.text() }).toEqual({
      status: 201,
      text: expect.stringContaining('deployment'),
    });
  }
  const seen = [];
  for (const { name, curls } of examples()) {
    expect(curls.length).toBeGreaterThan(0);
    for (const command of curls) {
      const { status, body } = await curl(command);
      seen.push({ name, status, body });
    }
  }
  expect(seen.filter(({ status }) => status >= 300)).toEqual([]);
  const signup = JSON.parse(seen.find(({ name }) => name === 'signup')?.body ?? '{}');
  expect(signup).toMatchObject({ pipeline: 'signup', state: 'succeeded' });
}, 120_000);

/** Kept in the store until somebody reads them. */
const messages = async (): Promise<number> =>
  [...(await redis.command('KEYS', '*')).matchAll(/outbox/g)].length;

test('a code is sent before the answer, as nothing goes on behind it', async () => {
  const before = await messages();
  const { status } = await curl(
    `curl -s ${offline.url}/two-factor -H 'content-type: application/json' -d '{"user":"second-user","phoneNumber":"+12025550199"}'`,
  );
  expect([status, await messages()]).toEqual([202, before + 1]);
});
