/** The servers as they are built: what they load, and that the code cache can only make them faster. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startHost } from '../support/host-process';

const DIST = path.resolve(__dirname, '../../dist');
const folders: string[] = [];
let folder: string;

/** A copy of the servers without node_modules around them: whatever they need of a package is missing. */
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'faas-dist-'));
  folders.push(folder);
  for (const file of readdirSync(DIST))
    if (/^(node|functions-framework)\..*(cjs|js|cache)$/.test(file))
      cpSync(path.join(DIST, file), path.join(folder, file));
  cpSync(path.join(DIST, 'functions/add-defaults'), path.join(folder, 'alone'), {
    recursive: true,
  });
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

describe.each(['node', 'functions-framework', 'alone/node'])('dist/%s.cjs', (name) => {
  const cache = () => {
    const beside = path.dirname(path.join(folder, name));
    const files = readdirSync(beside).filter(
      (file) => file.startsWith(`${path.basename(name)}.`) && file.endsWith('.cache'),
    );
    expect(files).toHaveLength(1);
    return path.join(beside, files[0] as string);
  };

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

describe('dist/node.cjs with one function to serve', () => {
  /** Whether the text of all functions was read for it. */
  const readsAll = async () => {
    rmSync(
      path.join(folder, readdirSync(folder).find((file) => /^node\..*\.js$/.test(file)) as string),
    );
    return completes('node').then(
      () => false,
      () => true,
    );
  };

  test('runs the server of that one, where it is beside', async () => {
    cpSync(path.join(folder, 'alone'), path.join(folder, 'functions/add-defaults'), {
      recursive: true,
    });
    expect(await readsAll()).toBe(false);
  });

  test('is the server of all of them, where it is not', async () => {
    await completes('node');
    expect(await readsAll()).toBe(true);
  });
});

test('every server and every package has its cache', () => {
  const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' });
  const scripts = files.filter((file) => /\.[\da-f]{8}\.js$/.test(file));
  expect(scripts.length).toBeGreaterThan(20);
  expect(scripts.filter((file) => !files.includes(file.replace(/\.js$/, '.cache')))).toEqual([]);
});
