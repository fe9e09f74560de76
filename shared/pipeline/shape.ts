/** Whether a document has the shape of a pipeline, by the JSON Schema that editors use too. */
import pipelineSchema from '../../pipelines/pipeline.schema.json';
import type { InputError } from '../failure';
import { didYouMean } from '../nearest';
import { checkPointer, pointerTokens, readPointer } from '../pointer';
import { compile } from '../schema';
import { type Finding, isRecord, quote } from './finding';
import { EMITS } from './pipeline';
import { checkReference } from './reference';
import { shapeNode } from './shape-node';

const check = compile(pipelineSchema);

export const checkShape = (value: unknown): readonly Finding[] =>
  check(value).flatMap((error) => toFinding(error, value));

const NAME_RULE = 'must hold a-z, 0-9 and -, begin with a letter and have at most 63 characters';

type Rule = readonly [code: string, rule: string];

const FILE_RULE: Rule = ['bad_file_name', 'must be the relative name of a .json file'];

/** What a text must be that does not match the pattern of its definition. */
const PATTERN_RULES: Readonly<Record<string, Rule>> = {
  name: ['bad_name', NAME_RULE],
  variable: [
    'bad_variable',
    'must be the name of an environment variable, such as CRM_WEBHOOK_URL',
  ],
  duration: ['bad_duration', 'must be a duration such as 10s'],
  eventType: [
    'bad_event_type',
    'must be 1 to 200 visible ASCII characters without a space, such as order.placed',
  ],
};

/** How those fields are written that are easily taken for a text. */
const OBJECTS: Readonly<Record<string, string>> = {
  on: '{ type: user.signed-up }',
  emits: '{ type: order.placed }',
  wait: '{ for: order.approved, timeout: 2d }',
  undo: '{ function: delete-user }',
  retry: '{ attempts: 5 }',
};

const TARGETS = ['function', 'webhook', 'wait'];

/** What the parts of an either-or say together; told once, in other words, by another finding. */
const isEcho = (message: string): boolean =>
  message.startsWith('must match exactly one schema in oneOf') ||
  /^must match "(then|else)" schema$/.test(message);

const toFinding = ({ pointer, message }: InputError, value: unknown): readonly Finding[] => {
  const tokens = pointerTokens(pointer);
  const field = tokens.at(-1) ?? 'a pipeline';
  const around = pointer.slice(0, pointer.lastIndexOf('/'));
  const invalid = (text: string): readonly Finding[] => [
    { pointer, code: 'invalid_value', message: `${field} ${text}` },
  ];
  if (isEcho(message)) return [];
  if (message === 'is not known here') return [notKnown(pointer, tokens)];
  if (message === 'is required') {
    if (tokens[0] === 'steps' && TARGETS.includes(field)) return [];
    return [
      { pointer: around, part: 'name', code: 'missing_field', message: `${field} is required` },
    ];
  }
  if (message === 'boolean schema is false')
    return isWait(readPointer(value, around)) ? [misplaced(pointer, notOfWait(field))] : [];
  if (message.startsWith('must have property webhook'))
    return [misplaced(`${pointer}/secret`, 'a secret belongs to a webhook')];
  const definition = shapeNode(tokens)?.definition;
  if (
    message.startsWith('must match pattern') ||
    (message === 'must be string' && definition === 'duration')
  )
    return [notMatching(pointer, definition, readPointer(value, pointer))];
  if (message.startsWith('must NOT have duplicate'))
    return [{ pointer, code: 'duplicate_item', message: `${field} names something twice` }];
  if (pointer === '/steps' && message.startsWith('must NOT have'))
    return [countOfSteps(message.startsWith('must NOT have more'))];
  if (field === 'when' && message === 'must be string')
    return invalid('must be a JSON Pointer, or { pointer: /plan, equals: pro }');
  if (field === 'equals' && message.startsWith('must be string'))
    return invalid('must be a text, a number, true, false or null');
  const example = message === 'must be object' ? OBJECTS[field] : undefined;
  return invalid(example ? `must be an object, such as ${example}` : message);
};

const misplaced = (pointer: string, message: string): Finding => ({
  pointer,
  part: 'name',
  code: 'misplaced_field',
  message,
});

/** One that calls as well has been told of that. */
const isWait = (step: unknown): boolean =>
  isRecord(step) && !('function' in step) && !('webhook' in step);

const notOfWait = (field: string): string =>
  field === 'timeout'
    ? 'the timeout of a wait stands inside of it: wait: { for: order.approved, timeout: 2d }'
    : `a step that waits calls nobody: it can have no ${field}`;

const countOfSteps = (isTooMany: boolean): Finding => ({
  pointer: '/steps',
  part: 'name',
  ...(isTooMany
    ? { code: 'too_many_steps', message: 'a pipeline has at most 100 steps' }
    : { code: 'no_steps', message: 'a pipeline has at least one step' }),
});

const notKnown = (pointer: string, tokens: readonly string[]): Finding => {
  const name = tokens.at(-1) as string;
  const at = { pointer, part: 'name' } as const;
  if (tokens.length === 2 && tokens[0] === 'steps')
    return name === EMITS
      ? {
          ...at,
          code: 'reserved_name',
          message: `${EMITS} is the name of the event at the end: give this step another`,
        }
      : { ...at, code: 'bad_name', message: `the name of a step ${NAME_RULE}` };
  const known = shapeNode(tokens.slice(0, -1))?.known;
  return known
    ? {
        ...at,
        code: 'unknown_field',
        message: `there is no field ${quote(name)}${didYouMean(name, known)}`,
      }
    : { ...at, code: 'bad_name', message: `${quote(name)} cannot be the name of a member` };
};

const notMatching = (pointer: string, definition: string | undefined, value: unknown): Finding => {
  const text = String(value);
  if (definition === 'pointer' || definition === 'reference') {
    const explain = definition === 'pointer' ? checkPointer : checkReference;
    return { pointer, code: 'bad_pointer', message: explain(text) ?? 'not a JSON Pointer' };
  }
  const [code, rule] = PATTERN_RULES[definition ?? ''] ?? FILE_RULE;
  return { pointer, code, message: `${pointer.slice(pointer.lastIndexOf('/') + 1)} ${rule}` };
};
