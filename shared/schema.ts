/** JSON Schemas in, mistakes with JSON Pointers out. */
import { Failure, type InputError } from './failure';
import { compileNow } from './schema/compile';
import { compiled, keyOf } from './schema/compiled';
import type { Kind, RawError, Validate } from './schema/kind';

export { isDateTime } from './schema/formats';

/** A JSON Schema (draft 7, as Ajv reads it). */
export type Schema = Readonly<Record<string, unknown>>;

/** More than one wants to read; a hostile value can have one for every few of its bytes. */
const MAX_ERRORS = 100;

/** The mistakes of a value, `MAX_ERRORS` at most; none: it matches. */
export type Check = (value: unknown) => readonly InputError[];

/** Compiles at the first use of the check, so that importing a function costs nothing; that throws a TypeError for a bad schema. */
export const compile = (schema: Schema): Check => {
  const make = makerOf('own', schema);
  let check: Check | undefined;
  return (value) => {
    check ??= checkBy(make());
    return check(value);
  };
};

/**
 * Compiles a schema that others wrote, at once. It need not name a type beside every keyword, and its `$id` is its
 * own affair; an unknown keyword or format is a mistake still. Throws a TypeError for a bad schema.
 */
export const compileForeign = (schema: Schema): Check => checkBy(makerOf('foreign', schema)());

const makerOf = (kind: Kind, schema: Schema): (() => Validate) =>
  compiled.get(keyOf(kind, schema)) ?? (() => compileNow(kind, schema));

const checkBy =
  (validate: Validate): Check =>
  (value) =>
    validate(value) ? NO_ERRORS : (validate.errors ?? []).slice(0, MAX_ERRORS).map(toInputError);

const NO_ERRORS: readonly InputError[] = [];

/** Throws `invalid_input` with every mistake. */
export const assertValid = (check: Check, value: unknown): void => {
  const errors = check(value);
  if (errors.length > 0) throw new Failure('invalid_input', { errors });
};

const toInputError = ({ keyword, instancePath, params, message }: RawError): InputError => {
  if (keyword === 'required')
    return {
      pointer: `${instancePath}/${pointerToken(params.missingProperty as string)}`,
      message: 'is required',
    };
  if (keyword === 'additionalProperties')
    return {
      pointer: `${instancePath}/${pointerToken(params.additionalProperty as string)}`,
      message: 'is not known here',
    };
  if (keyword === 'enum')
    return {
      pointer: instancePath,
      message: `must be one of ${(params.allowedValues as readonly unknown[]).join(', ')}`,
    };
  return { pointer: instancePath, message: message ?? 'is not valid' };
};

/** One token of a JSON Pointer (RFC 6901 section 4). */
export const pointerToken = (token: string): string =>
  token.replaceAll('~', '~0').replaceAll('/', '~1');
