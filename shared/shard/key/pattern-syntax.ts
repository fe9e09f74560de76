/** Regular expressions as trees, to tell what they cost. Reads only what the runtime's own parser has taken before. */

/** By byte, 1: it is one of them. */
export type Bytes = Uint8Array;

export type PatternNode =
  | { readonly kind: 'one'; readonly of: Bytes }
  /** `^`, `$`, `\b`, `\B`: no byte at all. */
  | { readonly kind: 'place'; readonly isStart: boolean }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number;
    }
  /** `(?=…)`, `(?!…)`. */
  | { readonly kind: 'ahead'; readonly node: PatternNode };

/** What a pattern may not have. */
export class Untaken extends Error {}

/** A repetition by number is written out before it is matched. */
const MAX_COUNT = 256;

export const parsePattern = (
  source: string,
): { readonly node: PatternNode; readonly groups: number } => {
  let at = 0;
  let groups = 0;

  const choice = (): PatternNode => {
    const nodes = [sequence()];
    while (source[at] === '|') {
      at++;
      nodes.push(sequence());
    }
    return nodes.length === 1 ? (nodes[0] as PatternNode) : { kind: 'choice', nodes };
  };
  const sequence = (): PatternNode => {
    const nodes: PatternNode[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')')
      nodes.push(repeated(atom()));
    return { kind: 'sequence', nodes };
  };
  const atom = (): PatternNode => {
    const start = at;
    switch (source[at]) {
      case '^':
      case '$':
        at++;
        return { kind: 'place', isStart: source[start] === '^' };
      case '(':
        return group();
      case '[':
        for (at++; source[at] !== ']'; at++) if (source[at] === '\\') at++;
        at++;
        return one(source.slice(start, at));
      case '\\':
        return escaped();
      default:
        at++;
        return one(source[start] === '{' ? '\\{' : source.slice(start, at));
    }
  };
  const group = (): PatternNode => {
    const [opening = '('] = OPENING.exec(source.slice(at)) ?? [];
    if (opening.startsWith('(?<') && !opening.endsWith('>'))
      throw new Untaken('must not look behind');
    at += opening.length;
    if (source[at] === '?') throw new Untaken('must not have groups with flags');
    const isAhead = opening === '(?=' || opening === '(?!';
    if (opening !== '(?:' && !isAhead) groups++;
    const node = choice();
    at++;
    return isAhead ? { kind: 'ahead', node } : node;
  };
  const escaped = (): PatternNode => {
    const [text = ''] = ESCAPE.exec(source.slice(at)) ?? [];
    if (/^\\[\dk]/.test(text)) throw new Untaken('must not refer to groups or octal numbers');
    at += text.length;
    return /^\\[bB]$/.test(text) ? { kind: 'place', isStart: false } : one(text);
  };
  const repeated = (node: PatternNode): PatternNode => {
    const [text, mark, least, comma, most] = QUANTIFIER.exec(source.slice(at)) ?? [];
    if (text === undefined) return node;
    at += text.length;
    const [min, max] = mark
      ? (BOUNDS[mark] as [number, number])
      : [Number(least), comma ? Number(most || Infinity) : Number(least)];
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Infinity))
      throw new Untaken(`must not count beyond ${MAX_COUNT}`);
    return { kind: 'repeat', node, min, max };
  };

  return { node: choice(), groups };
};

const OPENING = /^\((?:\?(?:[:=!]|<(?:[=!]|[^>=!][^>]*>)))?/;
const ESCAPE = /^\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|c[a-zA-Z]|[\s\S])/;
const QUANTIFIER = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/;
const BOUNDS: Readonly<Record<string, [number, number]>> = {
  '*': [0, Infinity],
  '+': [1, Infinity],
  '?': [0, 1],
};

/** By the runtime's own word. */
const one = (text: string): PatternNode => {
  const pattern = new RegExp(`^${text}$`);
  const of = Uint8Array.from({ length: 256 }, (_, byte) =>
    pattern.test(String.fromCharCode(byte)) ? 1 : 0,
  );
  return { kind: 'one', of };
};

/** Whether a match can only begin where the text begins. */
export const isAnchored = (node: PatternNode): boolean => {
  if (node.kind === 'place') return node.isStart;
  if (node.kind === 'choice') return node.nodes.every(isAnchored);
  return node.kind === 'sequence' && node.nodes[0] !== undefined && isAnchored(node.nodes[0]);
};
