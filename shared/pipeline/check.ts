/** Every rule for a pipeline document in one place: all that is wrong with it at once. */
import type { Environment } from '../config';
import type { Schema } from '../schema';
import { checkDurations } from './duration-rules';
import { type Finding, quote } from './finding';
import { checkGraph } from './graph-rules';
import { checkReach } from './input-reach';
import { checkReferences } from './reference-rules';
import { checkShape } from './shape';
import { callsOf, type Sketch, sketch, textOf } from './sketch';
import { checkRates, checkTarget } from './step-rules';
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
  const calls = callsOf(document);
  return [
    ...shape,
    ...checkName(document.name, name, functions),
    ...checkEvents(document),
    ...checkGraph(document.steps),
    ...calls.flatMap((call) => checkTarget(call, { name: document.name, known })),
    ...checkReferences(document),
    ...checkDurations(document),
    ...checkRates(document.steps),
    ...(schema ? calls.flatMap((call) => checkReach(call, schema)) : []),
    ...(environment ? document.steps.flatMap((step) => checkWebhook(step, environment)) : []),
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
    ? [
        {
          pointer,
          code: 'name_taken',
          message: `there is a function ${quote(name)} already: rename the file and its pipeline`,
        },
      ]
    : [];
};

const checkEvents = ({ on, emits }: Sketch): readonly Finding[] => {
  const type = textOf(emits?.fields.type);
  if (type === undefined || type !== on) return [];
  return [
    {
      pointer: '/emits/type',
      code: 'calls_itself',
      message: `each run would start the next, for ever: ${quote(type)} is what starts this pipeline; emit another type`,
    },
  ];
};
