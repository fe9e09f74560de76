import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import fc from 'fast-check';
import { findMissing, insertInto } from '../../../functions/add-defaults/complete';
import { readShape } from '../../../functions/add-defaults/shape';
import type { Schema } from '../../../shared/schema';

const complete = (schema: Schema, text: string): string =>
  insertInto(
    text,
    findMissing(text, readShape(schema), (generator) => `a new ${generator}`),
  );

describe('defaults come from', () => {
  const color = { default: 'blue' };
  test.each<[string, Schema, string, string]>([
    ['properties', { properties: { color } }, '{}', '{"color":"blue"}'],
    [
      'properties in the order of the schema',
      { properties: { b: { default: 1 }, a: { default: null }, c: { default: false } } },
      '{"x":0}',
      '{"x":0,"b":1,"a":null,"c":false}',
    ],
    ['x-generate', { properties: { id: { 'x-generate': 'uuid' } } }, '{}', '{"id":"a new uuid"}'],
    [
      'a $ref within the schema',
      {
        properties: { color: { $ref: '#/definitions/a~1b%20c' } },
        definitions: { 'a/b c': color },
      },
      '{}',
      '{"color":"blue"}',
    ],
    [
      'beside a $ref before behind it',
      {
        properties: { color: { $ref: '#/definitions/color', default: 'red' } },
        definitions: { color },
      },
      '{}',
      '{"color":"red"}',
    ],
    [
      'every part of allOf',
      {
        allOf: [{ properties: { a: { default: 1 } } }, { $ref: '#/definitions/b' }],
        definitions: { b: { properties: { b: { default: 2 } } } },
      },
      '{"c":3}',
      '{"c":3,"a":1,"b":2}',
    ],
    [
      'two schemas of one member, for what each of them lacks',
      {
        allOf: [
          { properties: { in: { properties: { a: { default: 1 } } } } },
          { properties: { in: { properties: { b: { default: 2 } } } } },
        ],
      },
      '{"in":{}}',
      '{"in":{"a":1,"b":2}}',
    ],
    [
      'each item',
      { items: { properties: { color } } },
      '[{},1,{}]',
      '[{"color":"blue"},1,{"color":"blue"}]',
    ],
    [
      'a list of items and what is behind it',
      {
        items: [{ properties: { a: { default: 1 } } }],
        additionalItems: { properties: { color } },
      },
      '[{},{},{}]',
      '[{"a":1},{"color":"blue"},{"color":"blue"}]',
    ],
    [
      'additionalProperties and patternProperties, for what they hold',
      {
        properties: { own: {} },
        patternProperties: { '^p': { properties: { p: { default: 1 } } } },
        additionalProperties: { properties: { other: { default: 2 } } },
      },
      '{"own":{},"p1":{},"z":{}}',
      '{"own":{},"p1":{"p":1},"z":{"other":2}}',
    ],
    [
      'within a default',
      { properties: { in: { default: { a: 1 }, properties: { color } } } },
      '{}',
      '{"in":{"a":1,"color":"blue"}}',
    ],
    [
      'a recursive schema, as deep as the document goes',
      {
        $ref: '#/definitions/node',
        definitions: {
          node: { properties: { left: { $ref: '#/definitions/node' }, n: { default: 0 } } },
        },
      },
      '{"left":{"left":{}}}',
      '{"left":{"left":{"n":0},"n":0},"n":0}',
    ],
    [
      'a schema that leads back to itself',
      { properties: { color }, allOf: [{ $ref: '#' }] },
      '{}',
      '{"color":"blue"}',
    ],
    [
      'a default within itself, once',
      { properties: { child: { $ref: '#', default: {} } } },
      '{}',
      '{"child":{"child":{}}}',
    ],
  ])('%s', (_, schema, text, whole) => {
    expect(complete(schema, text)).toBe(whole);
  });
});

describe('defaults do not come from', () => {
  const given = { properties: { a: { default: 1 } } };
  test.each<[string, Schema, string]>([
    [
      'a branch that may not hold',
      { anyOf: [given], oneOf: [given], if: given, else: given, not: given },
      '{}',
    ],
    ['dependencies', { dependencies: { b: given } }, '{"b":1}'],
    ['a parent that is missing', { properties: { in: given } }, '{}'],
    ['a missing item', { items: [{ default: 1 }] }, '[]'],
    ['what every object inherits', { properties: { toString: { type: 'string' } } }, '{}'],
    ['another kind of value', given, '[]'],
    ['a null that was sent', given, '{"a":null}'],
  ])('%s', (_, schema, text) => {
    expect(complete(schema, text)).toBe(text);
  });

  test('the prototype: a member called toString or constructor is missing until it is sent', () => {
    const schema = { properties: { toString: { default: 1 }, constructor: { default: 2 } } };
    expect(complete(schema, '{}')).toBe('{"toString":1,"constructor":2}');
    expect(complete(schema, '{"constructor":{}}')).toBe('{"constructor":{},"toString":1}');
  });
});

describe('a schema is refused', () => {
  test.each<[string, Schema, RegExp]>([
    ['with a $ref that leads out', { $ref: 'https://other.test/s.json#/a' }, /leads out/],
    ['with a $ref that leads nowhere', { items: { $ref: '#/definitions/a' } }, /leads nowhere/],
    ['deep inside too', { additionalProperties: { items: [{ $ref: '#/a' }] } }, /leads nowhere/],
    ['with an unknown generator', { properties: { a: { 'x-generate': 'password' } } }, /password/],
    ['with two wishes', { properties: { a: { 'x-generate': 'now', default: 1 } } }, /not both/],
  ])('%s', (_, schema, message) => {
    expect(() => readShape(schema)).toThrow(TypeError);
    expect(() => readShape(schema)).toThrow(message);
  });
});

/** Objects and lists with some of the members that the schema knows, and others. */
const documents = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.integer(), fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'list', 'in', 'zz', '"'), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

const SCHEMA: Schema = {
  allOf: [{ properties: { a: { default: 'from allOf' } } }],
  properties: {
    a: {},
    b: { default: [{ x: 1 }] },
    in: { $ref: '#/definitions/in' },
    list: { items: { $ref: '#/definitions/in' } },
  },
  definitions: {
    in: {
      properties: {
        in: { $ref: '#' },
        b: { default: { deep: null }, properties: { a: { default: 1.5 } } },
      },
    },
  },
};

describe('a completed text', () => {
  const spaced = fc
    .tuple(documents, fc.constantFrom(0, 2, '\t', '\r\n '))
    .map(([value, space]) => JSON.stringify(value, null, space));

  test('says what another implementation of the defaults says', () => {
    // allErrors: no mistake elsewhere keeps a default back.
    const ajv = new Ajv({ useDefaults: true, strict: false, allErrors: true });
    const fill = ajv.compile(SCHEMA);
    fc.assert(
      fc.property(spaced, (text) => {
        const holder = JSON.parse(text);
        fill(holder);
        expect(JSON.parse(complete(SCHEMA, text))).toEqual(holder);
      }),
      { numRuns: 1000 },
    );
  });

  test('without what was put in is the text that was sent', () => {
    fc.assert(
      fc.property(spaced, (text) => {
        const missing = findMissing(text, readShape(SCHEMA), String);
        const whole = insertInto(text, missing);
        let rest = whole;
        let shift = 0;
        for (const { at, text: inserted } of missing) {
          expect(whole.slice(at + shift, at + shift + inserted.length)).toBe(inserted);
          rest = rest.slice(0, at) + rest.slice(at + inserted.length);
          shift += inserted.length;
        }
        expect(rest).toBe(text);
      }),
    );
  });

  test('lacks nothing any more', () => {
    fc.assert(
      fc.property(spaced, (text) => {
        const whole = complete(SCHEMA, text);
        expect(complete(SCHEMA, whole)).toBe(whole);
      }),
    );
  });
});
