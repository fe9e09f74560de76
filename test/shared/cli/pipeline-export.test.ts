import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { pipelineExport } from '../../../shared/cli/pipeline-export';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'export-'));
  write('input.schema.json', '{ "type": "object" }');
  write(
    'good.yaml',
    'name: good\nsummary: Fine.\ninput: input.schema.json\nsteps:\n  a: { function: create-user }\n  b: { webhook: B_URL, after: [a], required: false }\n',
  );
  write(
    'bad.yaml',
    'name: bad\nsummary: Not fine.\ninput: input.schema.json\nsteps:\n  a: { function: create-usr }\n',
  );
  write(
    'hooks.yaml',
    'name: hooks\nsummary: Fine.\ninput: input.schema.json\nsteps:\n  a: { webhook: A_URL }\n',
  );
});

afterEach(() => rmSync(cwd, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(path.join(cwd, name), content);

const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await pipelineExport(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env,
    cwd,
    knownFunctions: ['create-user'],
  });
  return { code, out: out.join(''), err: err.join('') };
};

const FULL = ['good.yaml', '--unsigned', '--functions-url', 'https://faas.example.com'];

describe('prints the pipeline', () => {
  test('as a Serverless Workflow', async () => {
    const { code, out, err } = await run([...FULL, '--to', 'serverless-workflow']);
    expect([code, err]).toEqual([0, '']);
    expect(parse(out)).toMatchObject({ document: { dsl: '1.0.0', name: 'good' } });
  });

  test('as a state machine', async () => {
    const { code, out, err } = await run([...FULL, '--to=step-functions']);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ QueryLanguage: 'JSONata', StartAt: 'Begin' });
  });

  test('for Knative', async () => {
    const sink = ['--dead-letter-sink', 'http://lost.example.com'];
    const { code, out, err } = await run(['hooks.yaml', '--unsigned', '--to', 'knative', ...sink]);
    expect([code, err]).toEqual([0, '']);
    expect(parse(out)).toMatchObject({ kind: 'Parallel', metadata: { name: 'hooks' } });
  });

  test('as one JSON document, with what its user must know', async () => {
    const { code, out } = await run([...FULL, '--to', 'step-functions', '--json']);
    const { to, text, notes } = JSON.parse(out);
    expect([code, to]).toEqual([0, 'step-functions']);
    expect(JSON.parse(text).Comment).toContain(notes[0]);
  });

  test('with the functions where FUNCTIONS_URL says, unless the option says it', async () => {
    const args = ['good.yaml', '--unsigned', '--to', 'serverless-workflow'];
    const env = { FUNCTIONS_URL: ' http://one.example.com ' };
    expect((await run(args, env)).out).toContain('http://one.example.com/create-user');
    const { out } = await run([...args, '--functions-url', 'http://two.example.com'], env);
    expect(out).toContain('http://two.example.com/create-user');
    expect(out).not.toContain('http://one.example.com');
  });
});

describe('exits with 1', () => {
  test('and every refusal on its line, when something cannot be said', async () => {
    const { code, out, err } = await run(['good.yaml', '--to', 'serverless-workflow']);
    expect([code, out]).toEqual([1, '']);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^good\.yaml a: where the functions are is not known/),
      expect.stringMatching(/^good\.yaml b: the format cannot sign/),
      '',
    ]);
  });

  test('and the refusals as JSON', async () => {
    const { code, out, err } = await run(['hooks.yaml', '--to', 'step-functions', '--json']);
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toEqual({
      to: 'step-functions',
      refused: [{ step: 'a', reason: expect.stringMatching(/^the format cannot sign/) }],
    });
  });

  test('and the mistakes of the file, as `pipeline check` tells them', async () => {
    const message = 'there is no function "create-usr"; did you mean create-user?';
    expect(await run(['bad.yaml', '--to', 'knative'])).toEqual({
      code: 1,
      out: '',
      err: `bad.yaml:5:18 unknown_function ${message}\n`,
    });
  });
});

describe('exits with 2', () => {
  test('when the file cannot be read', async () => {
    const { code, err } = await run(['none.yaml', '--to', 'knative']);
    expect([code, err]).toEqual([2, expect.stringMatching(/^none\.yaml:1:1 unreadable /)]);
  });

  test.each([
    [['--to', 'knative'], /^FILE is missing\n/],
    [['good.yaml'], /^--to is needed: serverless-workflow, step-functions, knative\n/],
    [['good.yaml', '--to', 'knativ'], /^there is no format knativ; did you mean knative\?\n/],
    [['good.yaml', '--to', 'constructor'], /^there is no format constructor\n/],
    [['good.yaml', '--to', 'knative', '--sign'], /^there is no option --sign/],
    [[...FULL.slice(0, 3), 'faas', '--to', 'step-functions'], /^"faas" is not a URL of https /],
    [[...FULL, '--to', 'knative', '--dead-letter-sink', 'x'], /^"x" is not a URL of http or https/],
  ])('for %j', async (args, message) => {
    const { code, out, err } = await run(args);
    expect([code, out, err]).toEqual([2, '', expect.stringMatching(message)]);
    expect(err).toContain('Usage: ');
  });
});

test('--help tells how to use it', async () => {
  expect(await run(['-h'])).toEqual({ code: 0, out: expect.stringMatching(/^Usage: /), err: '' });
});
