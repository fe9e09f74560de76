/** Pointers and conditions in jq and JSONata find what ours find, in every one of the values that could trip them up. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { jqPointer, jqWhen } from '../../../shared/pipeline/export/jq';
import { jsonataPointer, jsonataWhen } from '../../../shared/pipeline/export/jsonata';
import { isPresent } from '../../../shared/pipeline/next';
import { readPointer } from '../../../shared/pointer';
import { PEERS_TIMEOUT, providePeers } from '../../support/peers';
import { realJq } from './export/jq';
import { NAMES, POINTERS, SCALARS, VALUES } from './export/pipelines';
import type { StatesEngine } from './export/states-engine';

/** Each value at each name, and as the whole input. */
const INPUTS: readonly unknown[] = [
  ...VALUES,
  ...NAMES.flatMap((name) => VALUES.map((value) => ({ [name]: value }))),
];

let jq: ReturnType<typeof realJq>;
let jsonata: StatesEngine['jsonata'];

beforeAll(async () => {
  const load = await providePeers('export');
  jq = realJq(load);
  jsonata = load('jsonata');
}, PEERS_TIMEOUT);

/** What is found, in an array; or an empty one. */
const ours = (pointer: string) =>
  INPUTS.map((input) => [readPointer(input, pointer)].filter((value) => value !== undefined));

const inJsonata = async (expression: string): Promise<unknown[]> => {
  const compiled = jsonata(expression);
  const found = await Promise.all(INPUTS.map((input) => compiled.evaluate(undefined, { input })));
  return JSON.parse(JSON.stringify(found.map((value) => (value === undefined ? [] : [value]))));
};

describe.each(POINTERS)('%s', (pointer) => {
  test('in jq', async () => {
    expect(await jq(INPUTS, `map([${jqPointer('.', pointer)}])`)).toEqual(ours(pointer));
    expect(await jq(INPUTS, `map(${jqWhen('.', pointer)})`)).toEqual(
      ours(pointer).map(([value]) => isPresent(value)),
    );
  });

  test('in JSONata', async () => {
    expect(await inJsonata(jsonataPointer('$input', pointer))).toEqual(ours(pointer));
    expect(await inJsonata(jsonataWhen('$input', pointer))).toEqual(
      ours(pointer).map(([value]) => [isPresent(value)]),
    );
  });
});

test.each(['/a', '/list/0', '/constructor'])('%s, equal to a value', async (pointer) => {
  for (const equals of SCALARS) {
    const when = { pointer, equals };
    const expected = ours(pointer).map((found) => found.length > 0 && found[0] === equals);
    expect(await jq(INPUTS, `map(${jqWhen('.', when)})`)).toEqual(expected);
    expect(await inJsonata(jsonataWhen('$input', when))).toEqual(expected.map((is) => [is]));
  }
});
