/** Whether a document has the shape of a pipeline, by the JSON Schema that editors use too. */
import pipelineSchema from '../../pipelines/pipeline.schema.json';
import type { InputError } from '../failure';
import { didYouMean } from '../nearest';
import { checkPointer, pointerTokens, readPointer } from '../pointer';
import { compile } from '../schema';
import { type Finding, quote } from './finding';

const check = compile(pipelineSchema);

const NAME_RULE = 'must hold a-z, 0-9 and -, begin with a letter and have at most 63 characters';
const VARIABLE_RULE = 'must be the name of an environment variable, such as CRM_WEBHOOK_URL';
const DURATION_RULE = 'must be a duration such as 10s';

/** What a text must be that does not match the pattern of its field. */
const PATTERN_RULES: Readonly<Record<string, readonly [code: string, rule: string]>> = {
  name: ['bad_name', NAME_RULE],
  function: ['bad_name', NAME_RULE],
  input: ['bad_file_name', 'must be the relative name of a .json file'],
  webhook: ['bad_variable', VARIABLE_RULE],
  secret: ['bad_variable', VARIABLE_RULE],
  timeout: ['bad_duration', DURATION_RULE],
  backoff: ['bad_duration', DURATION_RULE],
  maxBackoff: ['bad_duration', DURATION_RULE],
};

export const checkShape = (value: unknown): readonly Finding[] =>
  check(value).flatMap((error) => toFinding(error, value));

const toFinding = ({ pointer, message }: InputError, value: unknown): readonly Finding[] => {
  const tokens = pointerTokens(pointer);
  const field = tokens.at(-1) ?? 'a pipeline';
  const around = pointer.slice(0, pointer.lastIndexOf('/'));
  if (message === 'is not known here') return [notKnown(pointer, tokens)];
  // Which of the two a step must have is told once, with the targets.
  if (message.startsWith('must match exactly one schema in oneOf')) return [];
  if (message === 'is required') {
    if (tokens[0] === 'steps' && (field === 'function' || field === 'webhook')) return [];
    return [
      { pointer: around, part: 'name', code: 'missing_field', message: `${field} is required` },
    ];
  }
  if (message.startsWith('must have property webhook'))
    return [
      {
        pointer: `${pointer}/secret`,
        part: 'name',
        code: 'misplaced_field',
        message: 'a secret belongs to a webhook',
      },
    ];
  if (
    message.startsWith('must match pattern') ||
    (message === 'must be string' && isDuration(tokens))
  )
    return [notMatching(pointer, tokens, value)];
  if (message.startsWith('must NOT have duplicate'))
    return [{ pointer, code: 'duplicate_item', message: `${field} names something twice` }];
  if (pointer === '/steps' && message.startsWith('must NOT have more'))
    return [
      {
        pointer,
        part: 'name',
        code: 'too_many_steps',
        message: 'a pipeline has at most 100 steps',
      },
    ];
  if (pointer === '/steps' && message.startsWith('must NOT have fewer'))
    return [
      { pointer, part: 'name', code: 'no_steps', message: 'a pipeline has at least one step' },
    ];
  return [{ pointer, code: 'invalid_value', message: `${field} ${message}` }];
};

const notKnown = (pointer: string, tokens: readonly string[]): Finding => {
  const name = tokens.at(-1) as string;
  if (tokens.length === 2)
    return { pointer, part: 'name', code: 'bad_name', message: `the name of a step ${NAME_RULE}` };
  if (tokens.length === 4 && tokens[2] === 'input')
    return {
      pointer,
      part: 'name',
      code: 'bad_name',
      message: `${quote(name)} cannot be the name of a member`,
    };
  const { properties, definitions } = pipelineSchema;
  const step = definitions.step.properties;
  const known =
    tokens.length === 1 ? properties : tokens.length === 3 ? step : step.retry.properties;
  const hint = didYouMean(name, Object.keys(known));
  return {
    pointer,
    part: 'name',
    code: 'unknown_field',
    message: `there is no field ${quote(name)}${hint}`,
  };
};

/** A bare number is a duration without its unit. */
const isDuration = ([, , field, inner]: readonly string[]): boolean =>
  (inner === undefined && field === 'timeout') ||
  (field === 'retry' && (inner === 'backoff' || inner === 'maxBackoff'));

const notMatching = (pointer: string, tokens: readonly string[], value: unknown): Finding => {
  const field = tokens.at(-1) as string;
  const isInside = tokens.length === 4 && tokens[2] !== 'retry';
  const [code, rule] = (isInside ? undefined : PATTERN_RULES[field]) ?? ['bad_pointer', ''];
  if (code !== 'bad_pointer') return { pointer, code, message: `${field} ${rule}` };
  return {
    pointer,
    code,
    message: checkPointer(String(readPointer(value, pointer))) ?? 'not a JSON Pointer',
  };
};
