/** The table of differences is as the contract of hosts has them, and each row says why. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { HOST_CASES } from '../contracts/host';
import { HOST_DIFFERENCES } from '../contracts/host-differences';
import { ROOT } from './copy';
import { PAGE, withDifferences } from './differences';

const page = readFileSync(path.join(ROOT, PAGE), 'utf8');
const rows = page
  .split(/<!-- \/?differences\b.*-->/)[1]
  ?.split('\n')
  .filter((line) => /^\| [^-]/.test(line))
  .slice(1);

test('docs/deploy.md has the differences that the contract knows; else: node test/docs/write-differences.mjs', () => {
  expect(page).toBe(withDifferences(page));
});

test('each difference has its row, and an explanation', () => {
  expect(rows).toHaveLength(HOST_DIFFERENCES.length);
  for (const { what, why } of HOST_DIFFERENCES) {
    expect(what).toMatch(/\S{2,}.*\.$/s);
    expect(why).toMatch(/\S{2,}.*\.$/s);
  }
});

test('cases that are named are cases of the contract', () => {
  const names = HOST_CASES.map(({ name }) => name);
  for (const { cases = [] } of HOST_DIFFERENCES)
    expect(names).toEqual(expect.arrayContaining([...cases]));
});

test('a page that tells of a difference that is none any more is stale', () => {
  const stale = page.replace('<!-- /differences -->', '| a | b | c | d |\n\n<!-- /differences -->');
  expect(withDifferences(stale)).toBe(page);
  expect(() => withDifferences('# No markers\n')).toThrow(/no markers/);
});
