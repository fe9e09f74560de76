import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pipelineGraph } from '../../../shared/cli/pipeline-graph';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'graph-'));
  write('input.schema.json', '{ "type": "object" }');
  write(
    'good.yaml',
    'name: good\nsummary: Fine.\ninput: input.schema.json\nsteps:\n  a: { function: create-user }\n  b: { webhook: B_URL, after: [a] }\n',
  );
  write(
    'bad.yaml',
    'name: bad\nsummary: Not fine.\ninput: input.schema.json\nsteps:\n  a: { function: create-usr }\n',
  );
});

afterEach(() => rmSync(cwd, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(path.join(cwd, name), content);

const run = async (...args: readonly string[]) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await pipelineGraph(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    cwd,
    knownFunctions: ['create-user'],
  });
  return { code, out: out.join(''), err: err.join('') };
};

const MERMAID = `---
title: "good"
---
flowchart LR
  s0["<b>a</b><br>function create-user"]
  s1["<b>b</b><br>webhook B_URL"]
  s0 --> s1
`;

test('prints Mermaid, also while a webhook is not configured', async () => {
  expect(await run('good.yaml')).toEqual({ code: 0, out: MERMAID, err: '' });
});

test('writes the drawing to the file that is named', async () => {
  expect(await run('good.yaml', '--svg', 'good.svg')).toEqual({ code: 0, out: MERMAID, err: '' });
  const svg = readFileSync(path.join(cwd, 'good.svg'), 'utf8');
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [\s\S]*<\/svg>\n$/);
  expect([...svg.matchAll(/data-step="(.)"/g)].map(([, name]) => name)).toEqual(['a', 'b']);
});

test('gives a machine one JSON document', async () => {
  const { code, out, err } = await run('good.yaml', '--json', '--svg=good.svg');
  expect([code, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toEqual({
    name: 'good',
    mermaid: MERMAID,
    svg: 'good.svg',
    steps: [
      { name: 'a', target: { function: 'create-user' }, after: [], required: true },
      {
        name: 'b',
        target: { webhook: 'B_URL', secret: 'WEBHOOK_SECRET' },
        after: ['a'],
        required: true,
      },
    ],
  });
});

const MISTAKE = {
  file: 'bad.yaml',
  line: 5,
  column: 18,
  code: 'unknown_function',
  message: 'there is no function "create-usr"; did you mean create-user?',
};

test('tells mistakes as `pipeline check` does, draws nothing and exits with 1', async () => {
  expect(await run('bad.yaml', '--svg', 'bad.svg')).toEqual({
    code: 1,
    out: '',
    err: `bad.yaml:5:18 unknown_function ${MISTAKE.message}\n`,
  });
  expect(() => readFileSync(path.join(cwd, 'bad.svg'))).toThrow('ENOENT');
  const { code, out, err } = await run('bad.yaml', '--json');
  expect([code, JSON.parse(out), err]).toEqual([1, { valid: false, errors: [MISTAKE] }, '']);
});

test('exits with 2 when the file cannot be read, or the drawing not be written', async () => {
  expect(await run('none.yaml')).toEqual({
    code: 2,
    out: '',
    err: expect.stringMatching(/^none\.yaml:1:1 unreadable .* does not exist\n$/),
  });
  expect(await run('good.yaml', '--svg', 'no/folder.svg')).toEqual({
    code: 2,
    out: '',
    err: 'no/folder.svg cannot be written\n',
  });
});

test.each([
  [[], /^FILE is missing\nUsage: /],
  [['good.yaml', 'bad.yaml'], /^there is one argument too many: bad\.yaml\nUsage: /],
  [['good.yaml', '--svgg', 'x'], /^there is no option --svgg; did you mean --svg\?\nUsage: /],
  [['good.yaml', '--svg'], /^--svg needs a value/],
])('%j is no usage of it', async (args, message) => {
  expect(await run(...args)).toEqual({ code: 2, out: '', err: expect.stringMatching(message) });
});

test('--help tells how to use it', async () => {
  expect(await run('--help')).toEqual({ code: 0, out: expect.stringMatching(/^Usage: /), err: '' });
});
