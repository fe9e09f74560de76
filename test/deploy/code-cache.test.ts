/** The servers as they are built: what they load, and that the code cache can only make them faster. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startHost } from '../support/host-process';

const DIST = path.resolve(__dirname, '../../dist');
const folders: string[] = [];
let folder: string;

/** A copy of the server without node_modules around it: whatever it needs of a package is missing. */
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'faas-dist-'));
  folders.push(folder);
  for (const file of readdirSync(DIST))
    if (/^(node|functions-framework)\..*(cjs|js|cache)$/.test(file))
      cpSync(path.join(DIST, file), path.join(folder, file));
});

afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true, force: true });
});

const completes = async (name: string) => {
  const host = await startHost({
    file: path.join(folder, `${name}.cjs`),
    environment: { FUNCTION_TARGET: 'add-defaults' },
  });
  try {
    const response = await fetch(host.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"ada"}',
    });
    expect(await response.json()).toMatchObject({ body: { name: 'ada', color: 'blue' } });
  } finally {
    await host.stop();
  }
};

describe.each(['node', 'functions-framework'])('dist/%s.cjs', (name) => {
  const cache = () =>
    path.join(
      folder,
      readdirSync(folder).find(
        (file) => file.startsWith(`${name}.`) && file.endsWith('.cache'),
      ) as string,
    );

  test('serves add-defaults without a single package', () => completes(name));

  test('starts without its code cache', async () => {
    rmSync(cache());
    await completes(name);
  });

  test.each([
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, 1000)],
    ['of another version of V8', (bytes: Buffer) => Buffer.from(bytes).fill(7, 4, 8)],
    ['no code at all', (bytes: Buffer) => Buffer.alloc(bytes.length, 'x')],
  ])('starts with a code cache that is %s', async (_, change) => {
    writeFileSync(cache(), change(readFileSync(cache())));
    await completes(name);
  });
});
