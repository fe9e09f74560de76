/** Every rule for a pipeline document in one place: all that is wrong with it at once. */
import type { Environment } from '../config';
import type { Schema } from '../schema';
import { type Finding, quote } from './finding';
import { checkGraph } from './graph-rules';
import { checkShape } from './shape';
import { sketch } from './sketch';
import { checkDurations, checkReach, checkTarget } from './step-rules';
import { checkWebhook } from './webhook-rules';

export interface CheckOptions {
  /** Names of the functions of the suite, without the pipelines. @default not checked: a step may call any */
  readonly functions?: readonly string[];
  /** Names of the pipelines that a step may call as well. @default none */
  readonly pipelines?: readonly string[];
  /** Where webhooks find their URLs and secrets. @default not checked */
  readonly environment?: Environment;
}

export interface CheckDocumentOptions extends CheckOptions {
  /** The name that the file's own name gives it. */
  readonly name: string;
  /** Of the input. @default what pointers find is not checked */
  readonly schema?: Schema | undefined;
}

/** Beyond it the rules of the graph would take long, and the shape has said that it is too many. */
const MAX_STEPS = 100;

export const checkDocument = (
  value: unknown,
  options: CheckDocumentOptions,
): readonly Finding[] => {
  const { name, functions, pipelines = [], environment, schema } = options;
  const shape = checkShape(value);
  const document = sketch(value);
  if (document.steps.length > MAX_STEPS) return shape;
  const known = functions && [...functions, ...pipelines];
  return [
    ...shape,
    ...checkName(document.name, name, functions),
    ...checkGraph(document.steps),
    ...document.steps.flatMap((step) => [
      ...checkTarget(step, { name: document.name, known }),
      ...checkDurations(step),
      ...(schema ? checkReach(step, schema) : []),
      ...(environment ? checkWebhook(step, environment) : []),
    ]),
  ];
};

const checkName = (
  name: string | undefined,
  expected: string,
  functions: readonly string[] = [],
): readonly Finding[] => {
  if (name === undefined) return [];
  const pointer = '/name';
  if (name !== expected)
    return [
      {
        pointer,
        code: 'name_mismatch',
        message: `${quote(name)} must be ${quote(expected)}, the name of the file`,
      },
    ];
  return functions.includes(name)
    ? [{ pointer, code: 'name_taken', message: `there is a function ${quote(name)} already` }]
    : [];
};
