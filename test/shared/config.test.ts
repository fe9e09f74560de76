import { describe, expect, test } from '@jest/globals';
import { explainMistakes, readConfig, type Settings } from '../../shared/config';

const settings = {
  A_TEXT: { type: 'string', description: 'Text.', default: 'x' },
  A_NUMBER: { type: 'integer', minimum: 1, maximum: 9, description: 'A number.', default: 3 },
  A_FLAG: { type: 'boolean', description: 'A flag.' },
  A_TIME: { type: 'string', format: 'duration', description: 'A time.', default: '10s' },
  A_LIST: { type: 'string', format: 'list', description: 'A list.' },
  A_URL: { type: 'string', format: 'uri', description: 'A URL.', required: 'production' },
  A_SECRET: { type: 'string', secret: true, pattern: '^sec_', description: 'A secret.' },
  A_MUST: { type: 'string', description: 'A must.', required: 'always' },
} as const satisfies Settings;

const read = (environment: Record<string, string>, production = false) =>
  readConfig(settings, environment, { production });

test('values come in their types, defaults fill in, what is unset is absent', () => {
  const { config, mistakes } = read({
    A_NUMBER: '7',
    A_FLAG: 'true',
    A_TIME: '1.5s',
    A_LIST: ' a, b ,,c',
    A_MUST: 'm',
  });
  expect(mistakes).toEqual([]);
  expect(config).toEqual({
    A_TEXT: 'x',
    A_NUMBER: 7,
    A_FLAG: true,
    A_TIME: 1500,
    A_LIST: ['a', 'b', 'c'],
    A_MUST: 'm',
  });
});

test('an empty variable counts as unset', () => {
  expect(read({ A_NUMBER: '', A_MUST: ' ' }).mistakes).toEqual([
    { name: 'A_MUST', message: 'is required: A must.' },
  ]);
});

test('every mistake is found at once, and no secret is shown', () => {
  const { mistakes } = read({
    A_NUMBER: '10',
    A_FLAG: 'maybe',
    A_TIME: 'soon',
    A_URL: 'ftp://x',
    A_SECRET: 'canary',
  });
  expect(mistakes.map(({ name }) => name)).toEqual([
    'A_NUMBER',
    'A_FLAG',
    'A_TIME',
    'A_URL',
    'A_SECRET',
    'A_MUST',
  ]);
  const text = explainMistakes(mistakes);
  expect(text).toMatch(/^6 settings are wrong or missing:\n {2}A_NUMBER {2}must be <= 9, is "10"/);
  expect(text).not.toMatch(/canary/);
});

describe('required in production', () => {
  test('is no mistake in development', () => expect(read({ A_MUST: 'm' }).mistakes).toEqual([]));
  test('is one in production', () =>
    expect(read({ A_MUST: 'm' }, true).mistakes).toEqual([
      { name: 'A_URL', message: 'is required in production: A URL.' },
    ]));
});

test.each(['0x10', '1e3', ' ', '3.5', 'NaN'])('%j is no integer', (text) => {
  const { mistakes, config } = read({ A_NUMBER: text, A_MUST: 'm' });
  expect(mistakes.length + (config.A_NUMBER === 3 ? 1 : 0)).toBeGreaterThan(0);
});
