/**
 * Header fields as raw pairs, with the methods of the web's `Headers` that functions need.
 *
 * The global `Headers`, `Request` and `Response` of Node 20 cost 14 ms at first touch and tens of µs a request,
 * so the Node hosts and the response helpers use this; a real `Headers` has the same methods.
 */

/** Like `Headers`: names in lower case, several values of a name joined by `, `, `set-cookie` kept apart. */
export class HeaderPairs {
  /** Lower-case name and value, in turn, in the order of arrival. */
  readonly #pairs: string[];

  constructor(pairs: string[] = []) {
    this.#pairs = pairs;
  }

  /** From the name-value list of node:http. Names are lowered; values stay as they came. */
  static fromRaw(raw: readonly string[]): HeaderPairs {
    const pairs = new Array<string>(raw.length);
    for (let i = 0; i < raw.length; i += 2) {
      pairs[i] = (raw[i] as string).toLowerCase();
      pairs[i + 1] = raw[i + 1] as string;
    }
    return new HeaderPairs(pairs);
  }

  /** A copy to change. */
  static from(headers: Headers | HeaderPairs): HeaderPairs {
    return new HeaderPairs('raw' in headers ? [...headers.raw()] : [...headers.entries()].flat());
  }

  static of(init: Readonly<Record<string, string>>): HeaderPairs {
    const pairs: string[] = [];
    for (const name of Object.keys(init))
      pairs.push(name.toLowerCase(), checked(name, init[name] as string));
    return new HeaderPairs(pairs);
  }

  get(name: string): string | null {
    const wanted = name.toLowerCase();
    let found: string | null = null;
    for (let i = 0; i < this.#pairs.length; i += 2) {
      if (this.#pairs[i] !== wanted) continue;
      const value = this.#pairs[i + 1] as string;
      found = found === null ? value : `${found}${wanted === 'cookie' ? '; ' : ', '}${value}`;
    }
    return found;
  }

  has(name: string): boolean {
    const wanted = name.toLowerCase();
    for (let i = 0; i < this.#pairs.length; i += 2) if (this.#pairs[i] === wanted) return true;
    return false;
  }

  append(name: string, value: string): void {
    this.#pairs.push(name.toLowerCase(), checked(name, value));
  }

  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  delete(name: string): void {
    const unwanted = name.toLowerCase();
    for (let i = this.#pairs.length - 2; i >= 0; i -= 2)
      if (this.#pairs[i] === unwanted) this.#pairs.splice(i, 2);
  }

  getSetCookie(): string[] {
    return this.#pairs.filter((_, i) => i % 2 === 1 && this.#pairs[i - 1] === 'set-cookie');
  }

  /** Name and value in turn, as node:http writes them. */
  raw(): readonly string[] {
    return this.#pairs;
  }

  *entries(): IterableIterator<[string, string]> {
    const names = [...new Set(this.#pairs.filter((_, i) => i % 2 === 0))].sort();
    for (const name of names) {
      if (name === 'set-cookie') for (const cookie of this.getSetCookie()) yield [name, cookie];
      else yield [name, this.get(name) as string];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(visit: (value: string, name: string, headers: Headers) => void): void {
    for (const [name, value] of this.entries()) visit(value, name, this as unknown as Headers);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** RFC 9110 sections 5.1 and 5.5: nothing that could end the line and begin another. */
const checked = (name: string, value: string): string => {
  if (!TOKEN.test(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
  if (!FIELD_VALUE.test(value)) throw new TypeError(`not a value for the header ${name}`);
  return value;
};
