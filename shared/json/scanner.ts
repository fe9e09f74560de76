/** The grammar of RFC 8259, with the refusals of `parseJson`. Recursive, no deeper than `MAX_DEPTH`. */
import { Failure } from '../failure';
import type { JsonNode, JsonScalar } from './node';

/** Objects and arrays within each other; the outermost counts as 1. */
export const MAX_DEPTH = 32;

export const BOM = 0xfeff;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const END_OBJECT = 0x7d;
const END_ARRAY = 0x5d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const HEX4 = /[\da-fA-F]{4}/y;
/** A number shorter than this and without an exponent is below 1e308. */
const LONG_NUMBER = 300;
/** Stands for every value while only the rules are checked: a node for each would take many times the text. */
const CHECKED: JsonNode = { kind: 'null', start: 0, end: 0 };

/** Reads one text once, from its beginning to its end; every mistake is an `invalid_json` with its place. */
export class Scanner {
  readonly #text: string;
  readonly #keep: boolean;
  #at = 0;

  constructor(text: string, { keep }: { readonly keep: boolean }) {
    this.#text = text;
    this.#keep = keep;
  }

  document(): JsonNode {
    if (this.#text.charCodeAt(0) === BOM) this.#at = 1;
    const node = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#refusal('nothing may follow the value');
    return node;
  }

  #value(depth: number): JsonNode {
    this.#skipSpace();
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE: {
        const start = this.#at;
        this.#skipString();
        return this.#scalar('string', start);
      }
      case 0x7b:
        return this.#object(depth + 1);
      case 0x5b:
        return this.#array(depth + 1);
      case 0x74:
        return this.#word('true', 'boolean');
      case 0x66:
        return this.#word('false', 'boolean');
      case 0x6e:
        return this.#word('null', 'null');
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonNode {
    const start = this.#open(depth);
    const members = new Map<string, JsonNode>();
    if (!this.#take(END_OBJECT)) {
      do {
        this.#skipSpace();
        const keyAt = this.#at;
        if (this.#text.charCodeAt(keyAt) !== QUOTE)
          throw this.#refusal('a key in double quotes is expected');
        const key = this.#string();
        if (key === '__proto__') throw this.#refusal('the key "__proto__" is not taken', keyAt);
        if (members.has(key))
          throw this.#refusal(`the key ${JSON.stringify(key.slice(0, 40))} comes twice`, keyAt);
        if (!this.#take(COLON)) throw this.#refusal('a colon is expected');
        members.set(key, this.#value(depth));
      } while (this.#take(COMMA));
      if (!this.#take(END_OBJECT)) throw this.#refusal('a comma or } is expected');
    }
    return this.#keep ? { kind: 'object', start, end: this.#at, members } : CHECKED;
  }

  #array(depth: number): JsonNode {
    const start = this.#open(depth);
    const items: JsonNode[] = [];
    if (!this.#take(END_ARRAY)) {
      do {
        const item = this.#value(depth);
        if (this.#keep) items.push(item);
      } while (this.#take(COMMA));
      if (!this.#take(END_ARRAY)) throw this.#refusal('a comma or ] is expected');
    }
    return this.#keep ? { kind: 'array', start, end: this.#at, items } : CHECKED;
  }

  #open(depth: number): number {
    if (depth > MAX_DEPTH) throw this.#refusal(`nesting deeper than ${MAX_DEPTH} is not taken`);
    return this.#at++;
  }

  /** Moves behind the closing quote; gives the unescaped string. */
  #string(): string {
    const start = this.#at;
    const escaped = this.#skipString();
    return escaped
      ? JSON.parse(this.#text.slice(start, this.#at))
      : this.#text.slice(start + 1, this.#at - 1);
  }

  /** Moves behind the closing quote; gives whether there was an escape. */
  #skipString(): boolean {
    const text = this.#text;
    let at = this.#at + 1;
    let escaped = false;
    /** Where a high surrogate waits for its low one; 0: nowhere. */
    let high = 0;
    for (;;) {
      let unit = text.charCodeAt(at);
      // Nearly all of nearly every text.
      if (high === 0)
        while (unit >= 0x20 && unit < 0xd800 && unit !== QUOTE && unit !== BACKSLASH)
          unit = text.charCodeAt(++at);
      const from = at++;
      if (unit === BACKSLASH) {
        escaped = true;
        unit = text.charCodeAt(at++);
        if (unit === 0x75) {
          HEX4.lastIndex = at;
          if (!HEX4.test(text)) throw this.#refusal('\\u needs four hex digits', from);
          unit = Number.parseInt(text.slice(at, at + 4), 16);
          at += 4;
        } else if (!'"\\/bfnrt'.includes(text[at - 1] ?? '?'))
          throw this.#refusal('this escape is not known', from);
      } else if (unit === QUOTE) {
        if (high > 0) throw this.#refusal('a surrogate stands alone', high);
        this.#at = at;
        return escaped;
      } else if (!(unit >= 0x20))
        throw this.#refusal(
          from < text.length ? 'a control character must be escaped' : 'a string has no end',
          from,
        );
      const isLow = unit >= 0xdc00 && unit <= 0xdfff;
      if (isLow !== high > 0) throw this.#refusal('a surrogate stands alone', high || from);
      high = unit >= 0xd800 && unit <= 0xdbff ? from : 0;
    }
  }

  #number(): JsonNode {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    if (text.charCodeAt(at) === MINUS) at++;
    const end = text.charCodeAt(at) === ZERO ? at + 1 : digitsFrom(text, at);
    if (end === at) throw this.#refusal('a value is expected');
    at = end;
    if (text.charCodeAt(at) === POINT) at = someDigits(text, at + 1, at);
    const unit = text.charCodeAt(at);
    const hasExponent = unit === 0x45 || unit === 0x65;
    if (hasExponent) {
      const sign = text.charCodeAt(at + 1);
      at = someDigits(text, at + (sign === PLUS || sign === MINUS ? 2 : 1), at);
    }
    this.#at = at;
    if (
      (hasExponent || at - start > LONG_NUMBER) &&
      !Number.isFinite(Number(text.slice(start, at)))
    )
      throw this.#refusal('this number is too large', start);
    return this.#scalar('number', start);
  }

  #word(word: string, kind: 'boolean' | 'null'): JsonNode {
    const start = this.#at;
    if (!this.#text.startsWith(word, start)) throw this.#refusal('a value is expected');
    this.#at += word.length;
    return this.#scalar(kind, start);
  }

  #scalar(kind: JsonScalar['kind'], start: number): JsonNode {
    return this.#keep ? { kind, start, end: this.#at } : CHECKED;
  }

  /** Whether `mark` comes next, after space; moves behind it. */
  #take(mark: number): boolean {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== mark) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at++;
    }
  }

  /** Columns count UTF-16 units from 1, as editors do. */
  #refusal(what: string, at = this.#at): Failure {
    const before = this.#text.slice(this.#text.charCodeAt(0) === BOM ? 1 : 0, at);
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    const end = at >= this.#text.length ? ' where the text ends' : '';
    return new Failure('invalid_json', {
      detail: `Not valid JSON, line ${line}, column ${column}: ${what}${end}.`,
    });
  }
}

/** Behind the digits that begin at `at`. */
const digitsFrom = (text: string, at: number): number => {
  let end = at;
  for (let unit = text.charCodeAt(end); unit >= ZERO && unit <= ZERO + 9; ) {
    end++;
    unit = text.charCodeAt(end);
  }
  return end;
};

/** The same, or `otherwise` when there is none: then the number has ended before. */
const someDigits = (text: string, at: number, otherwise: number): number => {
  const end = digitsFrom(text, at);
  return end > at ? end : otherwise;
};
