/** The JSON Schema of a pipeline's input: strict JSON, a schema that compiles, examples that match it. */
import { Failure } from '../failure';
import { type JsonNode, parseChecked, parseTree } from '../json';
import { pointerTokens } from '../pointer';
import { compile, type Schema } from '../schema';
import type { Position } from './document';
import { type Finding, isRecord } from './finding';

export type SchemaMistake = Position & Pick<Finding, 'code' | 'message'>;

export interface InputSchema {
  /** Without its `$id`: two pipelines may share a file. Absent when it cannot be used. */
  readonly schema?: Schema;
  readonly mistakes: readonly SchemaMistake[];
}

export const readInputSchema = (text: string): InputSchema => {
  let tree: JsonNode;
  try {
    tree = parseTree(text);
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return { mistakes: [notJson(thrown.message)] };
  }
  const value = parseChecked(text);
  if (!isRecord(value))
    return {
      mistakes: [{ line: 1, column: 1, code: 'invalid_schema', message: 'a schema is an object' }],
    };
  const { $id: _, ...schema } = value;
  const mistakes = checkSchema(schema).map(({ pointer, code, message }) => ({
    ...positionOf(startOf(tree, pointerTokens(pointer)), text),
    code,
    message,
  }));
  return mistakes.length > 0 ? { mistakes } : { schema, mistakes };
};

const checkSchema = (schema: Schema): readonly Finding[] => {
  const check = compile(schema);
  try {
    check(null);
  } catch (thrown) {
    return explain(thrown instanceof Error ? thrown.message : String(thrown));
  }
  const examples = Array.isArray(schema.examples) ? schema.examples : [];
  return examples.flatMap((example, i) =>
    check(example).map(({ pointer, message }) => ({
      pointer: `/examples/${i}${pointer}`,
      code: 'bad_example',
      message: `the example does not match the schema: ${pointer || 'it'} ${message}`,
    })),
  );
};

/** The one sentence of a validator as findings: the first that it says of each place. */
const explain = (message: string): readonly Finding[] => {
  const [, list] = /schema is invalid: (data.*)$/s.exec(message) ?? [];
  if (list === undefined) {
    const pointer = /"#(\/[^"]*)"/.exec(message)?.[1] ?? '';
    return [{ pointer: pointer.replace(/~(?![01])/g, '~0'), code: 'invalid_schema', message }];
  }
  const findings = new Map<string, Finding>();
  for (const part of list.split(/, (?=data)/)) {
    const [, pointer = '', what = part] = /^data(\/\S*)? (.*)$/s.exec(part) ?? [];
    if (!findings.has(pointer))
      findings.set(pointer, {
        pointer,
        code: 'invalid_schema',
        message: `not a schema: ${pointer || 'it'} ${what}`,
      });
  }
  return [...findings.values()];
};

/** Where the value begins, or what would hold it. */
const startOf = (node: JsonNode, [token, ...rest]: readonly string[]): number => {
  const inner =
    node.kind === 'object'
      ? node.members.get(token ?? '')
      : node.kind === 'array'
        ? node.items[Number(token)]
        : undefined;
  return token === undefined || !inner ? node.start : startOf(inner, rest);
};

const positionOf = (offset: number, text: string): Position => {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
};

/** The scanner says where in words. */
const notJson = (message: string): SchemaMistake => {
  const [, line = 1, column = 1, what = message] =
    /line (\d+), column (\d+): (.*)$/s.exec(message) ?? [];
  return { line: Number(line), column: Number(column), code: 'invalid_json', message: what };
};
