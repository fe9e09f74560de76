/** Every block of the docs is done, in a copy of the tree and on real hosts; a stale one fails. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FunctionDescription } from '../../shared/suite/describe';
import { bundle } from '../support/bundle';
import { startHost } from '../support/host-process';
import { type Copy, makeCopy, ROOT } from './copy';
import { placeFiles } from './files';
import { curl } from './hosts';
import { type Complaints, createReader, type Reader } from './reader';
import { missingInLock } from './standing';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
const pages = Object.fromEntries(
  PAGES.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]),
);

const fence = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

const STALE_FILES = [
  'shared/stale-types.ts',
  'shared/stale-style.ts',
  'pipelines/stale.yaml',
] as const;

/** What it is, the Markdown of it, and the complaint. */
const STALE: readonly (readonly [string, string, RegExp])[] = [
  ['a language that nobody tries', fence('rust', 'fn main() {}'), /nobody tries/],
  ['a block without a language', fence('', 'curl localhost:8080'), /nobody tries/],
  ['code without a fence', 'So:\n\n    curl localhost:8080/nowhere\n', /fence is missing/],
  ['an address that is gone', fence('sh', 'curl -s localhost:8080/gone'), /answered 404/],
  [
    'a status that is another',
    `<!-- expect: 200 -->\n${fence('sh', "curl -s localhost:8080/two-factor -H 'content-type: application/json' -d '{}'")}`,
    /answered 400, not 200/,
  ],
  [
    'an answer that is another',
    `<!-- expect: 200 /functions/0/name=gone -->\n${fence('sh', 'curl -s localhost:8080/')}`,
    /\/functions\/0\/name is "[\w-]+", not gone/,
  ],
  [
    'a shown answer that is another',
    `${fence('sh', 'curl -s localhost:8080/')}\n${fence('json', '{"functions":"none"}')}`,
    /the answer was/,
  ],
  ['broken JSON', fence('json', '{'), /JSON/],
  ['a script that is gone', fence('sh', 'npm run nonsense'), /no script nonsense/],
  ['a command that nobody knows', fence('sh', 'make install'), /nobody knows/],
  ['a pipe behind a curl', fence('sh', 'curl -s localhost:8080/ | sh'), /nobody knows/],
  ['a wrong flag', fence('sh', 'npx faas-patterns functions --nonsense'), /exited with 2/],
  ['a test that is gone', fence('sh', 'npx jest test/gone.test.ts'), /jest exited with 1/],
  ['a setting that is gone', fence('sh', 'GONE_SETTING=1 npm start'), /no setting GONE_SETTING/],
  ['a setting in a sentence', 'Set `GONE_SETTING`.', /no setting GONE_SETTING/],
  ['a command in a sentence', 'Say `npm run gone`.', /no script gone/],
  ['a function that is gone', fence('sh', 'FUNCTION_TARGET=gone npm start'), /no function gone/],
  ['an entry that is gone', fence('sh', 'node dist/gone.cjs'), /nothing builds/],
  ['a file that is gone', 'See `shared/gone.ts`.', /no file shared\/gone\.ts/],
  ['a link that is gone', 'See [it](docs/gone.md).', /goes nowhere/],
  ['a heading that is gone', 'See [it](docs/running.md#gone).', /goes nowhere/],
  ['a page that is gone', 'See <http://localhost:8080/gone>.', /answers 404/],
  ['a picture that is none', fence('text', 'curl it'), /neither a picture/],
  [
    'an output that is another',
    `${fence('sh', 'npx faas-patterns help')}\n${fence('text', 'Usage: nothing')}`,
    /no line "Usage: nothing"/,
  ],
  [
    'a mistake that is none any more',
    `<!-- expect: exit 1 -->\n${fence('sh', 'npx faas-patterns pipeline check')}`,
    /exited with 0, not 1/,
  ],
  ['an expectation of nothing', '<!-- expect: 200 -->\n\nWords.\n', /comment has no block/],
  [
    'a type that is another',
    `A file \`${STALE_FILES[0]}\`:\n\n${fence('ts', "import type { Gone } from './define';\n\nexport const gone: Gone = 1;")}`,
    /-types\.ts: line 1: error TS\d+: .*Gone/,
  ],
  [
    'a style that is another',
    `A file \`${STALE_FILES[1]}\`:\n\n${fence('ts', 'export const stale = "double";')}`,
    /-style\.ts: line 1: /,
  ],
  [
    'a step that calls nobody',
    `A file \`${STALE_FILES[2]}\`:\n\n${fence('yaml', 'name: stale\nsummary: Stale.\ninput: signup.schema.json\nsteps:\n  one: { function: gone }')}`,
    /stale\.yaml: line 5: there is no function "gone"/,
  ],
  ['a program of no file', fence('js', 'console.log(1);'), /names no file/],
  [
    'a list that is another',
    [
      `A file \`apart/one.json\`:\n\n${fence('json', '{"mode":"native","shards":[{"address":"a"}]}')}`,
      `Keys in \`apart/keys.txt\`:\n\n${fence('text', '7')}`,
      `Answers in \`apart/answers.txt\`:\n\n${fence('text', '{"key":"7","shard":"b","address":"b"}')}`,
      fence(
        'sh',
        'npx faas-patterns shard place --config apart/one.json --lines < apart/keys.txt | diff - apart/answers.txt',
      ),
    ].join('\n'),
    /exited with 1[\s\S]*< \{"key":"7","shard":"a"/,
  ],
  ['code of no file', `A file:\n\n${fence('ts', 'export {};')}`, /names no file/],
  ['a fence without an end', '```sh\nnpm start\n', /fence is missing/],
];

let copy: Copy;
let reader: Reader;
let prepared: Complaints;
/** About a page on which all is stale, and where on it each part begins and ends. */
let stale: Complaints;
const lines = new Map<string, readonly [number, number]>();

const stalePage = (): string => {
  let page = '';
  for (const [title, markdown] of STALE) {
    const from = page.split('\n').length;
    page += `## A heading\n\n${markdown}\n`;
    lines.set(title, [from, page.split('\n').length]);
  }
  return page;
};

beforeAll(async () => {
  copy = await makeCopy();
  reader = createReader(copy);
  const page = stalePage();
  const complaints = await placeFiles(copy, { ...pages, 'stale.md': page });
  const isStale = (complaint: string) => complaint.startsWith('stale.md:');
  prepared = complaints.filter((complaint) => !isStale(complaint));
  for (const file of STALE_FILES) await copy.remove(file);
  stale = [...complaints.filter(isStale), ...(await reader('stale.md', page))];
}, 120_000);

afterAll(() => copy.clear());

test('the files that the docs tell to write are of the right types and style, and pipelines without mistakes', () => {
  expect(prepared).toEqual([]);
});

test.each(PAGES)(
  '%s holds what it promises',
  async (page) => {
    expect(await reader(page, pages[page] as string)).toEqual([]);
  },
  120_000,
);

test('a reader who has done what the README says, and does it again, changes nothing', async () => {
  const before = await copy.read('functions/index.ts');
  await copy.put('functions/index.ts', "    hello: () => import('./hello'),\n");
  expect(await copy.read('functions/index.ts')).toBe(before);
  expect(before.match(/hello:/g)).toHaveLength(1);
});

test('a signup calls the step that the README adds', async () => {
  const host = await startHost({
    file: path.join(copy.folder, 'dist/functions-framework.cjs'),
    environment: { PIPELINES_DIR: path.join(copy.folder, 'pipelines') },
  });
  const response = await fetch(`${host.url}/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'wait=10' },
    body: JSON.stringify({ username: 'ada', email: 'ada@example.com' }),
  });
  expect(await response.json()).toMatchObject({
    state: 'succeeded',
    steps: { hello: { state: 'succeeded', attempts: 1 } },
  });
  expect(await host.stop()).toBe(0);
});

test('every curl of a declaration works on a fresh development start', async () => {
  const host = await startHost({ file: bundle('deploy/entry/functions-framework.ts') });
  const { functions } = (await (await fetch(`${host.url}/`)).json()) as {
    functions: readonly FunctionDescription[];
  };
  for (const { name, routes } of functions) {
    const curls = routes.flatMap((route) => route.curl ?? []);
    expect([name, curls.length]).not.toEqual([name, 0]);
    for (const text of curls) {
      const { status, body } = await curl(
        text.replace(/localhost:\d+/, 'localhost:8080'),
        host.url,
      );
      expect([text, status < 400, status > 0 ? '' : body]).toEqual([text, true, '']);
    }
  }
  expect(await host.stop()).toBe(0);
});

describe('what is stale is found', () => {
  test('a lock file without a package for another platform, which npm ci refuses', async () => {
    const lock = JSON.parse(await copy.read('package-lock.json'));
    const [gone] = Object.keys(lock.packages).filter((at) => /esbuild\/win32/.test(at));
    delete lock.packages[gone as string];
    await copy.put('package-lock.json', JSON.stringify(lock));
    expect(missingInLock(copy.folder)).toEqual([
      expect.stringMatching(/lacks @esbuild\/win32-\w+, of node_modules\/esbuild$/),
    ]);
  });

  test.each(STALE)('%s', (title, _, complaint) => {
    const [from, to] = lines.get(title) as readonly [number, number];
    const found = stale.filter((one) => {
      const line = Number(/^stale\.md:(\d+) /.exec(one)?.[1]);
      return line >= from && line < to;
    });
    expect(found).toEqual([expect.stringMatching(complaint)]);
  });
});
