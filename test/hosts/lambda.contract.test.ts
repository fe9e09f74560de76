/** What every host must do alike, by events as API Gateway writes them, and beside the node host. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type LambdaHandler, lambdaHandler } from '../../shared/hosts/lambda';
import { HOST_CASES, type HostCase } from '../contracts/host';
import { HOST_DIFFERENCES } from '../contracts/host-differences';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { invokeLambda } from '../support/lambda';
import { probes } from '../support/probe/functions';
import { exchange, type RawAnswer } from '../support/raw-http';

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

const differenceOf = ({ name }: HostCase) =>
  HOST_DIFFERENCES.find(({ host, cases }) => host === 'lambda' && cases?.includes(name));

describe('the Lambda host', () => {
  test.each(HOST_CASES)('$name', async (one) => {
    const check = differenceOf(one)?.expect ?? one.expect;
    check(await invokeLambda(handler, one.request));
  });
});

/** How a connection goes on is no business of a function behind a gateway; the order of fields means nothing. */
const FRAMING = new Set(['connection', 'keep-alive', 'transfer-encoding']);

const isChunked = ({ headers }: RawAnswer) => new Map(headers).has('transfer-encoding');

const comparable = ({ status, headers, body, broken }: RawAnswer, chunked: boolean) => ({
  status,
  headers: headers
    .filter(([name]) => !FRAMING.has(name) && !(chunked && name === 'content-length'))
    .map(([name, value]) => `${name}: ${value}`)
    .sort(),
  body: body.toString('latin1'),
  broken,
});

describe('the Lambda host gives the status, fields and bytes of the node host', () => {
  test.each(HOST_CASES.filter((one) => !differenceOf(one)))('$name', async ({ request }) => {
    const there = await invokeLambda(handler, request);
    const here = await exchange(node.port, request);
    const chunked = isChunked(here);
    expect(comparable(there, chunked)).toEqual(comparable(here, chunked));
  });
});
