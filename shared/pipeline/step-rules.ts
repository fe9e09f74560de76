/** What holds for each step by itself: where it goes, how long it may take, what it can find in the input. */
import { parseDuration } from '../duration';
import { didYouMean } from '../nearest';
import { checkPointer, pointerTokens } from '../pointer';
import { pointerToken, type Schema } from '../schema';
import { type Finding, isRecord, quote } from './finding';
import { STEP_DEFAULTS } from './pipeline';
import { type StepSketch, textOf } from './sketch';

export interface Targets {
  /** The pipeline's own name. */
  readonly name: string | undefined;
  /** All that a step may call. @default any */
  readonly known: readonly string[] | undefined;
}

export const checkTarget = (step: StepSketch, { name, known }: Targets): readonly Finding[] => {
  const { pointer, fields } = step;
  const target = textOf(fields.function);
  if ('function' in fields === 'webhook' in fields)
    return [
      {
        pointer,
        part: 'name',
        code: 'bad_target',
        message: `${quote(step.name)} must have ${'function' in fields ? 'one of function and webhook, not both' : 'a function or a webhook'}`,
      },
    ];
  if (target === undefined) return [];
  const at = `${pointer}/function`;
  if (target === name)
    return [{ pointer: at, code: 'calls_itself', message: `${quote(target)} calls itself` }];
  if (known === undefined || known.includes(target)) return [];
  const hint = didYouMean(target, known) || `; there are ${[...known].sort().join(', ')}`;
  return [
    {
      pointer: at,
      code: 'unknown_function',
      message: `there is no function ${quote(target)}${hint}`,
    },
  ];
};

/** ms. A longer wait is no retry but a schedule, and no platform holds a call open for longer. */
const LONGEST = {
  timeout: [600_000, '10m'],
  backoff: [3_600_000, '1h'],
  maxBackoff: [86_400_000, '24h'],
} as const;

export const checkDurations = ({ pointer, fields }: StepSketch): readonly Finding[] => {
  const retry = isRecord(fields.retry) ? fields.retry : {};
  const read = (value: unknown) => (typeof value === 'string' ? parseDuration(value) : undefined);
  const backoff = read(retry.backoff);
  const maxBackoff = read(retry.maxBackoff);
  const given = [
    ['timeout', `${pointer}/timeout`, read(fields.timeout)],
    ['backoff', `${pointer}/retry/backoff`, backoff],
    ['maxBackoff', `${pointer}/retry/maxBackoff`, maxBackoff],
  ] as const;
  const findings = given.flatMap(([field, at, ms]): Finding[] => {
    const [longest, text] = LONGEST[field];
    if (ms === undefined || (ms >= 1 && ms <= longest)) return [];
    return [
      { pointer: at, code: 'out_of_bounds', message: `${field} must be from 1ms to ${text}` },
    ];
  });
  const [first, last] = [
    backoff ?? STEP_DEFAULTS.retry.backoff,
    maxBackoff ?? STEP_DEFAULTS.retry.maxBackoff,
  ];
  if (findings.length > 0 || first <= last) return findings;
  const at = `${pointer}/retry/${maxBackoff === undefined ? 'backoff' : 'maxBackoff'}`;
  return [
    {
      pointer: at,
      code: 'out_of_bounds',
      message: `maxBackoff (${last}ms) must not be below backoff (${first}ms)`,
    },
  ];
};

/** A pointer into a schema that is closed, to a field that it does not have: a step that never runs, or a gap in its input. */
export const checkReach = ({ pointer, fields }: StepSketch, schema: Schema): readonly Finding[] => {
  const map = isRecord(fields.input) ? fields.input : {};
  const pointers = [
    [`${pointer}/when`, fields.when] as const,
    ...Object.keys(map).map(
      (name) => [`${pointer}/input/${pointerToken(name)}`, map[name]] as const,
    ),
  ];
  return pointers.flatMap(([at, text]): Finding[] => {
    if (typeof text !== 'string' || checkPointer(text) !== undefined) return [];
    const missing = findMissing(schema, pointerTokens(text));
    if (!missing) return [];
    const hint = didYouMean(missing.name, missing.known);
    return [
      {
        pointer: at,
        code: 'unknown_input_field',
        message: `the input can have no field ${quote(missing.name)}${hint}`,
      },
    ];
  });
};

/** Keywords that can allow a field which `properties` does not name. */
const OPENINGS = ['$ref', 'allOf', 'anyOf', 'oneOf', 'if', 'patternProperties'];

const findMissing = (
  schema: unknown,
  [name, ...rest]: readonly string[],
): { readonly name: string; readonly known: readonly string[] } | undefined => {
  if (name === undefined || !isRecord(schema) || schema.type !== 'object') return undefined;
  if (OPENINGS.some((keyword) => Object.hasOwn(schema, keyword))) return undefined;
  const properties = isRecord(schema.properties) ? schema.properties : {};
  if (Object.hasOwn(properties, name)) return findMissing(properties[name], rest);
  return schema.additionalProperties === false
    ? { name, known: Object.keys(properties) }
    : undefined;
};
