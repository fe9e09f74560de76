/**
 * Puts defaults into a JSON text without writing any of it anew: what the client sent goes on to the letter,
 * digits of numbers, escapes, white space and order included.
 */
import { MAX_BODY, tooLarge } from '../../shared/http/body';
import { type JsonNode, type JsonObject, parseTree } from '../../shared/json';
import type { Generate } from './generate';
import { type Absent, type Document, NOTHING, type Shape } from './shape';

/** Text to put in at a place of another. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * What is missing in `text`, in the order of the places. A null is not missing.
 * Throws `invalid_json`, and `body_too_large` when the whole would be larger than a body may be.
 */
export const findMissing = (text: string, shape: Shape, generate: Generate): Insertion[] =>
  missingIn({ text, tree: parseTree(text) }, shape, generate, []);

const missingIn = (
  { text, tree }: Document,
  shape: Shape,
  generate: Generate,
  /** Whose defaults this text lies in, outermost first. */
  within: readonly Shape[],
): Insertion[] => {
  const found: Insertion[] = [];
  // Items of an array may be many and a default long: a small body must not become a huge one.
  let room = MAX_BODY - text.length;
  const visit = (node: JsonNode, held: Shape): void => {
    if (held === NOTHING) return;
    if (node.kind === 'array')
      node.items.forEach((item, i) => {
        visit(item, held.item(i));
      });
    if (node.kind !== 'object') return;
    for (const [name, member] of node.members) visit(member, held.member(name));
    const members: string[] = [];
    for (const [name, absent] of held.defaults)
      if (!node.members.has(name))
        members.push(
          `${JSON.stringify(name)}:${textOf(absent, held.member(name), generate, within)}`,
        );
    if (members.length === 0) return;
    const inserted = (node.members.size > 0 ? ',' : '') + members.join(',');
    room -= inserted.length;
    if (room < 0) throw tooLarge(MAX_BODY);
    found.push({ at: endOfMembers(node), text: inserted });
  };
  visit(tree, shape);
  return found;
};

/** A default may itself lack members that have one. Where a schema is within its own default, it stays as written. */
const textOf = (
  absent: Absent,
  shape: Shape,
  generate: Generate,
  within: readonly Shape[],
): string => {
  if ('generate' in absent) return JSON.stringify(generate(absent.generate));
  if (within.includes(shape)) return absent.text;
  return insertInto(absent.text, missingIn(absent, shape, generate, [...within, shape]));
};

/** `text` with the insertions, which must be in order. */
export const insertInto = (text: string, insertions: readonly Insertion[]): string => {
  let whole = '';
  let from = 0;
  for (const { at, text: inserted } of insertions) {
    whole += text.slice(from, at) + inserted;
    from = at;
  }
  return whole + text.slice(from);
};

const endOfMembers = ({ start, members }: JsonObject): number => {
  let end = start + 1;
  for (const member of members.values()) end = member.end;
  return end;
};
