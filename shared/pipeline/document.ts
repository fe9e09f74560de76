/**
 * YAML 1.2 as plain data, with a place for every value. The one file that knows the yaml package.
 *
 * Only what JSON could hold too is taken: no tags, no merge keys, no directives, one document, keys that are texts and
 * stand once. Aliases are followed within bounds. Fails closed: over a bound there is no value.
 */
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import { pointerToken } from '../schema';
import { harmless, quote } from './finding';

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface DocumentMistake extends Position {
  readonly code: string;
  readonly message: string;
}

export interface YamlDocument {
  /** Nothing to go on with when the text could not be read as a whole. */
  readonly value: unknown;
  readonly mistakes: readonly DocumentMistake[];
  /** Where the value at a JSON Pointer begins, or its name; if it is not there, what would hold it. */
  locate(pointer: string, part?: 'name' | 'value'): Position;
}

/** Characters of a text. */
export const MAX_TEXT = 262_144;
const MAX_VALUES = 20_000;
const MAX_DEPTH = 32;
const MAX_SYNTAX_MISTAKES = 20;

/** Mistakes that leave the rest of the document readable. */
const SOFT: Readonly<Record<string, readonly [code: string, message: string]>> = {
  DUPLICATE_KEY: ['duplicate_key', 'this name stands twice here'],
  MULTIPLE_DOCS: ['multiple_documents', 'a file holds one document: --- begins a second one'],
};

export const readYaml = (raw: string): YamlDocument => {
  // A byte order mark has no column.
  const text = raw.charCodeAt(0) === 0xfeff ? raw.slice(1) : raw;
  const mistakes: DocumentMistake[] = [];
  const places = new Map<string, { readonly name: number; readonly value: number }>();
  if (text.length > MAX_TEXT)
    return nothing([
      {
        line: 1,
        column: 1,
        code: 'too_large',
        message: `a file holds at most ${MAX_TEXT} characters`,
      },
    ]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, code: string, message: string) =>
    void mistakes.push({ ...at(offset), code, message });

  const exhausted = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted)
    return nothing([
      {
        ...at(exhausted.pos[0]),
        code: 'too_complex',
        message: 'this is nested too deep to be read',
      },
    ]);
  // The parser may say several things of one place; the first is the nearest to what was meant.
  const errors = new Map(document.errors.toReversed().map((error) => [error.pos[0], error]));
  for (const { code, message, pos } of [...errors.values()]
    .toReversed()
    .slice(0, MAX_SYNTAX_MISTAKES))
    report(pos[0], ...(SOFT[code] ?? (['yaml_syntax', harmless(message)] as const)));
  if (document.errors.some(({ code }) => SOFT[code] === undefined)) return nothing(mistakes);
  if (document.directives?.yaml.explicit)
    report(0, 'yaml_directive', 'directives are not taken: a file is YAML 1.2');

  let values = 0;
  const open = new Set<Node>();
  const anchors = new Map<string, Node>();
  const anchored = new Set<Node>();
  const read = (node: unknown, pointer: string, name: number): unknown => {
    const from = isNode(node) ? (node.range?.[0] ?? name) : name;
    if (!places.has(pointer)) places.set(pointer, { name, value: from });
    values += 1;
    if (values > MAX_VALUES || open.size > MAX_DEPTH) throw new TooComplex(from);
    if (!isNode(node)) return null;
    if (open.has(node)) {
      report(name, 'bad_alias', 'this alias stands inside of what it names');
      return null;
    }
    if (!isAlias(node) && node.tag !== undefined) report(from, 'yaml_tag', 'tags are not taken');
    // In document order, so that an alias finds the last anchor before it; not again where an alias leads back.
    if (!isAlias(node) && node.anchor !== undefined && !anchored.has(node)) {
      anchors.set(node.anchor, node);
      anchored.add(node);
    }
    open.add(node);
    try {
      if (isAlias(node)) {
        const source = anchors.get(node.source);
        if (source) return read(source, pointer, from);
        report(from, 'bad_alias', `nothing before has the anchor ${quote(node.source)}`);
        return null;
      }
      if (isSeq(node)) return node.items.map((item, i) => read(item, `${pointer}/${i}`, from));
      if (isMap(node))
        return Object.fromEntries(
          node.items.map(({ key, value }) => {
            const member = isScalar(key) ? String(key.value) : '';
            const begin = isScalar(key) ? (key.range?.[0] ?? from) : from;
            if (member === '<<') report(begin, 'merge_key', 'merge keys are not taken');
            return [member, read(value, `${pointer}/${pointerToken(member)}`, begin)];
          }),
        );
      return isScalar(node) ? node.value : null;
    } finally {
      open.delete(node);
    }
  };

  const locate: YamlDocument['locate'] = (pointer, part = 'value') => {
    for (let around = pointer, what = part; ; what = 'name') {
      const place = places.get(around);
      if (place) return at(place[what]);
      if (around === '') return { line: 1, column: 1 };
      around = around.slice(0, around.lastIndexOf('/'));
    }
  };
  try {
    return { value: read(document.contents, '', 0), mistakes, locate };
  } catch (thrown) {
    if (!(thrown instanceof TooComplex)) throw thrown;
    report(
      thrown.offset,
      'too_complex',
      `a file holds at most ${MAX_VALUES} values, ${MAX_DEPTH} deep, aliases followed`,
    );
    return nothing(mistakes);
  }
};

class TooComplex extends Error {
  constructor(readonly offset: number) {
    super();
  }
}

const nothing = (mistakes: readonly DocumentMistake[]): YamlDocument => ({
  value: undefined,
  mistakes,
  locate: () => ({ line: 1, column: 1 }),
});
