/** The one Ajv: JSON Schemas in, mistakes with JSON Pointers out. */
import Ajv, { type ErrorObject } from 'ajv';
import { parseDuration } from './duration';
import { Failure, type InputError } from './failure';

/** A JSON Schema (draft 7, as Ajv reads it). */
export type Schema = Readonly<Record<string, unknown>>;

/** All mistakes of a value; none: it matches. */
export type Check = (value: unknown) => readonly InputError[];

const EMAIL =
  /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?=.{1,253}$)[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)+$/i;

const create = (coerceTypes: boolean): Ajv => {
  // ownProperties: `required: ['toString']` must not be satisfied by what every object inherits.
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    ownProperties: true,
    coerceTypes,
  });
  for (const keyword of ['example', 'secret', 'requiredIn', 'generate', 'x-generate'])
    ajv.addKeyword(keyword);
  ajv.addFormat('email', EMAIL);
  ajv.addFormat('uri', {
    type: 'string',
    validate: (text: string) => /^https?:$/.test(parseUrl(text)?.protocol ?? ''),
  });
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

/** Compiles at the first use of the check, so that importing a function costs nothing. Throws a TypeError for a bad schema. */
export const compile = (
  schema: Schema,
  { coerce = false }: { readonly coerce?: boolean } = {},
): Check => {
  let validate: ReturnType<Ajv['compile']> | undefined;
  return (value) => {
    if (!validate) {
      if (coerce) coercing ??= create(true);
      else strict ??= create(false);
      validate = ((coerce ? coercing : strict) as Ajv).compile(schema);
    }
    return validate(value) ? [] : (validate.errors ?? []).map(toInputError);
  };
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
