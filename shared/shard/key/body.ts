/**
 * A key out of a JSON body, of which at most 64 KiB are read, raw and inflated. Fails closed: what is larger, broken or not
 * JSON although it says so is refused, and nobody guesses a key.
 */
import { readBytes, readRaw } from '../../http/body';
import { decodeUtf8, isJson } from '../../http/json';
import { type JsonNode, parseTree } from '../../json';
import { pointerTokens } from '../../pointer';
import type { Key } from './key';

/** Bytes, raw and again inflated. */
export const MAX_KEY_BODY = 65_536;

/** The body of one request, read when the first source asks for it, and once. */
export class KeyBody {
  /** As it came; `undefined`: nobody has read it. */
  bytes: Uint8Array | undefined;
  #document: Promise<Document | undefined> | undefined;

  constructor(private readonly request: Request) {}

  /** `undefined`: there is none, or it is not of JSON and was not read. */
  document(): Promise<Document | undefined> {
    this.#document ??= this.#read();
    return this.#document;
  }

  async #read(): Promise<Document | undefined> {
    const { headers } = this.request;
    if (!isJson(headers.get('content-type'))) return undefined;
    const keeping = {
      headers,
      readUpTo: async (limit: number) => {
        this.bytes = await readRaw(this.request, limit);
        return this.bytes;
      },
    };
    const inflated = await readBytes(keeping as unknown as Request, MAX_KEY_BODY);
    if (inflated.length === 0) return undefined;
    const text = decodeUtf8(inflated);
    return { text, root: parseTree(text) };
  }
}

interface Document {
  readonly text: string;
  readonly root: JsonNode;
}

export const bodyReader = (pointer: string): ((body: KeyBody) => Promise<Key | undefined>) => {
  const tokens = pointerTokens(pointer);
  const source = `body ${pointer}`;
  return async (body) => {
    const document = await body.document();
    const value = document && valueAt(document, tokens);
    return value ? { value, source } : undefined;
  };
};

/** Strings as they are, numbers and booleans as they are written; anything else is none. */
const valueAt = ({ text, root }: Document, tokens: readonly string[]): string | undefined => {
  let node: JsonNode | undefined = root;
  for (const token of tokens) {
    if (node?.kind === 'object') node = node.members.get(token);
    else if (node?.kind === 'array')
      node = INDEX.test(token) ? node.items[Number(token)] : undefined;
    else return undefined;
  }
  switch (node?.kind) {
    case 'string':
      return JSON.parse(text.slice(node.start, node.end));
    case 'number':
    case 'boolean':
      return text.slice(node.start, node.end);
    default:
      return undefined;
  }
};

/** RFC 6901 section 4: no sign, no leading zero. */
const INDEX = /^(?:0|[1-9]\d*)$/;
