/** One setting, read without compiling: what it is and what is said of it is what Ajv makes of the same words. */
import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import fc from 'fast-check';
import type { Setting } from '../../shared/config';
import { readValue } from '../../shared/config/value';
import { formats } from '../../shared/schema/formats';

const ajv = new Ajv({ allErrors: true, strict: false, coerceTypes: true });
for (const [name, format] of Object.entries(formats)) ajv.addFormat(name, format);

/** The value, or the first mistake. */
const byAjv = ({ description, ...schema }: Setting, raw: unknown): unknown => {
  const holder = { value: raw };
  const validate = ajv.compile({ type: 'object', properties: { value: schema } });
  if (validate(holder)) return holder.value;
  const { keyword, params, message } = validate.errors?.[0] ?? {};
  return {
    error: keyword === 'enum' ? `must be one of ${params?.allowedValues.join(', ')}` : message,
  };
};

const DESCRIPTION = { description: 'A setting.' };
const number = fc.integer({ min: -20, max: 20 });
const settings: fc.Arbitrary<Setting> = fc.oneof(
  fc
    .record(
      { type: fc.constantFrom('integer', 'number'), minimum: number, maximum: number },
      { requiredKeys: ['type'] },
    )
    .map((setting) => ({ ...setting, ...DESCRIPTION }) as Setting),
  fc.constant<Setting>({ type: 'boolean', ...DESCRIPTION }),
  fc
    .record(
      {
        format: fc.constant('email' as const),
        pattern: fc.constantFrom('^a', '^\\d+$', '\\p{L}'),
        enum: fc.constantFrom(['a', 'b'], ['1']),
      },
      { requiredKeys: [] },
    )
    .map((setting) => ({ type: 'string' as const, ...setting, ...DESCRIPTION })),
);

const texts = fc.oneof(
  fc.constantFrom(
    'true',
    'false',
    'TRUE',
    'toString',
    '0',
    '1',
    'yes',
    'a',
    'b',
    'ü',
    'a@example.com',
  ),
  fc.constantFrom('-0', '+5', '.5', '5.', '1e1', '0x10', '0b11', '1_0', '007', '3.5', 'NaN', '--1'),
  number.map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.string({ minLength: 1 }),
);

/** As an environment has it: trimmed, and never empty. */
const raws = texts.map((text) => text.trim()).filter((text) => text !== '');

test('is read as Ajv would read it', () => {
  fc.assert(
    fc.property(settings, raws, (setting, raw) => {
      fc.pre(!raw.includes('Infinity'));
      const read = readValue(setting, raw);
      expect([setting, raw, 'error' in read ? read : read.value]).toEqual([
        setting,
        raw,
        byAjv(setting, raw),
      ]);
    }),
    { numRuns: 3_000 },
  );
});

describe('more strictly than Ajv', () => {
  test.each(['Infinity', '-Infinity', '1e999'])('%s is no number', (text) => {
    for (const type of ['integer', 'number'] as const)
      expect(readValue({ type, ...DESCRIPTION }, text)).toEqual({ error: `must be ${type}` });
  });
});

describe('of our own formats', () => {
  const read = (format: NonNullable<Setting['format']>, text: string) =>
    readValue({ type: 'string', format, ...DESCRIPTION }, text);

  test('a duration is in milliseconds', () => {
    expect(read('duration', '1.5s')).toEqual({ value: 1500 });
    expect(read('duration', '10')).toEqual({ error: 'must be a duration such as 10s' });
  });

  test('a list is its elements', () => {
    expect(read('list', ' a, b ,,c')).toEqual({ value: ['a', 'b', 'c'] });
  });

  test('a URL is of the web', () => {
    expect(read('uri', 'https://a.example/b')).toEqual({ value: 'https://a.example/b' });
    expect(read('uri', 'ftp://a.example')).toEqual({ error: 'must be an http or https URL' });
  });

  test('a default may stand as it is', () => {
    expect(readValue({ type: 'integer', minimum: 1, ...DESCRIPTION }, 3)).toEqual({ value: 3 });
    expect(readValue({ type: 'boolean', ...DESCRIPTION }, false)).toEqual({ value: false });
  });
});
