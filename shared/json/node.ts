/** JSON as nodes that know their place in the text. */

/** A value by where it stands: `text.slice(start, end)` is its own text, without the space around it. */
export type JsonNode = JsonObject | JsonArray | JsonScalar;

interface Span {
  readonly start: number;
  readonly end: number;
}

export interface JsonObject extends Span {
  readonly kind: 'object';
  /** By unescaped key, in the order of the text. */
  readonly members: ReadonlyMap<string, JsonNode>;
}

export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonScalar extends Span {
  readonly kind: 'string' | 'number' | 'boolean' | 'null';
}
