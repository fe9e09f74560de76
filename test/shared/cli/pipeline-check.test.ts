import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pipelineCheck } from '../../../shared/cli/pipeline-check';

let cwd: string;

const GOOD =
  'name: good\nsummary: Fine.\ninput: input.schema.json\nsteps:\n  a: { function: create-user }\n  b: { webhook: B_URL, after: [a], required: false }\n';
const BAD =
  'name: bad\nsummary: Not fine.\ninput: input.schema.json\nsteps:\n  a: { function: create-usr }\n  b: { function: create-user, after: [c] }\n';

beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'check-'));
  mkdirSync(path.join(cwd, 'pipelines'));
  write('pipelines/input.schema.json', '{ "type": "object" }');
});

afterEach(() => rmSync(cwd, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(path.join(cwd, name), content);

const run = async (args: readonly string[], env: Record<string, string> = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const code = await pipelineCheck(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env,
    cwd,
    knownFunctions: ['create-user', 'email-user'],
  });
  return { code, out: out.join(''), err: err.join('') };
};

describe('faas-patterns pipeline check', () => {
  test('is content with files without mistakes, and warns of what will be skipped', async () => {
    write('pipelines/good.yaml', GOOD);
    expect(await run([])).toEqual({
      code: 0,
      out: '1 pipeline is fine\n',
      err: 'pipelines/good.yaml:6:17 webhook_not_configured warning: B_URL is not set: "b" will be skipped\n',
    });
  });

  test('tells all mistakes on stderr, one a line, and exits with 1', async () => {
    write('pipelines/good.yaml', GOOD);
    write('pipelines/bad.yaml', BAD);
    const { code, out, err } = await run([]);
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err.split('\n').slice(0, 2)).toEqual([
      'pipelines/bad.yaml:5:18 unknown_function there is no function "create-usr"; did you mean create-user?',
      'pipelines/bad.yaml:6:39 unknown_step there is no step "c"',
    ]);
  });

  test('gives a machine one JSON document on stdout and nothing else', async () => {
    write('pipelines/good.yaml', GOOD);
    write('pipelines/bad.yaml', BAD);
    const { code, out, err } = await run(['--json']);
    expect([code, err]).toEqual([1, '']);
    const { valid, errors, warnings } = JSON.parse(out);
    expect(valid).toBe(false);
    expect(errors).toEqual([
      {
        file: 'pipelines/bad.yaml',
        line: 5,
        column: 18,
        code: 'unknown_function',
        message: expect.any(String),
      },
      {
        file: 'pipelines/bad.yaml',
        line: 6,
        column: 39,
        code: 'unknown_step',
        message: expect.any(String),
      },
    ]);
    expect(warnings).toMatchObject([
      { file: 'pipelines/good.yaml', code: 'webhook_not_configured' },
    ]);
  });

  test('says valid where there are only warnings', async () => {
    write('pipelines/good.yaml', GOOD);
    const { code, out } = await run(['--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      valid: true,
      errors: [],
      warnings: [{ line: 6, column: 17 }],
    });
  });

  test('checks the files that are named and no others', async () => {
    write('pipelines/good.yaml', GOOD);
    write('pipelines/bad.yaml', BAD);
    expect((await run(['pipelines/good.yaml'])).code).toBe(0);
    expect((await run([path.join(cwd, 'pipelines/bad.yaml')])).err).toContain(
      'pipelines/bad.yaml:5:18 ',
    );
    expect((await run(['--', 'pipelines/bad.yaml'])).code).toBe(1);
  });

  test('looks where PIPELINES_DIR says', async () => {
    mkdirSync(path.join(cwd, 'elsewhere'));
    write('elsewhere/bad.yaml', BAD);
    const { code, err } = await run([], { PIPELINES_DIR: './elsewhere' });
    expect(code).toBe(1);
    expect(err).toContain('elsewhere/bad.yaml:3:8 missing_input_schema');
  });

  test('is an error of a required webhook that has no URL here', async () => {
    write('pipelines/good.yaml', GOOD.replace(', required: false', ''));
    expect((await run([])).code).toBe(1);
    const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
    expect((await run([], { B_URL: 'https://b.example.com', WEBHOOK_SECRET: secret })).code).toBe(
      0,
    );
  });

  test.each([
    ['a file that is not there', ['none.yaml'], {}],
    ['a folder that is not there', [], { PIPELINES_DIR: 'none' }],
  ])('exits with 2 for %s', async (_, args, env) => {
    const { code, err } = await run(args, env as Record<string, string>);
    expect(code).toBe(2);
    expect(err).toMatch(/^none(\.yaml)?:1:1 unreadable ".*none(\.yaml)?" does not exist\n$/);
  });

  test.each([['--jsno'], ['-x'], ['--json=yes'], ['--no-json']])(
    'exits with 2 for the option %s',
    async (option) => {
      const { code, out, err } = await run([option]);
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(/^there is no option .*\nUsage: /);
    },
  );

  test('shows its usage', async () => {
    expect(await run(['--help'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Usage: faas-patterns pipeline check/),
    });
  });

  test('keeps one line to a mistake, whatever stands in a file', async () => {
    write('pipelines/bad.yaml', `${BAD}"evil\\n\\e[2J\\x9b2J\\x7f\\L\\Pother.yaml:1:1": 1\n`);
    const { err } = await run([]);
    expect(err.split('\n')).toHaveLength(4);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would act on
    expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/);
  });
});
