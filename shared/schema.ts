/** The one Ajv: JSON Schemas in, mistakes with JSON Pointers out. */
import Ajv, { type ErrorObject, type Options } from 'ajv';
import { parseDuration } from './duration';
import { Failure, type InputError } from './failure';
import { MAIL_ADDRESS } from './mail-address';

/** A JSON Schema (draft 7, as Ajv reads it). */
export type Schema = Readonly<Record<string, unknown>>;

/** More than one wants to read; a hostile value can have one for every few of its bytes. */
const MAX_ERRORS = 100;

/** The mistakes of a value, `MAX_ERRORS` at most; none: it matches. */
export type Check = (value: unknown) => readonly InputError[];

const create = (options: Options = {}): Ajv => {
  // ownProperties: `required: ['toString']` must not be satisfied by what every object inherits.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    ownProperties: true,
    ...options,
  });
  for (const keyword of ['example', 'secret', 'requiredIn', 'x-generate']) ajv.addKeyword(keyword);
  ajv.addFormat('email', MAIL_ADDRESS);
  ajv.addFormat('uri', {
    type: 'string',
    validate: (text: string) => /^https?:$/.test(parseUrl(text)?.protocol ?? ''),
  });
  ajv.addFormat('date', { type: 'string', validate: (text) => isDateTime(`${text}T00:00:00Z`) });
  ajv.addFormat('date-time', { type: 'string', validate: isDateTime });
  ajv.addFormat('uuid', /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i);
  ajv.addFormat('duration', {
    type: 'string',
    validate: (text: string) => parseDuration(text) !== undefined,
  });
  ajv.addFormat('list', true);
  return ajv;
};

/** RFC 3339 section 5.6, calendar included. */
export const isDateTime = (text: string): boolean => {
  const [, year, month, day] =
    /^(\d{4})-(\d\d)-(\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.exec(
      text,
    ) ?? [];
  if (!year) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
};

const parseUrl = (text: string): URL | undefined => {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
};

let strict: Ajv | undefined;
let coercing: Ajv | undefined;

/** Compiles at the first use of the check, so that importing a function costs nothing; that throws a TypeError for a bad schema. */
export const compile = (
  schema: Schema,
  { coerce = false }: { readonly coerce?: boolean } = {},
): Check => {
  let check: Check | undefined;
  return (value) => {
    if (!check) {
      if (coerce) coercing ??= create({ coerceTypes: true });
      else strict ??= create();
      check = compileWith((coerce ? coercing : strict) as Ajv, schema);
    }
    return check(value);
  };
};

/**
 * Compiles a schema that others wrote, at once. It need not name a type beside every keyword, and its `$id` is its
 * own affair; an unknown keyword or format is a mistake still. Throws a TypeError for a bad schema.
 */
export const compileForeign = (schema: Schema): Check =>
  compileWith(create({ strictTypes: false, strictRequired: false, strictTuples: false }), schema);

const compileWith = (ajv: Ajv, schema: Schema): Check => {
  let validate: ReturnType<Ajv['compile']>;
  try {
    validate = ajv.compile(schema);
  } catch (thrown) {
    throw new TypeError(`not a schema: ${(thrown as Error).message}`, { cause: thrown });
  }
  // Such a schema answers with a promise, which would pass for a yes.
  if ('$async' in validate) throw new TypeError('not a schema: $async is not taken');
  return (value) =>
    validate(value) ? [] : (validate.errors ?? []).slice(0, MAX_ERRORS).map(toInputError);
};

/** Throws `invalid_input` with every mistake. */
export const assertValid = (check: Check, value: unknown): void => {
  const errors = check(value);
  if (errors.length > 0) throw new Failure('invalid_input', { errors });
};

const toInputError = ({ keyword, instancePath, params, message }: ErrorObject): InputError => {
  if (keyword === 'required')
    return {
      pointer: `${instancePath}/${pointerToken(params.missingProperty)}`,
      message: 'is required',
    };
  if (keyword === 'additionalProperties')
    return {
      pointer: `${instancePath}/${pointerToken(params.additionalProperty)}`,
      message: 'is not known here',
    };
  if (keyword === 'enum')
    return { pointer: instancePath, message: `must be one of ${params.allowedValues.join(', ')}` };
  return { pointer: instancePath, message: message ?? 'is not valid' };
};

/** One token of a JSON Pointer (RFC 6901 section 4). */
export const pointerToken = (token: string): string =>
  token.replaceAll('~', '~0').replaceAll('/', '~1');
