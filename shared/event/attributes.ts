/**
 * The attributes of a CloudEvent and their rules (CloudEvents 1.0.2, Context Attributes), the same however it travels.
 *
 * Fails closed: SDKs give out events that are not valid (no id, any specversion), so all is checked here.
 */
import { Failure, type InputError } from '../failure';
import { isDateTime, pointerToken } from '../schema';

export interface Attributes {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly time?: string;
}

/** Decoded, by name; a value that could not be decoded is `undefined`. */
export type GivenAttributes = ReadonlyMap<string, unknown>;

/** Throws `invalid_event` with every mistake; `more` are those that were found elsewhere. */
export const checkAttributes = (
  given: GivenAttributes,
  more: readonly InputError[] = [],
): Attributes => {
  const errors = [...more, ...mistakesIn(given)].slice(0, MAX_MISTAKES);
  if (errors.length > 0) throw new Failure('invalid_event', { errors });
  const { id, source, type, subject, time } = Object.fromEntries(given) as Record<string, string>;
  return {
    id: id as string,
    source: source as string,
    type: type as string,
    ...(subject !== undefined && { subject }),
    ...(time !== undefined && { time }),
  };
};

/** A hostile envelope can hold one for every few of its bytes. */
const MAX_MISTAKES = 100;
const REQUIRED = ['specversion', 'id', 'source', 'type'];

const mistakesIn = (given: GivenAttributes): readonly InputError[] => [
  ...REQUIRED.filter((name) => !given.has(name)).map((name) => mistake(name, 'is required')),
  ...[...given].flatMap(([name, value]) => {
    const message = mistakeOf(name, value);
    return message === undefined ? [] : [mistake(name, message)];
  }),
];

/** Names longer than any that is taken are cut, so that an answer stays short. */
const mistake = (name: string, message: string): InputError => ({
  pointer: `/${pointerToken(name.slice(0, 100))}`,
  message,
});

const mistakeOf = (name: string, value: unknown): string | undefined => {
  const rule = CORE.get(name);
  if (rule) return typeof value === 'string' && rule.isValid(value) ? undefined : rule.message;
  if (!/^[a-z0-9]{1,64}$/.test(name)) return 'extension names hold a-z and 0-9 only';
  if (name === 'data') return 'cannot be the name of an attribute';
  return isExtension(value) ? undefined : 'must be a boolean, an integer or a string';
};

const NAME = 'must be 1 to 255 characters without control characters';
/** Type System, String: no controls, no lone surrogates, no noncharacters. */
const isName = (value: string): boolean =>
  /^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]{1,255}$/u.test(value);

/** RFC 3986 section 4.1, by its character set: no spaces, controls, quotes or broken escapes. */
const isUriReference = (value: string): boolean =>
  /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\da-f]{2}){1,1024}$/i.test(value);

/** RFC 3986 section 3: a reference that begins with a scheme. */
const isUri = (value: string): boolean =>
  /^[a-z][a-z\d+.-]*:/i.test(value) && isUriReference(value);

/** RFC 2046: type, subtype, and parameters that nobody here reads. */
const isMediaType = (value: string): boolean =>
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127} *(?:;[\t\x20-\x7e]{0,255})?$/.test(value);

/** A Map, so that no name finds what every object inherits. */
const CORE: ReadonlyMap<
  string,
  { readonly isValid: (value: string) => boolean; readonly message: string }
> = new Map([
  ['specversion', { isValid: (value) => value === '1.0', message: 'must be 1.0' }],
  ['id', { isValid: isName, message: NAME }],
  ['source', { isValid: isUriReference, message: 'must be a URI-reference' }],
  ['type', { isValid: isName, message: NAME }],
  ['subject', { isValid: isName, message: NAME }],
  ['time', { isValid: isDateTime, message: 'must be a time of RFC 3339' }],
  ['datacontenttype', { isValid: isMediaType, message: 'must be a media type' }],
  ['dataschema', { isValid: isUri, message: 'must be a URI' }],
]);

/** Type System: Boolean, Integer (32 bits, signed) and String; the other types are written as strings. */
const isExtension = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  (typeof value === 'number' && (value | 0) === value) ||
  (typeof value === 'string' && /^[^\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]*$/u.test(value));
