import { describe, expect, test } from '@jest/globals';
import { assertValid, compile, compileForeign, isDateTime } from '../../shared/schema';

describe('a schema', () => {
  test('gives every mistake with its JSON Pointer', () => {
    const check = compile({
      type: 'object',
      required: ['a/b'],
      properties: { 'a/b': {}, list: { type: 'array', items: { enum: [1, 2] } } },
      additionalProperties: false,
    });
    expect(check({ list: [1, 3], 'x~y': 1 })).toEqual([
      { pointer: '/a~1b', message: 'is required' },
      { pointer: '/x~0y', message: 'is not known here' },
      { pointer: '/list/1', message: 'must be one of 1, 2' },
    ]);
    expect(check({ 'a/b': 1 })).toEqual([]);
  });

  test('stops listing at a hundred mistakes', () => {
    const check = compile({ type: 'array', items: { type: 'string' } });
    expect(check(Array(10_000).fill(0))).toHaveLength(100);
  });

  test('is not satisfied by what every object inherits', () => {
    const check = compile({
      type: 'object',
      properties: { toString: {} },
      required: ['toString'],
    });
    expect(check({})).toEqual([{ pointer: '/toString', message: 'is required' }]);
  });

  test('throws invalid_input with the mistakes', () => {
    const check = compile({ type: 'string' });
    expect(() => assertValid(check, 1)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        errors: [{ pointer: '', message: 'must be string' }],
      }),
    );
  });

  test.each([
    ['2026-02-28', true],
    ['2026-02-29', false],
    ['2024-02-29', true],
    ['2026-1-1', false],
    ['2026-01-01T00:00:00Z', false],
  ])('takes the date %s: %s', (date, valid) => {
    expect(compile({ type: 'string', format: 'date' })(date).length === 0).toBe(valid);
    expect(isDateTime(`${date}T12:00:00+01:00`)).toBe(valid);
  });

  test('is compiled at the first use, and refused with a TypeError', () => {
    const check = compile({ type: 'nothing' });
    expect(() => check(1)).toThrow(TypeError);
  });
});

describe('a schema that others wrote', () => {
  test('need not name a type beside every keyword', () => {
    const check = compileForeign({ required: ['b'], properties: { a: { minimum: 1 } } });
    expect(check({ a: 0, b: 1 })).toEqual([{ pointer: '/a', message: 'must be >= 1' }]);
  });

  test('may be compiled again under the same $id', () => {
    const schema = () => ({ $id: 'https://schemas.test/a', type: 'string' });
    compileForeign(schema());
    expect(compileForeign(schema())('x')).toEqual([]);
  });

  test.each([
    ['an unknown keyword', { propertees: {} }, /propertees/],
    ['an unknown format', { type: 'string', format: 'ipv9' }, /ipv9/],
    ['a $ref to elsewhere', { $ref: 'https://other.test/s' }, /other\.test/],
    ['$async', { $async: true, type: 'string' }, /\$async/],
  ])('is refused at once for %s', (_, schema, message) => {
    expect(() => compileForeign(schema)).toThrow(TypeError);
    expect(() => compileForeign(schema)).toThrow(message);
  });
});
