/**
 * Checks a value by a JSON Schema that says no more than what is used here, without compiling it: at the edge nothing may
 * make code of text. What it finds is what Ajv finds (shared/schema), in the same words.
 */
import type { InputError } from '../failure';

export interface PlainSchema {
  readonly type: string | readonly string[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: PlainSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, PlainSchema>>;
  /** false, or of what all others are. @default anything */
  readonly additionalProperties?: false | PlainSchema;
}

/** All mistakes, each with its JSON Pointer; none: it matches. */
export const validate = (schema: PlainSchema, value: unknown): readonly InputError[] => [
  ...find(schema, value, ''),
];

function* find(schema: PlainSchema, value: unknown, pointer: string): Generator<InputError> {
  const types = [schema.type].flat();
  if (!types.some((type) => isA(type, value)))
    yield { pointer, message: `must be ${types.join(',')}` };
  if (schema.enum && !schema.enum.includes(value as string))
    yield { pointer, message: `must be one of ${schema.enum.join(', ')}` };
  if (typeof value === 'number') yield* bounds(schema, value, pointer);
  if (typeof value === 'string') yield* lengths(schema, value, pointer);
  if (Array.isArray(value)) yield* elements(schema, value, pointer);
  else if (isA('object', value)) yield* members(schema, value as object, pointer);
}

const isA = (type: string, value: unknown): boolean => {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object')
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
};

function* bounds({ minimum, maximum }: PlainSchema, value: number, pointer: string) {
  if (minimum !== undefined && value < minimum) yield { pointer, message: `must be >= ${minimum}` };
  if (maximum !== undefined && value > maximum) yield { pointer, message: `must be <= ${maximum}` };
}

/** In characters, not in UTF-16 units. */
function* lengths({ minLength, maxLength }: PlainSchema, value: string, pointer: string) {
  const length = [...value].length;
  if (minLength !== undefined && length < minLength)
    yield { pointer, message: `must NOT have fewer than ${minLength} characters` };
  if (maxLength !== undefined && length > maxLength)
    yield { pointer, message: `must NOT have more than ${maxLength} characters` };
}

function* elements({ maxItems, items }: PlainSchema, value: readonly unknown[], pointer: string) {
  if (maxItems !== undefined && value.length > maxItems)
    yield { pointer, message: `must NOT have more than ${maxItems} items` };
  if (items) for (const [i, one] of value.entries()) yield* find(items, one, `${pointer}/${i}`);
}

function* members(schema: PlainSchema, value: object, pointer: string) {
  const { required = [], properties = {}, additionalProperties } = schema;
  for (const name of required)
    if (!Object.hasOwn(value, name))
      yield { pointer: `${pointer}/${pointerToken(name)}`, message: 'is required' };
  for (const [name, member] of Object.entries(value)) {
    const at = `${pointer}/${pointerToken(name)}`;
    const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (known === false) yield { pointer: at, message: 'is not known here' };
    else if (known) yield* find(known, member, at);
  }
}

/** One token of a JSON Pointer (RFC 6901 section 4). */
export const pointerToken = (token: string): string =>
  token.replaceAll('~', '~0').replaceAll('/', '~1');
