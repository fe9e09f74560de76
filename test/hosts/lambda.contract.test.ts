/** What every host must do alike, by events as API Gateway writes them, and beside the node host. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LambdaHandler, lambdaHandler } from '../../shared/hosts/lambda';
import { comparable, differenceOn, isChunked } from '../contracts/compare-hosts';
import { HOST_CASES } from '../contracts/host';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { invokeLambda } from '../support/lambda';
import { probes } from '../support/probe/functions';
import { exchange } from '../support/raw-http';

let handler: LambdaHandler;
let node: HostProcess;

beforeAll(async () => {
  const environment = { PIPELINES_DIR: mkdtempSync(path.join(os.tmpdir(), 'faas-')) };
  handler = lambdaHandler({
    catalogue: probes,
    environment: { ...environment, LOG_LEVEL: 'error' },
  });
  node = await startHost({ file: bundle('test/support/probe/node.ts'), environment });
});

afterAll(async () => {
  await node?.stop('SIGKILL');
});

const differenceOf = differenceOn('lambda');

describe('the Lambda host', () => {
  test.each(HOST_CASES)('$name', async (one) => {
    const check = differenceOf(one)?.expect ?? one.expect;
    check(await invokeLambda(handler, one.request));
  });
});

describe('the Lambda host gives the status, fields and bytes of the node host', () => {
  test.each(HOST_CASES.filter((one) => !differenceOf(one)))('$name', async ({ request }) => {
    const there = await invokeLambda(handler, request);
    const here = await exchange(node.port, request);
    const chunked = isChunked(here);
    expect(comparable(there, chunked)).toEqual(comparable(here, chunked));
  });
});
