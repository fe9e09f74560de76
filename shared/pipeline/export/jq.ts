/** Expressions in jq, the language of Serverless Workflow: each gives exactly what we find, and nothing where we find nothing. */
import { pointerTokens } from '../../pointer';
import type { Step } from '../pipeline';
import { parseReference } from '../reference';

/** As it stands in a document. */
export const expression = (jq: string): string => `\${ ${jq} }`;

/** A filter that gives the value at a JSON Pointer, or no value; also null is one. */
export const jqPointer = (source: string, pointer: string): string =>
  [source, ...pointerTokens(pointer).map(member)].join(' | ');

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Never of the other kind: a name finds nothing in an array. */
const member = (token: string): string => {
  const key = text(token);
  const named = `objects | select(has(${key})) | .[${key}]`;
  return INDEX.test(token)
    ? `((${named}), (arrays | select(length > ${token}) | .[${token}]))`
    : named;
};

/** JSON is jq, but for `\(`, which JSON never writes: a backslash is written twice. */
const text = (value: unknown): string => JSON.stringify(value);

export const jqWhen = (source: string, when: NonNullable<Step['when']>): string =>
  typeof when === 'string'
    ? `[${jqPointer(source, when)}] | any(. != null and . != false and . != "" and . != [] and . != {})`
    : `[${jqPointer(source, when.pointer)}] == [${text(when.equals)}]`;

/** An object of those members that are found. */
export const jqObject = (members: Readonly<Record<string, string>>): string =>
  `[${Object.entries(members)
    .map(([name, found]) => `(${found} | {${text(name)}: .})`)
    .join(', ')}] | add // {}`;

/** `answers` gives the filter for what was kept of a step's answer, an object by pointer. */
export const jqBody = (
  input: string,
  answers: (step: string) => string,
  map: Step['input'],
): string => {
  if (map === undefined) return input;
  return jqObject(
    Object.fromEntries(
      Object.entries(map).map(([name, reference]) => {
        const { step, pointer } = parseReference(reference) ?? { pointer: reference };
        return [
          name,
          step === undefined
            ? jqPointer(input, pointer)
            : `${answers(step)} | ${asMember(pointer)}`,
        ];
      }),
    ),
  );
};

const asMember = (name: string): string =>
  `objects | select(has(${text(name)})) | .[${text(name)}]`;
