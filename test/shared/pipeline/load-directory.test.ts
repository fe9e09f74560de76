import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadDirectory, loadFiles } from '../../../shared/pipeline/load-directory';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pipelines-'));
  write('input.schema.json', '{ "type": "object" }');
});

afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array) => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), content);
};

const pipeline = (name: string, calls = 'create-user') =>
  `name: ${name}\nsummary: A pipeline.\ninput: input.schema.json\nsteps:\n  call: { function: ${calls} }\n`;

const load = (functions = ['create-user']) => {
  const { pipelines, mistakes } = loadDirectory(folder, { functions });
  return {
    names: pipelines.map(({ name }) => name),
    mistakes: mistakes.map(
      ({ file, line, column, code }) => `${path.relative(folder, file)}:${line}:${column} ${code}`,
    ),
  };
};

describe('a folder', () => {
  test('gives the pipelines of its yaml and yml files by name, and looks at nothing else', () => {
    write('b.yml', pipeline('b'));
    write('a.yaml', pipeline('a'));
    write('c.yaml.bak', 'junk: [');
    write('deeper/d.yaml', pipeline('wrong'));
    expect(load()).toEqual({ names: ['a', 'b'], mistakes: [] });
  });

  test('gives those that are fine beside the mistakes of the others', () => {
    write('a.yaml', pipeline('a'));
    write('b.yaml', pipeline('b', 'nope'));
    write('c.yaml', 'name: [');
    expect(load()).toEqual({
      names: ['a'],
      mistakes: ['b.yaml:5:21 unknown_function', 'c.yaml:1:8 yaml_syntax'],
    });
  });

  test('may be empty', () => {
    expect(load()).toEqual({ names: [], mistakes: [] });
  });

  test('that cannot be read is a mistake that says why', () => {
    for (const [name, reason] of [
      ['none', 'does not exist'],
      ['input.schema.json', 'is not a folder'],
    ] as const) {
      const missing = path.join(folder, name);
      expect(loadDirectory(missing)).toEqual({
        pipelines: [],
        mistakes: [
          {
            file: missing,
            line: 1,
            column: 1,
            code: 'unreadable',
            message: `${JSON.stringify(missing)} ${reason}`,
            severity: 'error',
          },
        ],
      });
    }
  });

  test('refuses a second file of the same name', () => {
    write('a.yaml', pipeline('a'));
    write('a.yml', pipeline('a', 'nope'));
    expect(load()).toEqual({
      names: ['a'],
      mistakes: ['a.yml:5:21 unknown_function', 'a.yml:1:7 duplicate_name'],
    });
  });

  test('refuses a pipeline with the name of a function', () => {
    write('create-user.yaml', pipeline('create-user', 'email-user'));
    expect(load(['create-user', 'email-user']).mistakes).toEqual([
      'create-user.yaml:1:7 name_taken',
    ]);
  });
});

describe('pipelines that call pipelines', () => {
  test('know those beside them', () => {
    write('a.yaml', pipeline('a', 'b'));
    write('b.yaml', pipeline('b'));
    expect(load()).toEqual({ names: ['a', 'b'], mistakes: [] });
    const { mistakes } = loadFiles([path.join(folder, 'a.yaml')], { functions: [] });
    expect(mistakes).toEqual([]);
  });

  test('must not come back to themselves; the message says how they would', () => {
    write('a.yaml', pipeline('a', 'b'));
    write('b.yaml', pipeline('b', 'c'));
    write('c.yaml', pipeline('c', 'a'));
    write('d.yaml', pipeline('d'));
    expect(load()).toEqual({ names: ['d'], mistakes: ['a.yaml:5:21 calls_itself'] });
    expect(loadDirectory(folder).mistakes[0]?.message).toBe(
      'these pipelines start each other, for ever: a -> b (by call) -> c (by call) -> a (by call); take one of these out',
    );
  });
});

describe('pipelines that start each other by events', () => {
  const head = (name: string, fields: string) =>
    pipeline(name).replace('steps:', `${fields}\nsteps:`);

  test('may follow one another, and one event may start several', () => {
    write('a.yaml', head('a', 'emits: { type: a.done }'));
    write('b.yaml', head('b', 'on: { type: a.done }'));
    write('c.yaml', head('c', 'on: { type: a.done }\nemits: { type: c.done }'));
    expect(load()).toEqual({ names: ['a', 'b', 'c'], mistakes: [] });
  });

  test('must not come back to themselves; the message says by which events', () => {
    write('a.yaml', head('a', 'on: { type: b.done }\nemits: { type: a.done }'));
    write('b.yaml', head('b', 'on: { type: a.done }\nemits: { type: b.done }'));
    write('c.yaml', head('c', 'on: { type: a.done }'));
    expect(load()).toEqual({ names: ['c'], mistakes: ['a.yaml:5:16 calls_itself'] });
    expect(loadDirectory(folder).mistakes[0]?.message).toBe(
      'these pipelines start each other, for ever: a -> b (by event "a.done") -> a (by event "b.done"); take one of these out',
    );
  });

  test('nor by an event there and a call back', () => {
    write('a.yaml', pipeline('a', 'b'));
    write('b.yaml', head('b', 'emits: { type: b.done }'));
    write('c.yaml', head('c', 'on: { type: b.done }').replace('create-user', 'a'));
    expect(load()).toEqual({ names: [], mistakes: ['a.yaml:5:21 calls_itself'] });
    expect(loadDirectory(folder).mistakes[0]?.message).toContain(
      'a -> b (by call) -> c (by event "b.done") -> a (by call)',
    );
  });

  test('nor by what undoes a step', () => {
    write('a.yaml', pipeline('a').replace('create-user }', 'create-user, undo: { function: b } }'));
    write('b.yaml', pipeline('b', 'a'));
    expect(load()).toEqual({ names: [], mistakes: ['a.yaml:5:52 calls_itself'] });
  });
});

describe('a file', () => {
  test.each([
    ['that is a folder', () => mkdirSync(path.join(folder, 'a.yaml')), 'is not a file'],
    ['that is not UTF-8', () => write('a.yaml', Buffer.from([0x6e, 0xff])), 'is not UTF-8'],
    [
      'that is huge',
      () => write('a.yaml', Buffer.alloc(1_048_577, '#')),
      'is larger than 1048576 bytes',
    ],
  ])('%s cannot be read', (_, make, reason) => {
    make();
    expect(loadDirectory(folder).mistakes).toMatchObject([
      { code: 'unreadable', message: `${JSON.stringify(path.join(folder, 'a.yaml'))} ${reason}` },
    ]);
  });

  test('that is not there cannot be read', () => {
    expect(loadFiles([path.join(folder, 'none.yaml')]).mistakes).toMatchObject([
      { code: 'unreadable' },
    ]);
  });

  test('names its schema relative to itself', () => {
    write('a.yaml', pipeline('a').replace('input.schema.json', 'schemas/a.json'));
    expect(load().mistakes).toEqual(['a.yaml:3:8 missing_input_schema']);
    write('schemas/a.json', '{ "type": "nope" }');
    expect(load().mistakes).toEqual(['schemas/a.json:1:11 invalid_schema']);
    write('schemas/a.json', '{ "type": "object" }');
    expect(load()).toEqual({ names: ['a'], mistakes: [] });
  });
});
