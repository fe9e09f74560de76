import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOST_CASES } from '../contracts/host';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';
import { exchange } from '../support/raw-http';

const hosts: Record<string, HostProcess> = {};

beforeAll(async () => {
  const environment = { PIPELINES_DIR: mkdtempSync(path.join(os.tmpdir(), 'faas-')) };
  for (const name of ['node', 'functions-framework'])
    hosts[name] = await startHost({ file: bundle(`test/support/probe/${name}.ts`), environment });
});

afterAll(async () => {
  for (const host of Object.values(hosts)) await host.stop('SIGKILL');
});

describe.each(['node', 'functions-framework'])('the %s host', (name) => {
  test.each(HOST_CASES)('$name', async ({ request, expect: check }) => {
    check(await exchange(hosts[name]?.port as number, request));
  });
});

describe('both hosts give the same status, fields and bytes', () => {
  test.each(HOST_CASES)('$name', async ({ request }) => {
    const answers = [];
    for (const { port } of Object.values(hosts)) answers.push(await exchange(port, request));
    expect(answers).toHaveLength(2);
    expect(answers[1]).toEqual(answers[0]);
  });
});
