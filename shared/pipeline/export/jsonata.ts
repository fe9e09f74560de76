/** Expressions in JSONata, the language of Step Functions: each gives exactly what we find, and nothing where we find nothing. */
import { pointerTokens } from '../../pointer';
import type { Step } from '../pipeline';
import { parseReference } from '../reference';

const INDEX = /^(?:0|[1-9]\d*)$/;

/** JSON is JSONata. What would be taken for a place to fill in when the whole is deployed is written another way. */
export const jsonataText = (value: unknown): string =>
  JSON.stringify(value).replaceAll('${', '\\u0024{');

/**
 * The value at a JSON Pointer, or nothing; also null is a value. Step by step and never by a path, since those flatten
 * arrays and look into their elements.
 */
export const jsonataPointer = (source: string, pointer: string): string => {
  const tokens = pointerTokens(pointer);
  const steps = tokens.map((token) => `$v := ${member(token)}; `);
  return tokens.length === 0 ? source : `($v := ${source}; ${steps.join('')}$v)`;
};

const member = (token: string): string => {
  const key = jsonataText(token);
  const named = `$type($v) = "object" ? $lookup($v, ${key})`;
  return INDEX.test(token) ? `${named} : $type($v) = "array" ? $v[${token}]` : named;
};

/** Nothing is neither equal nor unequal to anything. */
export const jsonataWhen = (source: string, when: NonNullable<Step['when']>): string => {
  if (typeof when !== 'string') {
    const found = jsonataPointer(source, when.pointer);
    return `($w := ${found}; $w = ${jsonataText(when.equals)})`;
  }
  return `($w := ${jsonataPointer(source, when)}; ${[
    '$type($w) = "array" ? $count($w) > 0',
    '$type($w) = "object" ? $count($keys($w)) > 0',
    '$w != null and $w != false and $w != ""',
  ].join(' : ')})`;
};

/** An object; a member without a value is left out by JSONata. */
export const jsonataObject = (members: Readonly<Record<string, string>>): string =>
  `{${Object.entries(members)
    .map(([name, found]) => `${jsonataText(name)}: ${found}`)
    .join(', ')}}`;

/** `answers` gives the expression for what was kept of a step's answer, an object by pointer. */
export const jsonataBody = (
  input: string,
  answers: (step: string) => string,
  map: Step['input'],
): string => {
  if (map === undefined) return input;
  return jsonataObject(
    Object.fromEntries(
      Object.entries(map).map(([name, reference]) => {
        const { step, pointer } = parseReference(reference) ?? { pointer: reference };
        return [
          name,
          step === undefined
            ? jsonataPointer(input, pointer)
            : `$lookup(${answers(step)}, ${jsonataText(pointer)})`,
        ];
      }),
    ),
  );
};
