/** The schemas that the build compiles beforehand give the same answers as those that Ajv compiles at run time. */
import path from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fillCompiled } from '../../deploy/build/checks';
import { createAjv } from '../../shared/schema/ajv';
import { formats } from '../../shared/schema/formats';
import type { Kind, Validate } from '../../shared/schema/kind';

const ROOT = path.resolve(__dirname, '../..');

const load = async (): Promise<ReadonlyMap<string, () => Validate>> => {
  const compiled = new Map<string, () => Validate>();
  const [formatsImport, ...statements] = (await fillCompiled(ROOT)).split('\n');
  expect(formatsImport).toMatch(/^import \{ formats \}/);
  new Function('compiled', 'formats', 'require', statements.join('\n'))(compiled, formats, require);
  return compiled;
};

/** Values near to what the schemas speak of, and any others. */
const values = fc.oneof(
  fc.anything({ withNullPrototype: false }),
  fc.dictionary(
    fc.constantFrom('value', 'name', 'color', 'email', 'username', 'user', 'steps', 'toString'),
    fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constantFrom('8080', '10s', 'ada@example.com', 'https://example.com', 'debug', '', null),
    ),
  ),
);

const answerOf = (validate: Validate, value: unknown) => {
  const copy = structuredClone(value);
  return { valid: validate(copy), errors: validate.errors, copy };
};

test('there are some of every kind, and each answers as Ajv does', async () => {
  const compiled = await load();
  const kinds = [...compiled.keys()].map((key) => key.split(' ')[0]);
  expect(new Set(kinds)).toEqual(new Set(['own', 'foreign']));
  expect(compiled.size).toBeGreaterThan(10);
  for (const [key, make] of compiled) {
    const [kind, text] = key.split(/ (.*)/s) as [Kind, string];
    const fresh: Validate = createAjv(kind).compile(JSON.parse(text));
    const prepared = make();
    fc.assert(
      fc.property(values, (value) => {
        expect(answerOf(prepared, value)).toEqual(answerOf(fresh, value));
      }),
      { numRuns: 40 },
    );
  }
});
