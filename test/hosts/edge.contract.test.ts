/** What every host must do alike, in the real workerd, and beside the node host. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_CASES, type HostCase } from '../contracts/host';
import { HOST_DIFFERENCES } from '../contracts/host-differences';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange, type RawAnswer } from '../support/raw-http';
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

const differenceOf = ({ name }: HostCase) =>
  HOST_DIFFERENCES.find(({ host, cases }) => host === 'edge' && cases?.includes(name));

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

/** How a connection goes on is each host's own; the order of fields means nothing. */
const FRAMING = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** A length is framing, too, where one host declares it and the other sends chunks. */
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
