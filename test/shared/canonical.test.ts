import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../shared/canonical';

test('members stand in the order of their names, at every depth, and lists as they are', () => {
  expect(canonicalJson({ b: [3, { d: 1, c: 2 }, 1], a: null, é: 1, '': 0 })).toBe(
    '{"":0,"a":null,"b":[3,{"c":2,"d":1},1],"é":1}',
  );
});

test('__proto__ is a member like any other', () => {
  expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"z":1,"a":2}}'))).toBe(
    '{"__proto__":{"a":2,"z":1},"b":1}',
  );
});

/** The same value with its members the other way round. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
};

test('equal values give equal texts, and the text gives the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(reversed(value))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
