import { describe, expect, test } from '@jest/globals';
import { didYouMean, nearest } from '../../shared/nearest';

describe('nearest', () => {
  test.each([
    ['requird', ['required', 'retry'], 'required'],
    ['create-usr', ['create-user', 'email-user'], 'create-user'],
    ['wehn', ['when', 'webhook'], undefined],
    ['whn', ['when', 'webhook'], 'when'],
    ['a', ['b', 'c'], undefined],
    ['ab', ['b', 'c'], 'b'],
    ['colour', ['after', 'when'], undefined],
    ['', ['a'], undefined],
    ['x'.repeat(100_000), ['after'], undefined],
    ['after', [], undefined],
  ])('of %j among %j is %j', (word, known, expected) => {
    expect(nearest(word, known)).toBe(expected);
  });

  test('is the nearest of several, and the first of those that are as near', () => {
    expect(nearest('stept', ['steppe', 'step', 'steps'])).toBe('step');
  });
});

test('a very long word costs nothing', () => {
  const known = Array.from({ length: 300 }, (_, i) => `function-${i}`);
  const start = performance.now();
  expect(nearest('x'.repeat(200_000), known)).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(500);
});

test('didYouMean is the end of a sentence, or nothing', () => {
  expect(didYouMean('requird', ['required'])).toBe('; did you mean required?');
  expect(didYouMean('colour', ['required'])).toBe('');
});

test.each(['\u0000reate-user', 'create\u202euser', 'create\u2028user'])(
  'no advice is a name that a terminal would act on: %j',
  (name) => {
    expect(didYouMean('create-user', [name])).toBe('');
    expect(didYouMean('create-user', [name, 'create-users'])).toBe('; did you mean create-users?');
  },
);
