import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkReference, parseReference, readReference } from '../../../shared/pipeline/reference';

describe('parseReference', () => {
  test.each([
    ['/email', { pointer: '/email' }],
    ['', { pointer: '' }],
    ['create-user#/id', { step: 'create-user', pointer: '/id' }],
    ['create-user#', { step: 'create-user', pointer: '' }],
    ['a#/b#/c', { step: 'a', pointer: '/b#/c' }],
    ['/a#/b', { pointer: '/a#/b' }],
    ['a#/x\ny', { step: 'a', pointer: '/x\ny' }],
  ])('takes %j apart', (text, reference) => {
    expect(parseReference(text)).toEqual(reference);
    expect(checkReference(text)).toBeUndefined();
  });

  test.each([
    ['email', 'a reference is a JSON Pointer into the input, such as /email, or'],
    ['create-user', 'such as create-user#/id'],
    ['create-user#id', 'such as create-user#/id'],
    ['#/id', 'such as create-user#/id'],
    ['Create#/id', 'such as create-user#/id'],
    ['a #/id', 'such as create-user#/id'],
    [`${'a'.repeat(64)}#/id`, 'such as create-user#/id'],
    ['a#/~', '~ is written ~0'],
    ['/~2', '~ is written ~0'],
  ])('knows that %j is none, and why', (text, why) => {
    expect(parseReference(text)).toBeUndefined();
    expect(checkReference(text)).toContain(why);
    expect(() => readReference(text, { input: {}, answers: () => undefined })).toThrow(TypeError);
  });

  test('agrees with its explanation about any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '-', '#', '/', '~', '~0', '1', 'B', ' '), { maxLength: 6 }),
        (parts) => {
          const text = parts.join('');
          expect(parseReference(text) === undefined).toBe(checkReference(text) !== undefined);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('readReference', () => {
  const sources = {
    input: { email: 'ada@example.com', items: [1] },
    answers: (step: string) =>
      step === 'create' ? { '/id': 7, '': { id: 7, name: 'ada' }, '/none': null } : undefined,
  };

  test.each([
    ['/email', 'ada@example.com'],
    ['/items/0', 1],
    ['/nope', undefined],
    ['create#/id', 7],
    ['create#', { id: 7, name: 'ada' }],
    ['create#/none', null],
    ['other#/id', undefined],
  ])('finds at %j %j', (text, value) => {
    expect(readReference(text, sources)).toEqual(value);
  });

  test('finds of an answer only what was kept under this very pointer', () => {
    expect(readReference('create#/name', sources)).toBeUndefined();
  });

  test('finds nothing that is inherited', () => {
    const answers = () => Object.create({ '/id': 7 });
    expect(readReference('create#/id', { input: {}, answers })).toBeUndefined();
  });
});
