/** What is written from declarations is as they are, and goes stale loudly. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { catalogue } from '../../functions';
import { docs, generate } from '../../shared/cli/docs';
import { figuresOf } from '../../shared/cli/docs/dependencies';
import type { AnyFunction } from '../../shared/define';
import { SUITE_SETTINGS } from '../../shared/suite/environment';
import { ROOT } from './copy';

const GENERATED = ['README.md', 'docs/configuration.md', 'docs/pipelines.md'] as const;

test.each(GENERATED)('%s is as the declarations say; else: npm run docs', async (file) => {
  const wanted = (await generate(catalogue, ROOT)).get(file);
  expect(await readFile(path.join(ROOT, file), 'utf8')).toBe(wanted);
});

test('docs/configuration.md tells of every setting, route and caller', async () => {
  const page = await readFile(path.join(ROOT, 'docs/configuration.md'), 'utf8');
  for (const name of Object.keys(SUITE_SETTINGS)) expect(page).toContain(`\n| \`${name}\` |`);
  for (const load of Object.values(catalogue)) {
    const { name, summary, config, routes, callers } = (await load()).default;
    expect(page).toContain(`\n## ${name}\n\n${summary}\n`);
    for (const variable of Object.keys(config)) expect(page).toContain(`\n| \`${variable}\` |`);
    for (const [key, route] of Object.entries(routes as AnyFunction['routes'])) {
      const [method, below] = key.replace('*', 'any').split(' ') as [string, string];
      const address = `${method} /${name}${below === '/' ? '' : below}`;
      expect(page).toContain(
        `\n| \`${address}\` | ${route.callers ?? callers} | ${route.summary} |`,
      );
    }
  }
});

describe('npm run docs', () => {
  let folder: string;
  const read = (file: string) => readFile(path.join(folder, file), 'utf8');
  const run = async (...args: string[]) => {
    let output = '';
    const write = (text: string) => {
      output += text;
    };
    const code = await docs(args, catalogue, { stdout: write, stderr: write, folder });
    return { code, output };
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-docs-'));
    for (const part of ['README.md', 'docs', 'pipelines'])
      await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true });
    await run();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test.each([
    ['README.md', /event/g, 'evnet'],
    ['docs/configuration.md', /8080/, '8081'],
    ['docs/pipelines.md', /500ms/, '501ms'],
  ])('--check finds %s stale, names it and writes nothing', async (file, from, to) => {
    const text = (await read(file)).replace(from, to);
    await writeFile(path.join(folder, file), text);
    const { code, output } = await run('--check');
    expect([code, output]).toEqual([1, `${file} is stale: npm run docs writes it\n`]);
    expect(await read(file)).toBe(text);
    expect((await run()).output).toBe(`wrote ${file}\n`);
    expect(await read(file)).not.toBe(text);
    expect((await run('--check')).code).toBe(0);
  });

  test('a page that is gone is stale', async () => {
    await rm(path.join(folder, 'docs/configuration.md'));
    expect((await run('--check')).code).toBe(1);
    expect((await run()).code).toBe(0);
    expect(await read('docs/configuration.md')).toMatch(/^# Configuration$/m);
  });

  test('what is written by hand around a table stays', async () => {
    const hand = 'Words before.\n\n<!-- functions: x -->\n<!-- /functions -->\n\nWords behind.\n';
    await writeFile(path.join(folder, 'README.md'), hand);
    await run();
    expect(await read('README.md')).toMatch(
      /^Words before\.\n\n<!-- functions: x -->\n\n\| function \|[\s\S]+ \|\n\n<!-- \/functions -->\n\nWords behind\.\n$/,
    );
  });

  test('a page without its markers, a wrong flag and a broken pipeline are refused with 2', async () => {
    expect((await run('--chekc')).code).toBe(2);
    await writeFile(path.join(folder, 'pipelines/broken.yaml'), 'name: broken\n');
    expect(await run()).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^docs: pipelines\/broken\.yaml:1:1 /),
    });
    await rm(path.join(folder, 'pipelines/broken.yaml'));
    await writeFile(path.join(folder, 'README.md'), '# No markers\n');
    expect(await run()).toMatchObject({ code: 2, output: expect.stringMatching(/no markers/) });
  });

  test('a required webhook, whose URL nobody has set here, does not stop it', async () => {
    await writeFile(
      path.join(folder, 'pipelines/ship.yaml'),
      'name: ship\nsummary: Ships.\ninput: signup.schema.json\nsteps:\n  out: { webhook: SHIP_URL }\n',
    );
    expect((await run()).code).toBe(0);
    expect(await read('docs/configuration.md')).toMatch(/^\| `SHIP_URL` \| URL \| \| always \|/m);
    expect(await read('README.md')).toMatch(/^\| \[`ship`\]\(docs\/configuration\.md#ship\) \|/m);
  });
});

describe('docs/dependencies.md', () => {
  const manifest = async (file: string) =>
    JSON.parse(await readFile(path.join(ROOT, file), 'utf8')) as {
      version: string;
      license: string;
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
  const page = () => readFile(path.join(ROOT, 'docs/dependencies.md'), 'utf8');

  test('has a row for every dependency, of the installed version, with its licence, and no others', async () => {
    const { dependencies, devDependencies } = await manifest('package.json');
    const names = Object.keys({ ...dependencies, ...devDependencies });
    const rows = [
      ...(await page()).matchAll(/^\| \[`(.+?)`\]\(#.*\) \| (\S+) \|.* \| (.+?) \|$/gm),
    ];
    expect(rows.map(([, name]) => name)).toEqual(names);
    for (const [, name, version, licence] of rows)
      expect([name, version, licence]).toEqual([
        name,
        ...Object.values(pick(await manifest(`node_modules/${name}/package.json`))),
      ]);
  });

  test('the figures count a package with all that it brings, each once, and leave out what is not here', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'faas-patterns-docs-'));
    const install = async (at: string, rest: object, size = 0) => {
      const place = path.join(folder, at);
      await mkdir(place, { recursive: true });
      await writeFile(
        path.join(place, 'package.json'),
        JSON.stringify({ name: at, version: '1.2.3', license: 'MIT', ...rest }),
      );
      await writeFile(path.join(place, 'index.js'), `//${'x'.repeat(size)}`);
    };
    await install('.', { dependencies: { one: '1' }, devDependencies: { two: '1' } });
    await install('node_modules/one', { dependencies: { two: '1', three: '1' } }, 1_000_000);
    await install('node_modules/one/node_modules/two', { dependencies: { three: '1' } }, 500_000);
    await install('node_modules/two', { optionalDependencies: { 'for-another-platform': '1' } });
    await install('node_modules/three', { dependencies: { one: '1' } }, 2_000_000);
    const figures = figuresOf(folder, { runs: 1 });
    await rm(folder, { recursive: true, force: true });
    expect(figures).toMatch(
      /^\| \[`one`\]\(#one\) \| 1\.2\.3 \| 3 \| 3\.5 MB \| \d+ ms \| MIT \|$/m,
    );
    expect(figures).toMatch(
      /^\| \[`two`\]\(#two\) \| 1\.2\.3 \| 1 \| 0\.0 MB \| \d+ ms \| MIT \|$/m,
    );
  });

  test('says of each what it is for, and no heading is left over', async () => {
    const { dependencies, devDependencies } = await manifest('package.json');
    const sections = (await page()).split(/^### /m).slice(1);
    expect(sections.map((section) => section.split('\n')[0]).sort()).toEqual(
      Object.keys({ ...dependencies, ...devDependencies }).sort(),
    );
    for (const section of sections) expect(section).toMatch(/^\S+\n\nFor [\s\S]{40,}/);
  });
});

const pick = ({ version, license }: { readonly version: string; readonly license: string }) => ({
  version,
  license,
});
