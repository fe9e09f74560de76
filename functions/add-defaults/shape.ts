/**
 * From a JSON Schema to the defaults it gives, read once.
 *
 * Only what always holds gives defaults: `properties`, `patternProperties`, `additionalProperties`, `items`, and these
 * behind `allOf` and a `$ref` within the schema. `anyOf`, `oneOf`, `not`, `if` and `dependencies` give none: which of
 * them holds is known only when the document is whole. An item that is missing from an array is never added.
 */
import { type JsonNode, parseTree } from '../../shared/json';
import type { Schema } from '../../shared/schema';
import { type Generator, isGenerator } from './generate';

/** JSON text with its nodes. */
export interface Document {
  readonly text: string;
  readonly tree: JsonNode;
}

/** What is put where a member is missing: a value as it stands, or one made for each document. */
export type Absent = Document | { readonly generate: Generator };

/** The schemas that hold for one value, seen as one. */
export interface Shape {
  /** @default none: it stays missing */
  readonly absent?: Absent;
  /** The members that have a default, in the order of the schema. */
  readonly defaults: ReadonlyMap<string, Absent>;
  member(name: string): Shape;
  item(index: number): Shape;
}

/** Where no schema says anything: neither here nor below is anything to put in. */
export const NOTHING: Shape = {
  defaults: new Map(),
  member: () => NOTHING,
  item: () => NOTHING,
};

/**
 * Throws a TypeError for a `$ref` that leads out of the schema or nowhere, an unknown generator,
 * and a `default` beside an `x-generate`.
 */
export const readShape = (root: Schema): Shape => {
  const numbers = new Map<Schema, number>();
  const numberOf = (schema: Schema): number => {
    if (!numbers.has(schema)) numbers.set(schema, numbers.size);
    return numbers.get(schema) as number;
  };
  // The same schemas give the same shape, so that a recursive schema has finitely many.
  const shapes = new Map<string, Shape>();
  const shapeOf = (schemas: readonly unknown[]): Shape => {
    const gathered = new Set<Schema>();
    for (const schema of schemas) gather(root, schema, gathered);
    if (gathered.size === 0) return NOTHING;
    const key = [...gathered].map(numberOf).join();
    let shape = shapes.get(key);
    if (!shape) {
      const parts = [...gathered].map(readPart);
      const members = new Map<string, Shape>();
      const items: Shape[] = [];
      const tuple = Math.max(...parts.map((part) => part.tuple.length));
      const isOpen = parts.some(({ patterns, others }) => patterns.length > 0 || isObject(others));
      const defaults = new Map<string, Absent>();
      const absent = absentOf([...gathered]);
      shape = {
        ...(absent && { absent }),
        defaults,
        member: (name) =>
          members.get(name) ??
          (isOpen ? shapeOf(parts.flatMap((part) => membersAt(part, name))) : NOTHING),
        item: (index) => items[Math.min(index, tuple)] ?? NOTHING,
      };
      // Known before what lies below is read, which may lead back here.
      shapes.set(key, shape);
      for (const name of new Set(parts.flatMap(({ properties }) => Object.keys(properties)))) {
        const member = shapeOf(parts.flatMap((part) => membersAt(part, name)));
        members.set(name, member);
        if (member.absent) defaults.set(name, member.absent);
      }
      for (let i = 0; i <= tuple; i++)
        items.push(shapeOf(parts.map((part) => part.tuple[i] ?? part.items)));
      // A document leads here later; a mistake is found now.
      for (const { patterns, others } of parts)
        shapeOf([...patterns.map(({ schema }) => schema), others]);
    }
    return shape;
  };
  return shapeOf([root]);
};

/** The keywords of one schema that lead down. */
interface Part {
  readonly properties: Schema;
  readonly patterns: readonly { readonly pattern: RegExp; readonly schema: unknown }[];
  /** `additionalProperties` */
  readonly others: unknown;
  /** `items` as a list; else empty */
  readonly tuple: readonly unknown[];
  /** `items`, or `additionalItems` behind a list */
  readonly items: unknown;
}

const readPart = (schema: Schema): Part => {
  const { properties, patternProperties, additionalProperties, items, additionalItems } = schema;
  return {
    properties: isObject(properties) ? properties : {},
    patterns: Object.entries(isObject(patternProperties) ? patternProperties : {}).map(
      ([pattern, below]) => ({ pattern: new RegExp(pattern, 'u'), schema: below }),
    ),
    others: additionalProperties,
    tuple: Array.isArray(items) ? items : [],
    items: Array.isArray(items) ? additionalItems : items,
  };
};

/** As JSON Schema says (draft 7, 6.5.6): `additionalProperties` holds for names that nothing beside it knows. */
const membersAt = ({ properties, patterns, others }: Part, name: string): unknown[] => {
  const known = Object.hasOwn(properties, name) ? [properties[name]] : [];
  for (const { pattern, schema } of patterns) if (pattern.test(name)) known.push(schema);
  return known.length > 0 ? known : [others];
};

/** The schema itself, and all that must hold with it. */
const gather = (root: Schema, schema: unknown, into: Set<Schema>): void => {
  if (!isObject(schema) || into.has(schema)) return;
  into.add(schema);
  if (typeof schema.$ref === 'string') gather(root, resolve(root, schema.$ref), into);
  if (Array.isArray(schema.allOf)) for (const part of schema.allOf) gather(root, part, into);
};

/** A JSON Pointer in a URI fragment (RFC 6901 section 6). */
const resolve = (root: Schema, ref: string): unknown => {
  if (ref !== '#' && !ref.startsWith('#/'))
    throw new TypeError(`the $ref ${JSON.stringify(ref)} leads out of the schema`);
  const tokens = ref
    .slice(2)
    .split('/')
    .map((token) => decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~'));
  let found: unknown = root;
  if (ref.length > 1)
    for (const token of tokens)
      found =
        typeof found === 'object' && found !== null && Object.hasOwn(found, token)
          ? (found as Schema)[token]
          : undefined;
  if (found === undefined) throw new TypeError(`the $ref ${JSON.stringify(ref)} leads nowhere`);
  return found;
};

/** The first that says something wins. */
const absentOf = (parts: readonly Schema[]): Absent | undefined => {
  let first: Absent | undefined;
  for (const part of parts) {
    const generate = part['x-generate'];
    const hasDefault = Object.hasOwn(part, 'default');
    if (generate === undefined && !hasDefault) continue;
    if (generate !== undefined && hasDefault)
      throw new TypeError('a schema may have default or x-generate, not both');
    if (generate !== undefined && !isGenerator(generate))
      throw new TypeError(`there is no x-generate ${JSON.stringify(generate)}`);
    first ??= isGenerator(generate) ? { generate } : asDocument(part.default);
  }
  return first;
};

const asDocument = (value: unknown): Document => {
  const text = JSON.stringify(value);
  return { text, tree: parseTree(text) };
};

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
