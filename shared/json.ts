/**
 * Strict JSON (RFC 8259). What parsers read differently is refused, so that a check here and a reader behind us
 * never see two documents in one text: duplicate keys, lone surrogates, numbers beyond a double.
 *
 * Depth is bounded, so no text can exhaust the stack. Fails closed.
 */
import type { JsonNode } from './json/node';
import { BOM, Scanner } from './json/scanner';

export type { JsonArray, JsonNode, JsonObject, JsonScalar } from './json/node';
export { MAX_DEPTH } from './json/scanner';

/**
 * The value of a text. A byte order mark in front is ignored (RFC 8259 section 8.1).
 *
 * Throws `invalid_json`, with what and where, for all that JSON.parse refuses, and for nesting deeper than
 * `MAX_DEPTH`, a key that comes twice in an object, the key `__proto__`, a lone surrogate, and a number that
 * a double cannot hold. Nothing of the content is told but a key, cut short.
 */
export const parseJson = (text: string): unknown => {
  checkJson(text);
  return parseChecked(text);
};

/** Throws what `parseJson` throws. */
export const checkJson = (text: string): void => {
  new Scanner(text, { keep: false }).document();
};

/** The same text under the same rules, as nodes that know their place: for those who change it to the letter. */
export const parseTree = (text: string): JsonNode => new Scanner(text, { keep: true }).document();

/** The value of a text that `parseTree` took: `JSON.parse`, which reads `constructor` and its like as own data. */
export const parseChecked = (text: string): unknown =>
  JSON.parse(text.charCodeAt(0) === BOM ? text.slice(1) : text);
