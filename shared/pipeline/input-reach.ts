/** Pointers into the input against its schema: what can never be found, and what can never have the value. */
import { didYouMean } from '../nearest';
import { checkPointer, pointerTokens } from '../pointer';
import { pointerToken, type Schema } from '../schema';
import { type Finding, harmless, isRecord, quote } from './finding';
import { parseReference } from './reference';
import type { CallSketch } from './sketch';

/**
 * A pointer to a field that a closed schema does not have: a step that never runs, or a gap in its body.
 * And a value that the field never has: again a step that never runs.
 */
export const checkReach = (call: CallSketch, schema: Schema): readonly Finding[] =>
  pointersOf(call).flatMap(({ at, text, equals }): readonly Finding[] => {
    if (checkPointer(text) !== undefined) return [];
    const tokens = pointerTokens(text);
    const missing = findMissing(schema, tokens);
    if (missing) {
      const hint = didYouMean(missing.name, missing.known);
      return [
        {
          pointer: at,
          code: 'unknown_input_field',
          message: `the input can have no field ${quote(missing.name)}${hint}`,
        },
      ];
    }
    const allowed = equals && findNever(schema, tokens, equals.value);
    if (!allowed) return [];
    return [
      {
        pointer: equals.at,
        code: 'never_equal',
        message: `by the schema of the input ${text || 'it'} is ${allowed}, never ${show(equals.value)}: the step would never run`,
      },
    ];
  });

interface Place {
  readonly at: string;
  /** JSON Pointer into the input. */
  readonly text: string;
  readonly equals?: { readonly at: string; readonly value: unknown };
}

const pointersOf = ({ pointer, fields }: CallSketch): readonly Place[] => {
  const { when } = fields;
  const map = isRecord(fields.input) ? fields.input : {};
  const at = `${pointer}/when`;
  return [
    ...(typeof when === 'string' ? [{ at, text: when }] : []),
    ...(isRecord(when) && typeof when.pointer === 'string'
      ? [
          {
            at: `${at}/pointer`,
            text: when.pointer,
            ...(isScalar(when.equals) && { equals: { at: `${at}/equals`, value: when.equals } }),
          },
        ]
      : []),
    ...Object.entries(map).flatMap(([name, text]) => {
      const reference = typeof text === 'string' ? parseReference(text) : undefined;
      return reference && reference.step === undefined
        ? [{ at: `${pointer}/input/${pointerToken(name)}`, text: reference.pointer }]
        : [];
    }),
  ];
};

const isScalar = (value: unknown): boolean =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** Keywords that can allow a field which `properties` does not name. */
const OPENINGS = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];

const findMissing = (
  schema: unknown,
  [name, ...rest]: readonly string[],
): { readonly name: string; readonly known: readonly string[] } | undefined => {
  if (name === undefined || !isRecord(schema) || schema.type !== 'object') return undefined;
  if (OPENINGS.some((keyword) => Object.hasOwn(schema, keyword))) return undefined;
  const properties = isRecord(schema.properties) ? schema.properties : {};
  if (Object.hasOwn(properties, name)) return findMissing(properties[name], rest);
  return schema.additionalProperties === false
    ? { name, known: Object.keys(properties) }
    : undefined;
};

/**
 * What a schema says of the value at a place when that can never be this one; `undefined`: it can, or who knows.
 * Keywords only ever narrow, but for `$ref`, beside which draft 7 reads nothing.
 */
const findNever = (
  schema: unknown,
  [name, ...rest]: readonly string[],
  value: unknown,
): string | undefined => {
  if (schema === false) return 'never there';
  if (!isRecord(schema) || Object.hasOwn(schema, '$ref')) return undefined;
  if (name !== undefined) {
    const { type, properties } = schema;
    return type === 'object' && isRecord(properties) && Object.hasOwn(properties, name)
      ? findNever(properties[name], rest, value)
      : undefined;
  }
  if (Object.hasOwn(schema, 'const') && schema.const !== value) return show(schema.const);
  if (Array.isArray(schema.enum) && !schema.enum.includes(value))
    return `one of ${schema.enum.slice(0, MAX_CHOICES).map(show).join(', ')}`;
  const types = [schema.type ?? []].flat();
  return types.length > 0 && !types.some((type) => isOfType(value, type))
    ? types.join(' or ')
    : undefined;
};

const isOfType = (value: unknown, type: unknown): boolean => {
  if (value === null) return type === 'null';
  if (typeof value === 'number')
    return type === 'number' || (type === 'integer' && Number.isInteger(value));
  return type === typeof value;
};

/** A value from a file, for a message: in one line, and short. */
const show = (value: unknown): string => {
  const text = harmless(JSON.stringify(value));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};

const MAX_SHOWN = 60;
const MAX_CHOICES = 20;
