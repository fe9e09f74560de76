/** The library: what is in the tarball, and that it works in a project that has installed nothing else. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSync, transformSync } from 'esbuild';
import { edgeOptions } from '../../deploy/build/edge-options.cjs';
import { readPage } from '../docs/markdown';
import { type HostProcess, startHost } from '../support/host-process';
import {
  createProject,
  type Manifest,
  PACK_TIMEOUT,
  type Packed,
  type Project,
  packLibrary,
  ROOT,
} from '../support/package';
import { freePort } from '../support/restate';
import { provideWorkerd, startWorkerd } from '../support/workerd';

const ENTRIES = {
  'faas-patterns': ['Failure', 'addDefaults', 'decorate', 'defineFunction', 'json', 'shardRouter'],
  'faas-patterns/functions': ['catalogue'],
  'faas-patterns/store': ['idempotent', 'memoryStore', 'openStore'],
  'faas-patterns/pipeline': ['loadPipeline', 'next', 'toKnative'],
  'faas-patterns/shard': ['shardTable'],
  'faas-patterns/webhook': ['verifyWebhook'],
  'faas-patterns/hosts/node': ['runNode'],
  'faas-patterns/hosts/functions-framework': ['runFunctionsFramework', 'stockFunctions'],
  'faas-patterns/hosts/lambda': ['lambdaHandler'],
  'faas-patterns/hosts/edge': ['edgeHandler'],
} as const;

/** The function of docs/library.md, and how it is served there. */
const SOURCES = Object.fromEntries(
  readPage(readFileSync(path.join(ROOT, 'docs/library.md'), 'utf8'))
    .blocks.filter(({ language }) => language === 'ts')
    .map(({ file, text }) => [path.basename(file ?? ''), text]),
);
const inJs = (text: string, format: 'esm' | 'cjs') =>
  transformSync(text.replaceAll("'./hello'", "'./hello.mjs'"), { loader: 'ts', format }).code;

const JSON_BODY = { 'content-type': 'application/json' };
const greet = async (url: string, body: unknown) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: JSON_BODY,
    body: JSON.stringify(body),
  });
  return [answer.status, (await answer.json()) as Readonly<Record<string, unknown>>] as const;
};

let packed: Packed;
let project: Project;
let manifest: Manifest;

beforeAll(() => {
  packed = packLibrary();
  project = createProject(packed.tarball);
  manifest = JSON.parse(installed('package.json')) as Manifest;
  project.write('hello.mjs', inJs(SOURCES['hello.ts'] as string, 'esm'));
}, PACK_TIMEOUT);

afterAll(() => {
  project?.clear();
  packed?.clear();
});

const installed = (file: string): string =>
  readFileSync(path.join(project.folder, 'node_modules/faas-patterns', file), 'utf8');

/** Serves what the text says, as a process in the project. */
const serve = (file: string, text: string, environment: Readonly<Record<string, string>> = {}) =>
  startHost({
    file: project.write(file, text),
    folder: project.folder,
    environment: { PIPELINES_DIR: undefined, ...environment },
  });

describe('the tarball', () => {
  test('is below 1 MB, 4 MB unpacked, and holds what runs, its types, and no source or map', () => {
    expect(packed.bytes).toBeLessThan(1_000_000);
    expect(packed.unpackedBytes).toBeLessThan(4_000_000);
    const kinds = packed.files.map((file) =>
      file.startsWith('dist/library/types/')
        ? file.replace(/.*?(\.d\.ts)?$/, 'types/*$1')
        : file.replace(/shared-\w+\.mjs/, 'shared-*.mjs'),
    );
    expect([...new Set(kinds)].sort()).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        ...['cli', 'functions', 'library', 'main', 'pipeline', 'store'].map(cjs),
        ...['edge', 'functions-framework', 'lambda', 'node'].map((host) => cjs(`hosts-${host}`)),
        ...['hosts-edge', 'main', 'shared-*'].map((name) => `dist/library/edge/${name}.mjs`),
        'dist/shard.cjs',
        'dist/webhook.cjs',
        'functions/shard-router/shard-router.schema.json',
        'package.json',
        'pipelines/pipeline.schema.json',
        'pipelines/signup.schema.json',
        'pipelines/signup.yaml',
        'shared/shard/topology.schema.json',
        'types/*.d.ts',
      ].sort(),
    );
  });

  const cjs = (name: string) => `dist/library/${name}.cjs`;

  test('says nothing of how this repository is worked on, and leaves its package.json as it was', () => {
    for (const field of ['devDependencies', 'scripts', 'jest', 'private'])
      expect(manifest).not.toHaveProperty(field);
    expect(packed.manifests[1]).toBe(packed.manifests[0]);
    expect(JSON.parse(packed.manifests[0])).toMatchObject({
      private: true,
      main: 'dist/index.cjs',
    });
  });

  test('exports files that it holds', () => {
    for (const [entry, conditions] of Object.entries(manifest.exports))
      for (const file of Object.values(
        typeof conditions === 'string' ? { default: conditions } : conditions,
      ))
        if (!entry.includes('*')) expect(packed.files).toContain(file.replace('./', ''));
  });

  test('brings Ajv, YAML and two small packages; all else is an optional peer that its code asks for', () => {
    expect(Object.keys(manifest.dependencies).sort()).toEqual([
      'ajv',
      'rate-limiter-flexible',
      'uqr',
      'yaml',
    ]);
    for (const name of Object.keys(manifest.peerDependencies))
      expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
    for (const name of ['axios', 'libsql', 'nodemailer', 'twilio', 'libphonenumber-js'])
      expect(project.installed).not.toContain(name);
    const known = [
      ...builtinModules.flatMap((name) => [name, `node:${name}`]),
      ...Object.keys(manifest.dependencies),
      ...Object.keys(manifest.peerDependencies),
    ];
    const asked = packed.files
      .filter((file) => /\.[cm]js$/.test(file))
      .flatMap((file) => [
        ...installed(file).matchAll(/\brequire\("([^".][^"]*)"\)|^\s*import\b[^"]*?"([^".]+)";$/gm),
      ])
      .map(([, required, imported]) => (required ?? imported) as string);
    expect(asked).toContain('twilio');
    const nameOf = (from: string) => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0];
    expect(
      asked.filter((from) => !known.includes(from) && !known.includes(nameOf(from) as string)),
    ).toEqual([]);
  });
});

describe('in a project', () => {
  test('every entry gives the same things to ES modules and to CommonJS', () => {
    const file = project.write(
      'every.mjs',
      `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const rows = {};
for (const entry of ${JSON.stringify(Object.keys(ENTRIES))}) {
  const cjs = require(entry);
  const { default: whole, ...names } = await import(entry);
  delete names['module.exports'];
  rows[entry] = { names: Object.keys(names), same: whole === cjs && Object.keys(cjs).every((name) => names[name] === cjs[name]) };
}
console.log(JSON.stringify(rows));`,
    );
    const { stdout, stderr } = project.run('node', [file]);
    expect(stderr).toBe('');
    const rows = JSON.parse(stdout) as Record<string, { names: string[]; same: boolean }>;
    for (const [entry, names] of Object.entries(ENTRIES)) {
      expect([entry, rows[entry]?.same]).toEqual([entry, true]);
      expect(rows[entry]?.names).toEqual(expect.arrayContaining([...names]));
    }
  });

  test.each(['nodenext', 'bundler'])('types hold in strict TypeScript, resolved for %s', (kind) => {
    const folder = `types-${kind}`;
    const module = kind === 'bundler' ? 'esnext' : kind;
    const options = {
      module,
      moduleResolution: kind,
      target: 'es2022',
      lib: ['ES2023'],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
      typeRoots: [path.join(ROOT, 'node_modules/@types')],
    };
    project.write(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: options }));
    project.write(
      `${folder}/every.mts`,
      Object.entries(ENTRIES)
        .map(([entry, names]) => `export { ${names.join(', ')} } from '${entry}';`)
        .join('\n'),
    );
    project.write(`${folder}/hello.ts`, SOURCES['hello.ts'] as string);
    project.write(`${folder}/serve.ts`, SOURCES['serve.ts'] as string);
    const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const check = () => project.run('node', [compiler, '-p', folder]);
    expect(check()).toMatchObject({ stdout: '', status: 0 });
    // It does look: a setting that was not declared, and a code that there is not.
    project.write(
      `${folder}/wrong.ts`,
      `import { Failure } from 'faas-patterns';\nexport const wrong = new Failure('no_such_code');\n`,
    );
    expect(check().stdout).toMatch(/wrong\.ts\(2,.*no_such_code/);
    project.write(`${folder}/wrong.ts`, '');
  });

  test('the function of the docs is served on the node host, beside ours', async () => {
    const host = await serve('serve.mjs', inJs(SOURCES['serve.ts'] as string, 'esm'), {
      STORE_URL: 'memory:',
    });
    try {
      await answersAsDocumented(host);
      const { functions } = (await (
        await fetch(host.url, { headers: { accept: 'application/json' } })
      ).json()) as { functions: readonly { name: string }[] };
      expect(functions.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['hello', 'add-defaults', 'two-factor']),
      );
    } finally {
      expect(await host.stop('SIGTERM')).toBe(0);
    }
  });

  test('a failure of another copy of the class keeps its code', async () => {
    const receiver = `import { catalogueOf, defineFunction } from 'faas-patterns';
import { verifyWebhook } from 'faas-patterns/webhook';
import { runNode } from 'faas-patterns/hosts/node';
void runNode(catalogueOf(defineFunction({
  name: 'receive', kind: 'event', summary: 'Receives.', runsAt: ['node'], callers: 'public', body: { mode: 'stream' },
  config: {}, routes: { 'POST /': { summary: 'Receives.' } },
  create: () => ({ 'POST /': (request) => verifyWebhook(request, { secrets: 'whsec_${Buffer.alloc(24).toString('base64')}' }) }),
})));`;
    const host = await serve('receive.mjs', receiver);
    try {
      expect(await greet(`${host.url}/receive`, {})).toMatchObject([401, { code: 'unauthorized' }]);
    } finally {
      await host.stop('SIGKILL');
    }
  });

  test('it runs on Lambda', async () => {
    const file = project.write(
      'lambda.mjs',
      `import { catalogueOf } from 'faas-patterns';
import { lambdaHandler } from 'faas-patterns/hosts/lambda';
import { hello } from './hello.mjs';
const handler = lambdaHandler({ catalogue: catalogueOf(hello), environment: { NODE_ENV: 'production' } });
const http = { method: 'POST', path: '/hello', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' };
const answer = await handler(
  { version: '2.0', rawPath: '/hello', rawQueryString: '', headers: { 'content-type': 'application/json' }, requestContext: { http, requestId: 'r-1' }, body: '{"name":"Ada"}', isBase64Encoded: false },
  { awsRequestId: 'r-1', getRemainingTimeInMillis: () => 3000 },
);
console.log(JSON.stringify(answer));`,
    );
    const { stdout } = project.run('node', [file]);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) as string)).toMatchObject({
      statusCode: 200,
      body: '{"greeting":"Hello, Ada!"}',
    });
  });

  test(
    'a function without Node runs in workerd',
    async () => {
      await provideWorkerd();
      project.write(
        'worker.mjs',
        `import { defineFunction, Failure, json, readJson } from 'faas-patterns';
import { edgeHandler } from 'faas-patterns/hosts/edge';
export default edgeHandler(defineFunction({
  name: 'hello', kind: 'decorator', summary: 'Greets.', runsAt: ['edge'], callers: 'public', body: { mode: 'json' },
  config: { HELLO_WORD: { type: 'string', description: 'The word.', default: 'Hello' } },
  routes: { 'POST /': { summary: 'Greets.' } },
  create: ({ HELLO_WORD }) => ({ 'POST /': async (request) => {
    const { name = 'world' } = await readJson(request);
    if (name === 'nobody') throw new Failure('not_found', { detail: 'Nobody is not here.' });
    return json({ greeting: HELLO_WORD + ', ' + name + '!' });
  } }),
}));`,
      );
      const { outputFiles } = buildSync({
        ...edgeOptions,
        absWorkingDir: project.folder,
        entryPoints: ['worker.mjs'],
        write: false,
        logLevel: 'error',
      });
      const worker = await startWorkerd({ code: outputFiles[0]?.text as string });
      try {
        await answersAsDocumented(worker);
      } finally {
        await worker.stop();
      }
    },
    PACK_TIMEOUT,
  );

  test('the command lists our functions', () => {
    const { stdout, status } = project.run('npx', [
      '--no-install',
      'faas-patterns',
      'functions',
      '--json',
    ]);
    const { functions } = JSON.parse(stdout) as { functions: readonly { name: string }[] };
    expect(functions.map(({ name }) => name)).toContain('shard-router');
    expect(status).toBe(0);
  });
});

const answersAsDocumented = async ({ url }: Pick<HostProcess, 'url'>) => {
  expect(await greet(`${url}/hello`, {})).toEqual([200, { greeting: 'Hello, world!' }]);
  expect(await greet(`${url}/hello`, { name: 'Ada' })).toEqual([200, { greeting: 'Hello, Ada!' }]);
  expect(await greet(`${url}/hello`, { name: 'nobody' })).toMatchObject([
    404,
    { code: 'not_found', detail: 'Nobody is not here.' },
  ]);
};

const SQLITE = `require('faas-patterns/store').openStore('sqlite:./a.db').get('a')`;

describe('a peer that is missing', () => {
  test.each([
    [
      '@google-cloud/functions-framework',
      `require('faas-patterns/hosts/functions-framework').runFunctionsFramework({})`,
    ],
    ['libsql', SQLITE],
    ['@redis/client', `require('faas-patterns/store').openStore('redis://127.0.0.1:1').get('a')`],
  ])('%s is asked for with the command that installs it', (name, code) => {
    const { status, stderr } = project.run('node', ['-e', code]);
    expect(status).not.toBe(0);
    const { [name]: range } = manifest.peerDependencies;
    expect(stderr).toContain(`is not installed: npm install ${name}@${range}`);
  });

  test('is asked for before anything listens, where the settings ask for it', () => {
    const file = project.write(
      'needy.mjs',
      `import { catalogueOf, defineFunction, empty } from 'faas-patterns';
import { runNode } from 'faas-patterns/hosts/node';
void runNode(catalogueOf(defineFunction({
  name: 'needy', kind: 'event', summary: 'Needs.', runsAt: ['node'], callers: 'public', body: { mode: 'json' },
  needs: ['store', 'mail', 'sms', 'secret'], config: {}, routes: { 'POST /': { summary: 'Needs.' } },
  create: () => ({ 'POST /': () => empty() }),
})));`,
    );
    const { status, stderr } = project.run('node', [file], {
      PORT: '0',
      SMTP_URL: 'smtp://127.0.0.1:2525',
      MAIL_FROM: 'a@example.com',
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^ +STORE_URL +libsql is needed .*: npm install libsql@/m);
    expect(stderr).toMatch(/^ +SMTP_URL +nodemailer is needed .*: npm install nodemailer@/m);
    expect(stderr).not.toMatch(/twilio|redis|axios/);
  });

  test('is not taken for missing when something that it needs itself is', () => {
    project.write('node_modules/libsql/index.js', `require('gone');`);
    const { stderr } = project.run('node', ['-e', SQLITE]);
    expect(stderr).toContain("Cannot find module 'gone'");
    expect(stderr).not.toContain('npm install');
  });
});

describe('with functions-framework beside it', () => {
  beforeAll(() => project.provide('@google-cloud/functions-framework'));

  test('it serves the function', async () => {
    const host = await serve(
      'framework.mjs',
      `import { catalogueOf } from 'faas-patterns';
import { runFunctionsFramework } from 'faas-patterns/hosts/functions-framework';
import { hello } from './hello.mjs';
void runFunctionsFramework(catalogueOf(hello));`,
    );
    try {
      await answersAsDocumented(host);
    } finally {
      expect(await host.stop('SIGTERM')).toBe(0);
    }
  });

  test('its own command line serves it', async () => {
    project.write('hello.cjs', inJs(SOURCES['hello.ts'] as string, 'cjs'));
    const source = project.write(
      'stock.cjs',
      `const { catalogueOf } = require('faas-patterns');
const { stockFunctions } = require('faas-patterns/hosts/functions-framework');
module.exports = stockFunctions(catalogueOf(require('./hello.cjs').hello));`,
    );
    const port = await freePort();
    const command = path.join(
      project.folder,
      'node_modules/@google-cloud/functions-framework/build/src/main.js',
    );
    const child = spawn(
      process.execPath,
      [command, '--target=hello', `--source=${source}`, `--port=${port}`],
      { cwd: project.folder, env: { PATH: process.env.PATH }, stdio: 'ignore' },
    );
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(() => fetch(url));
      await answersAsDocumented({ url });
    } finally {
      child.kill('SIGKILL');
    }
  });
});

/** What it gives once it does not reject any more; after ten seconds its error. */
const eventually = async <T>(act: () => Promise<T>): Promise<T> => {
  for (let tries = 100; ; tries -= 1)
    try {
      return await act();
    } catch (error) {
      if (tries === 0) throw error;
      await delay(100);
    }
};
