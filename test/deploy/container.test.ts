/** The image, as its Dockerfile makes it: carried out in clean folders, and run by somebody who can write nothing. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildImage, type Image } from './container-build';

const ROOT = path.resolve(__dirname, '../..');
const MANY_MINUTES = 600_000;

let folder: string;
let image: Image;
const inImage = (at: string) => path.join(image.root, at);

/** What is there, and when it was last changed. */
const everything = (at: string): readonly string[] =>
  readdirSync(at, { recursive: true, encoding: 'utf8' })
    .map((file) => {
      const { mtimeMs, size } = lstatSync(path.join(at, file));
      return `${file} ${size} ${mtimeMs}`;
    })
    .sort();

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'faas-image-'));
  image = await buildImage({
    dockerfile: readFileSync(path.join(ROOT, 'deploy/container/Dockerfile'), 'utf8'),
    context: ROOT,
    into: folder,
  });
  // Everybody may read, nobody may write: as another user, or as the one who made it.
  execFileSync('chmod', ['-R', 'a-w,a+rX', image.root]);
  chmodSync(folder, 0o555);
}, MANY_MINUTES);

afterAll(() => {
  chmodSync(folder, 0o755);
  execFileSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  readonly url: string;
  output(): string;
  stop(): Promise<number | null>;
}

/** As the user of the image, where this process may become another; with its environment, and this on top. */
const start = async (environment: Readonly<Record<string, string>>) => {
  const [uid, gid] = image.user.split(':').map(Number) as [number, number];
  const [program = '', ...args] = image.entrypoint.map((word) =>
    word.startsWith('/') ? inImage(word) : word,
  );
  const child = spawn(program, args, {
    cwd: inImage(image.workdir),
    env: { ...image.environment, TMPDIR: inImage('tmp'), PORT: '0', ...environment },
    ...(process.getuid?.() === 0 && { uid, gid }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const port = await new Promise<number | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
        const found = /"message":"listening".*?"port":(\d+)/.exec(output)?.[1];
        if (found) resolve(Number(found));
      });
    void ended.then(() => resolve(undefined));
  });
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url: port && `http://127.0.0.1:${port}`, output: () => output, stop } as Running;
};

describe('the image', () => {
  test('holds the bundles of the node host with their code caches, the pipelines, and what production needs', () => {
    const bundle = readdirSync(inImage('app/dist')).map((file) =>
      file.replace(/\.[0-9a-f]{8}\./, '.HASH.'),
    );
    expect(bundle.sort()).toEqual(
      expect.arrayContaining(['node.HASH.cache', 'node.HASH.js', 'node.cjs']),
    );
    expect(bundle.filter((file) => !file.startsWith('node.'))).toEqual(['functions', 'packages']);
    const ofOne = readdirSync(inImage('app/dist/functions/two-factor')).map((file) =>
      file.replace(/\.[0-9a-f]{8}\./, '.HASH.'),
    );
    expect(ofOne.every((file) => file.startsWith('node.'))).toBe(true);
    expect(ofOne).toContain('node.HASH.cache');
    expect(readdirSync(inImage('app')).sort()).toEqual(['dist', 'node_modules', 'pipelines']);
    expect(readdirSync(image.root).sort()).toEqual(['app', 'node_modules', 'usr']);
    for (const name of ['twilio', 'nodemailer', 'axios'])
      expect(existsSync(inImage(`app/node_modules/${name}`))).toBe(true);
  });

  test('has no tool in it: no npm, no compiler, no test', () => {
    expect(readdirSync(inImage('usr/local/bin'))).toEqual(['node']);
    for (const name of ['esbuild', 'typescript', 'jest', '@biomejs'])
      expect(existsSync(inImage(`app/node_modules/${name}`))).toBe(false);
    expect(readdirSync(inImage('node_modules/@restatedev')).join()).not.toContain('server');
  });

  test('takes the code cache that its own node has made', () => {
    const script = `
      const fs = require('node:fs');
      const { Script } = require('node:vm');
      const file = fs.readdirSync('dist').find((name) => name.endsWith('.cache')).slice(0, -6);
      const cachedData = fs.readFileSync('dist/' + file + '.cache');
      const text = fs.readFileSync('dist/' + file + '.js', 'latin1');
      console.log(new Script(text, { cachedData }).cachedDataRejected);`;
    const node = inImage(image.entrypoint[0] as string);
    const taken = (...flags: readonly string[]) =>
      execFileSync(node, [...flags, '-e', script], {
        cwd: inImage(image.workdir),
        encoding: 'utf8',
      }).trim();
    expect(taken()).toBe('false');
    // It would say so otherwise.
    expect(taken('--no-lazy')).toBe('true');
  });
});

describe('run by a user who can write nothing', () => {
  test('it serves the function that is named, writes nothing, and ends on SIGTERM with 0', async () => {
    const api = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      request.pipe(response);
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const before = everything(image.root);
    const host = await start({
      FUNCTION_TARGET: 'add-defaults',
      ADD_DEFAULTS_TARGET: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      ADD_DEFAULTS_SCHEMA: '{"properties":{"color":{"default":"blue"}}}',
    });
    try {
      expect(host.output()).toContain('"functions":["add-defaults"]');
      for (const path of ['liveness', 'readiness'])
        expect((await fetch(`${host.url}/health/${path}`)).status).toBe(200);
      const { stdout: answer } = await promisify(execFile)('curl', [
        '-s',
        `${host.url}/`,
        '-H',
        'content-type: application/json',
        '-d',
        '{"name":"ada"}',
      ]);
      expect(JSON.parse(answer)).toEqual({ name: 'ada', color: 'blue' });
    } finally {
      expect(await host.stop()).toBe(0);
      api.close();
    }
    expect(everything(image.root)).toEqual(before);
  });

  test('it cannot write where it runs', async () => {
    const host = await start({
      FUNCTION_TARGET: 'create-user',
      STORE_URL: 'sqlite:./records.db',
      SECRET_KEY: 'k'.repeat(32),
    });
    if (host.url) await fetch(`${host.url}/create-user`, { method: 'POST' });
    await host.stop();
    expect(everything(inImage('app')).join('\n')).not.toContain('records.db');
  });

  test('what is missing is told before it listens', async () => {
    const host = await start({ FUNCTION_TARGET: 'two-factor' });
    expect(host.url).toBeUndefined();
    expect(await host.stop()).toBe(2);
    for (const name of ['STORE_URL', 'SECRET_KEY', 'SMTP_URL', 'TWILIO_AUTH_TOKEN'])
      expect(host.output()).toMatch(new RegExp(`${name} +is required`));
  });

  test('each function starts with what it needs: its packages are there', async () => {
    const settings = {
      STORE_URL: 'memory:',
      SECRET_KEY: 'k'.repeat(32),
      SMTP_URL: 'smtp://127.0.0.1:9',
      MAIL_FROM: 'hello@example.com',
      PUBLIC_URL: 'https://example.com',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'token',
      TWILIO_FROM: '+12025550123',
    };
    for (const name of ['create-user', 'email-user', 'subscribe-user', 'two-factor']) {
      const host = await start({ ...settings, FUNCTION_TARGET: name });
      expect({ name, listens: host.url !== undefined, says: host.output() }).toMatchObject({
        listens: true,
        says: expect.stringContaining(`"functions":["${name}"]`),
      });
      expect(await host.stop()).toBe(0);
    }
  });

  test('a pipeline finds its file, and the SDK of the engine that it needs there', async () => {
    const host = await start({
      FUNCTION_TARGET: 'signup',
      FUNCTIONS_URL: 'http://{function}.faas.svc.cluster.local',
      ENGINE_URL: 'restate+http://127.0.0.1:9',
      RESTATE_IDENTITY_KEYS: 'publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f',
      RESTATE_SERVICE_URL: 'http://signup.faas.svc.cluster.local',
      SECRET_KEY: 'k'.repeat(32),
    });
    expect(host.output()).not.toContain('not installed');
    expect(host.output()).toMatch(/listening|127\.0\.0\.1:9/);
    await host.stop();
  });
});
