/** The architecture, as assertions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { catalogue } from '../functions';
import type { Settings } from '../shared/config';
import type { AnyFunction } from '../shared/define';
import { MISPLACED_IMPORTS, misplaced } from './support/imports';

const ROOT = path.resolve(__dirname, '..');
const functionNames = readdirSync(path.join(ROOT, 'functions'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const sources = ['functions', 'shared'].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file)),
);

describe('imports point inward', () => {
  test.each(sources)('%s', (file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    expect(misplaced(file, text, builtinModules)).toEqual([]);
  });

  test.each(MISPLACED_IMPORTS)('%s may not say %s', (file, line) => {
    expect(misplaced(file, line, builtinModules)).toHaveLength(1);
  });
});

describe('every function', () => {
  test('has a catalogue line, and every line has a folder', () => {
    expect(Object.keys(catalogue).sort()).toEqual([...functionNames].sort());
    const text = readFileSync(path.join(ROOT, 'functions/index.ts'), 'utf8');
    for (const name of functionNames)
      expect(text).toMatch(
        new RegExp(`^ +'?${name}'?: \\(\\) => import\\('\\./${name}'\\),$`, 'm'),
      );
  });

  test.each(functionNames)('%s has a test', (name) => {
    const tests = [`test/functions/${name}.test.ts`, `test/functions/${name}`];
    expect(tests.some((file) => existsSync(path.join(ROOT, file)))).toBe(true);
  });

  test.each(functionNames)('%s has a row in the README', (name) => {
    expect(readFileSync(path.join(ROOT, 'README.md'), 'utf8')).toMatch(
      new RegExp(`^\\| \\[?\`${name}\``, 'm'),
    );
  });

  test.each(functionNames)(
    '%s declares itself: its own name, its own variables, a summary for each route',
    async (name) => {
      const declaration = (await catalogue[name]?.())?.default as AnyFunction;
      expect(declaration.name).toBe(name);
      const prefix = `${name.toUpperCase().replaceAll('-', '_')}_`;
      expect(
        Object.entries(declaration.config as Settings)
          .filter(([variable, { shared }]) => !variable.startsWith(prefix) && !shared)
          .map(([variable]) => variable),
      ).toEqual([]);
      expect(Object.keys(declaration.routes).length).toBeGreaterThan(0);
      for (const route of Object.values(declaration.routes as Record<string, { summary: string }>))
        expect(route.summary).toMatch(/^\S.*\.$/);
      for (const setting of Object.values(
        declaration.config as Record<string, { description: string }>,
      ))
        expect(setting.description).toMatch(/^\S.*\.$/);
    },
  );
});

test('the top level holds what belongs there and nothing else', () => {
  const allowed = [
    'functions',
    'shared',
    'pipelines',
    'test',
    'deploy',
    'bench',
    'docs',
    'serverless.yml',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'README.md',
    'LICENSE',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'node_modules',
    'dist',
    'coverage',
  ];
  const found = readdirSync(ROOT).filter(
    (name) => !name.startsWith('.') && !allowed.includes(name),
  );
  expect(found).toEqual([]);
});

test('no test is skipped, focused or left for later', () => {
  const tests = readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.test.ts'),
  );
  const marks = new RegExp(
    `\\b(?:test|it|describe)\\.(?:${['skip', 'only', 'todo', 'failing'].join('|')})\\b`,
  );
  expect(
    tests.filter((file) => marks.test(readFileSync(path.join(ROOT, 'test', file), 'utf8'))),
  ).toEqual([]);
});
