/** What every host must do alike, through serverless-offline: real HTTP in front, and events as it writes them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serverlessService } from '../../shared/cli/manifests/serverless';
import { toYaml } from '../../shared/pipeline/export/yaml';
import { HOST_CASES, type HostCase } from '../contracts/host';
import { HOST_DIFFERENCES } from '../contracts/host-differences';
import { buildForLambda } from '../support/lambda-build';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange } from '../support/raw-http';
import { OFFLINE, type Offline, startOffline } from '../support/serverless-offline';

const folder = mkdtempSync(path.join(os.tmpdir(), 'faas-offline-'));
let offline: Offline;

beforeAll(async () => {
  await buildForLambda(folder, [
    {
      name: 'probes',
      catalogue: `Object.fromEntries(['probe-json', 'probe-stream'].map((name) => [name, () => import('./test/support/probe/functions').then(({ probes }) => probes[name]())]))`,
    },
  ]);
  writeFileSync(
    path.join(folder, 'serverless.yml'),
    toYaml({
      ...serverlessService({ functions: [], pipelines: [] }),
      ...OFFLINE,
      resources: {},
      functions: {
        probes: {
          handler: 'dist/functions/probes/lambda.handler',
          environment: { NODE_ENV: 'development', LOG_LEVEL: 'error', PIPELINES_DIR: './dist' },
          events: [{ httpApi: '*' }],
        },
      },
    }),
  );
  offline = await startOffline({ folder, environment: {} });
}, PEERS_TIMEOUT);

afterAll(async () => {
  await offline?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const differenceOf = ({ name }: HostCase) =>
  HOST_DIFFERENCES.find(
    ({ host, cases }) =>
      (host === 'lambda' || host === 'serverless-offline') && cases?.includes(name),
  );

describe('the Lambda host behind serverless-offline', () => {
  test.each(HOST_CASES)('$name', async (one) => {
    const check = differenceOf(one)?.expect ?? one.expect;
    check(await exchange(offline.port, one.request));
  });
});

test('it has differences of cases that there are', () => {
  const names = new Set(HOST_CASES.map(({ name }) => name));
  for (const { cases = [] } of HOST_DIFFERENCES)
    for (const name of cases) expect(names).toContain(name);
});
