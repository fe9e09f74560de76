/** What comes with the packages that we did not write: that it is what was locked, under which licence, and no script of theirs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { PEERS } from '../../deploy/library/peers.cjs';
import { type LockFile, licencesPage, licensed } from '../../shared/cli/docs/licenses';

const ROOT = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const readLock = (file: string) => JSON.parse(read(file)) as LockFile;
const packages = licensed(readLock('package-lock.json'));
const named = (names: readonly { readonly name: string }[]) => names.map(({ name }) => name);

const LOCKS = [
  'package-lock.json',
  'bench/package-lock.json',
  ...readdirSync(path.join(ROOT, 'test/peers'))
    .map((name) => `test/peers/${name}/package-lock.json`)
    .filter((file) => existsSync(path.join(ROOT, file))),
];

/** Binaries for other platforms, of tools for development; the registry that the lock was made with did not have them. */
const WITHOUT_DIGEST = [
  ...[
    'android-arm64',
    'android-x64',
    'darwin-arm64',
    'darwin-x64',
    'linux-arm64-musl',
    'linux-x64-musl',
    'win32-arm64',
    'win32-x64',
  ].map((platform) => `@biomejs/cli-${platform}`),
  ...[
    'android-arm-eabi',
    'android-arm64',
    'darwin-arm64',
    'darwin-x64',
    'freebsd-x64',
    'linux-arm-gnueabihf',
    'linux-arm-musleabihf',
    'linux-loong64-gnu',
    'linux-loong64-musl',
    'linux-ppc64-gnu',
    'linux-riscv64-gnu',
    'linux-riscv64-musl',
    'linux-s390x-gnu',
    'openharmony-arm64',
    'win32-arm64-msvc',
    'win32-ia32-msvc',
    'win32-x64-msvc',
  ].map((platform) => `@unrs/resolver-binding-${platform}`),
];
const WITHOUT_DIGEST_AT_THE_EDGE = ['darwin-64', 'darwin-arm64', 'windows-64'].map(
  (platform) => `@cloudflare/workerd-${platform}`,
);
const EXCUSED: Readonly<Record<string, readonly string[]>> = {
  'package-lock.json': WITHOUT_DIGEST,
  'test/peers/edge/package-lock.json': WITHOUT_DIGEST_AT_THE_EDGE,
};

/** Each asks for no more than its notice. */
const PERMISSIVE = [
  '(MIT OR CC0-1.0)',
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
];
/** Data: lists of licences, for one that names its version; asks for its source to be named. */
const OF_DATA = ['CC-BY-3.0', 'CC0-1.0'];
/** Of tools, no part of which goes out: rules for accessible pages, a table of browsers. */
const OF_TOOLS = ['BlueOak-1.0.0', 'CC-BY-4.0', 'MIT OR Apache-2.0', 'MPL-2.0'];

describe('what is installed is what was locked', () => {
  test.each(LOCKS)('%s has a SHA-512 digest for every package, or says why not', (file) => {
    const without = licensed(readLock(file)).filter(
      ({ integrity = '' }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity),
    );
    expect(named(without)).toEqual(EXCUSED[file] ?? []);
    const isOfTests = file !== 'package-lock.json';
    expect(without.every(({ dev, optional }) => (dev || isOfTests) && optional)).toBe(true);
  });

  test.each(LOCKS)('%s names no source but the registry', (file) => {
    const sources = [...read(file).matchAll(/"resolved": "([^"]*)"/g)].map(([, url]) => url);
    expect(sources.filter((url) => !url?.startsWith('https://registry.npmjs.org/'))).toEqual([]);
  });

  test('the lock is of this package.json', () => {
    const { dependencies, devDependencies, peerDependencies } = JSON.parse(
      read('package.json'),
    ) as Record<string, object>;
    expect(readLock('package-lock.json').packages['']).toMatchObject({
      dependencies,
      devDependencies,
      peerDependencies,
    });
  });
});

test('only two tools for development have an install script, and both work without', () => {
  expect(packages.filter((one) => one.hasInstallScript)).toMatchObject([
    { name: '@parcel/watcher', dev: true },
    { name: 'esbuild', dev: true },
  ]);
});

describe('licences', () => {
  const others = (dev: boolean, allowed: readonly string[]) =>
    packages
      .filter((one) => Boolean(one.dev) === dev && !allowed.includes(one.license))
      .map(({ name, license }) => `${name}: ${license}`);

  test('at run time are permissive', () => {
    expect(others(false, [...PERMISSIVE, ...OF_DATA])).toEqual([]);
  });

  test('of tools for development are known', () => {
    expect(others(true, [...PERMISSIVE, ...OF_DATA, ...OF_TOOLS])).toEqual(
      WITHOUT_DIGEST.map((name) => `${name}: unknown`),
    );
  });

  test('are listed in docs/licenses.md; else: npm run docs -- --dependencies', () => {
    expect(read('docs/licenses.md')).toBe(licencesPage(readLock('package-lock.json')));
  });

  test('a package that names none, and one that is there twice, are seen', () => {
    const lock = {
      packages: {
        '': {},
        'node_modules/a': { version: '1.0.0', license: 'MIT', dev: true },
        'node_modules/b/node_modules/a': { version: '1.0.0', license: 'MIT' },
        'node_modules/@c/d': { version: '2.0.0' },
      },
    };
    expect(licensed(lock)).toEqual([
      { name: '@c/d', version: '2.0.0', license: 'unknown' },
      { name: 'a', version: '1.0.0', license: 'MIT' },
    ]);
    expect(licencesPage(lock)).toContain('| unknown | 1 | `@c/d` |');
  });
});

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;

  test.each([
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.devDependencies ?? {}),
  ])('has the size of %s, and a reason for it', (name) => {
    const anchor = name.toLowerCase().replace(/[^\w-]/g, '');
    const { version } = readLock('package-lock.json').packages[`node_modules/${name}`] ?? {};
    expect(page).toMatch(
      new RegExp(
        `^\\| \\[\`${name}\`\\]\\(#${anchor}\\) \\| ${version} \\| \\d+ \\| [\\d.]+ MB`,
        'm',
      ),
    );
    expect(page).toMatch(new RegExp(`^### ${name}\n\n\\S`, 'm'));
  });

  test.each(LOCKS.slice(1))('names what %s is there for', (file) => {
    const { dependencies, devDependencies } = JSON.parse(
      read(file.replace('-lock', '')),
    ) as typeof manifest;
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      expect(page).toContain(`\`${name}\``);
  });

  test('tells what a user of the library is asked for, and has nothing of what is gone', () => {
    const rows = Object.entries(PEERS).map(([name, why]) => `| \`${name}\` | ${why} |`);
    expect(page).toContain(`| --- | --- |\n${rows.join('\n')}\n\n`);
    const known = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [, name = ''] of page.matchAll(/^### (.*)$/gm)) expect(known).toHaveProperty([name]);
  });
});
