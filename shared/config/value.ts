/**
 * One environment variable by its declaration, without compiling it: at the edge nothing may make code of text, and a
 * start that has a few dozen of them to read need not. What is wrong is told in the words of Ajv.
 */
import type { Setting } from '../config';
import { parseDuration } from '../duration';
import { formats } from '../schema/formats';

export type ReadValue = { readonly value: unknown } | { readonly error: string };

/** `raw`: the text, or a default as it would stand there. A text counts as the number or boolean that it spells. */
export const readValue = (setting: Setting, raw: unknown): ReadValue => {
  const { type, format } = setting;
  const value = coerce(type, raw);
  const error =
    value === undefined
      ? `must be ${type}`
      : (enumError(setting, value) ?? boundsError(setting, value));
  if (error) return { error: (format && HINTS[format]) ?? error };
  if (format === 'duration') return { value: parseDuration(String(value)) };
  if (format === 'list') return { value: elements(String(value)) };
  return { value };
};

/** What to say of these formats, whatever it is that is wrong. */
const HINTS: Readonly<Partial<Record<NonNullable<Setting['format']>, string>>> = {
  duration: 'must be a duration such as 10s',
  uri: 'must be an http or https URL',
};

const coerce = (type: Setting['type'], raw: unknown): unknown => {
  if (type === 'string') return String(raw);
  if (type === 'boolean') return FLAGS.get(`${raw}`);
  const number = typeof raw === 'string' && raw.trim() === '' ? Number.NaN : Number(raw);
  const isOne = type === 'integer' ? Number.isInteger(number) : Number.isFinite(number);
  return isOne ? number : undefined;
};

/** A Map, so that no text finds what every object inherits. */
const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

const boundsError = (setting: Setting, value: unknown): string | undefined => {
  const { minimum, maximum, pattern, format } = setting;
  if (typeof value === 'number') {
    if (maximum !== undefined && value > maximum) return `must be <= ${maximum}`;
    if (minimum !== undefined && value < minimum) return `must be >= ${minimum}`;
  }
  if (typeof value !== 'string') return undefined;
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value))
    return `must match pattern "${pattern}"`;
  if (format !== undefined && !isOfFormat(format, value)) return `must match format "${format}"`;
  return undefined;
};

const enumError = ({ enum: values }: Setting, value: unknown): string | undefined =>
  values && !values.includes(value as string) ? `must be one of ${values.join(', ')}` : undefined;

const isOfFormat = (name: string, text: string): boolean => {
  const format = formats[name];
  if (format === undefined || format === true) return true;
  return format instanceof RegExp ? format.test(text) : format.validate(text);
};

/** Between commas, trimmed; empty ones are none. */
const elements = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
