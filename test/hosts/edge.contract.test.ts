/** What every host must do alike, in the real workerd, and beside the node host. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { comparable, differenceOn, isChunked } from '../contracts/compare-hosts';
import { HOST_CASES } from '../contracts/host';
import { HOST_DIFFERENCES } from '../contracts/host-differences';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange } from '../support/raw-http';
import { bundleForEdge, startWorkerd, type Workerd } from '../support/workerd';

let worker: Workerd;
let node: HostProcess;

beforeAll(async () => {
  worker = await startWorkerd({
    code: bundleForEdge('test/support/probe/edge.ts'),
    environment: { NODE_ENV: 'development' },
  });
  node = await startHost({
    file: bundle('test/support/probe/node.ts'),
    environment: { PIPELINES_DIR: mkdtempSync(path.join(os.tmpdir(), 'faas-')) },
  });
}, PEERS_TIMEOUT);

afterAll(async () => {
  await worker?.stop();
  await node?.stop('SIGKILL');
});

const differenceOf = differenceOn('edge');

describe('the edge host', () => {
  test.each(HOST_CASES)('$name', async (one) => {
    const check = differenceOf(one)?.expect ?? one.expect;
    check(await exchange(worker.port, one.request));
  });

  test('has differences of cases that there are', () => {
    const names = new Set(HOST_CASES.map(({ name }) => name));
    for (const { cases = [] } of HOST_DIFFERENCES)
      for (const name of cases) expect(names).toContain(name);
  });
});

describe('the edge host gives the status, fields and bytes of the node host', () => {
  test.each(HOST_CASES.filter((one) => !differenceOf(one)))('$name', async ({ request }) => {
    const [there, here] = [
      await exchange(worker.port, request),
      await exchange(node.port, request),
    ];
    const chunked = isChunked(there) || isChunked(here);
    expect(comparable(there, chunked)).toEqual(comparable(here, chunked));
  });
});
