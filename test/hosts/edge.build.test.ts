/** What the build makes for the edge, run as its own configuration says. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';
import { shardTable } from '../../shared/shard/table';
import { PEERS_TIMEOUT } from '../support/peers';
import { exchange, type RawRequest } from '../support/raw-http';
import { startUpstream, type Upstream } from '../support/upstream';
import { provideWorkerd, serveWorkerd, type Workerd } from '../support/workerd';

const ROOT = path.resolve(__dirname, '../..');
const SCHEMA = JSON.stringify({
  type: 'object',
  properties: { color: { default: 'green' }, size: { type: 'integer', maximum: 9 } },
});

let folder: string;
let upstream: Upstream;
const workers: Workerd[] = [];

beforeAll(async () => {
  await provideWorkerd();
  folder = mkdtempSync(path.join(tmpdir(), 'edge-'));
  const script = `import { buildEdge } from ${JSON.stringify(path.join(ROOT, 'deploy/build/edge.mjs'))};
await buildEdge(${JSON.stringify({ folder, environment: { ADD_DEFAULTS_SCHEMA: SCHEMA } })});`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', script]);
  upstream = await startUpstream();
}, PEERS_TIMEOUT);

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

afterAll(async () => {
  await upstream?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const serve = async (name: string, environment: Record<string, string>): Promise<Workerd> => {
  const worker = await serveWorkerd({ config: path.join(folder, `${name}.capnp`), environment });
  workers.push(worker);
  return worker;
};

const edgeFunctions = async (): Promise<readonly string[]> => {
  const modules = await Promise.all(Object.values(catalogue).map((load) => load()));
  return modules.flatMap(({ default: { name, runsAt } }) =>
    runsAt.includes('edge') ? [name] : [],
  );
};

test('there is a worker for each function that runs at the edge, and how to run it', async () => {
  const names = await edgeFunctions();
  expect(names).toContain('shard-router');
  expect(readdirSync(folder).sort()).toEqual(
    names.flatMap((name) => [`${name}.capnp`, `${name}.mjs`, `${name}.wrangler.jsonc`]).sort(),
  );
  for (const name of names) {
    const text = readFileSync(path.join(folder, `${name}.wrangler.jsonc`), 'utf8');
    const json = text.replace(/^\s*\/\/.*$/gm, '').replace(/,(\s*[}\]])/g, '$1');
    expect(JSON.parse(json)).toMatchObject({
      name,
      main: `${name}.mjs`,
      no_bundle: true,
      vars: {},
    });
  }
});

test('none of them makes code of text, uses WASM, or needs anything of Node', async () => {
  for (const name of await edgeFunctions()) {
    const code = readFileSync(path.join(folder, `${name}.mjs`), 'utf8');
    const text = code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    expect(text).not.toMatch(/\beval\s*\(|\bnew Function\b|\bWebAssembly\b/);
    expect(text).not.toMatch(/^\s*import\b|\bimport\s*\(|["']node:/m);
  }
});

test('a variable that is not set is none', async () => {
  const worker = await serve('shard-router', {});
  expect((await exchange(worker.port, { path: '/' })).status).toBe(500);
  expect(worker.lines()[0]?.reason).toMatch(
    /^One setting is wrong or missing:\n +SHARD_ROUTER_CONFIG +is required in production/,
  );
});

test('the shard router hands on', async () => {
  const worker = await serve('shard-router', {
    SHARD_ROUTER_CONFIG: JSON.stringify({
      mode: 'native',
      key: { header: 'x-key' },
      shards: [{ name: 'a', address: upstream.address }],
    }),
  });
  const answer = await exchange(worker.port, { path: '/a?b', headers: [['x-key', 'k']] });
  expect(JSON.parse(answer.body.toString())).toEqual({ method: 'GET', target: '/a?b', size: 0 });
  const ready = await exchange(worker.port, { path: '/health/readiness' });
  expect(ready.status).toBe(200);
});

test('the shard owner lets through what is its own, and tells of its table where it refuses', async () => {
  const shards = ['a', 'b'].map((name) => ({ name, address: upstream.address }));
  const worker = await serve('shard-owner', {
    SHARD_OWNER_CONFIG: JSON.stringify({ mode: 'native', key: { header: 'x-key' }, shards }),
    SHARD_OWNER_NAME: 'a',
    SHARD_OWNER_TARGET: upstream.origin,
  });
  const table = shardTable({ mode: 'native', shards });
  for (let i = 0; i < 20; i += 1) {
    const { status, headers } = await exchange(worker.port, {
      path: '/a?b',
      headers: [['x-key', `${i}`]],
    });
    const isOwn = table.place(`${i}`)?.name === 'a';
    expect([i, status, new Map(headers).get('shard-digest')]).toEqual([
      i,
      isOwn ? 200 : 421,
      isOwn ? undefined : table.digest,
    ]);
  }
});

describe('a schema that comes in a setting', () => {
  const post = (body: string): RawRequest => ({
    method: 'POST',
    path: '/in',
    headers: [['content-type', 'application/json']],
    body,
  });
  const environment = () => ({ ADD_DEFAULTS_TARGET: upstream.origin, ADD_DEFAULTS_SCHEMA: SCHEMA });

  test('is used when the build has seen it', async () => {
    const worker = await serve('add-defaults', environment());
    expect((await exchange(worker.port, post('{"size": 7}'))).status).toBe(200);
    expect(upstream.seen.at(-1)?.body.toString()).toBe('{"size": 7,"color":"green"}');
    const refused = await exchange(worker.port, post('{"size": 70}'));
    expect([refused.status, JSON.parse(refused.body.toString()).errors]).toEqual([
      400,
      [{ pointer: '/size', message: 'must be <= 9' }],
    ]);
  });

  test('is refused at start when it has not', async () => {
    const worker = await serve('add-defaults', {
      ...environment(),
      ADD_DEFAULTS_SCHEMA: '{"type":"object"}',
    });
    expect((await exchange(worker.port, post('{}'))).status).toBe(500);
    expect(worker.lines()[0]?.reason).toMatch(/ADD_DEFAULTS_SCHEMA: .*not known to the build/);
  });

  test('has a default in development', async () => {
    const worker = await serve('add-defaults', { NODE_ENV: 'development' });
    const answer = await exchange(worker.port, post('{"a":1}'));
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      body: { a: 1, color: 'blue', name: expect.any(String) },
    });
  });
});
