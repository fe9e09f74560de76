/**
 * A request that nobody sends: as a command line has it, as the key reader of a router would meet it on Node. Its bytes are
 * those of the text in UTF-8, one character a byte, as node:http gives them.
 */
import { Failure } from '../failure';
import type { Context } from '../handler';
import { type BoundedReader, tooLarge } from '../http/body';
import { HeaderPairs } from '../http/headers';
import type { Random } from '../random';
import type { ShardConfig } from '../shard/config/read';
import type { Key, NoKey } from '../shard/key/key';
import { octetsOf } from '../shard/key/octets';
import { keyReader } from '../shard/key/reader';
import type { Warning } from '../shard/placer';
import { UsageError } from './flags';

export interface RequestFlags {
  /** `GET /users/7?x=1`; the method may be left out. */
  readonly request: string;
  /** `x-user: 7`, in their order. */
  readonly headers: readonly string[];
  readonly data: string | undefined;
  /** The client's address. */
  readonly client: string | undefined;
}

export interface FoundKey {
  readonly found: Key | NoKey | Failure;
  readonly warnings: readonly Warning[];
}

/**
 * Where `config` looks for the key, and what is there; a Failure is what the router answers before it looks at any table.
 * Throws a UsageError for what is no request.
 */
export const findKey = async (
  flags: RequestFlags,
  { config, random }: { readonly config: ShardConfig; readonly random: Random },
): Promise<FoundKey> => {
  const { topology, key } = config;
  const reader = keyReader(key, { mode: topology.mode, runtime: 'node', random });
  const { method, target } = lineOf(flags.request);
  const body = flags.data === undefined ? undefined : new TextEncoder().encode(flags.data);
  const headers = headersOf(flags.headers, body !== undefined);
  const request: Pick<Request, 'method' | 'url'> & BoundedReader & { headers: HeaderPairs } = {
    method,
    url: `http://localhost${target}`,
    headers,
    readUpTo: async (limit) => {
      if (body && body.length > limit) throw tooLarge(limit);
      return body ?? new Uint8Array();
    },
  };
  const context = { path: target.replace(/\?.*$/s, ''), clientAddress: flags.client };
  const found = await Promise.resolve()
    .then(() => reader.read(request as unknown as Request, context as Context))
    .catch((thrown: unknown) => {
      if (thrown instanceof Failure) return thrown;
      throw thrown;
    });
  return { found, warnings: reader.warnings };
};

/** Blanks and control characters end a line of a request, or begin another. */
const LINE = /^(?:([A-Z]+) )?(\/[^\s\p{Cc}]*)$/u;

const lineOf = (text: string) => {
  const [, method = 'GET', target] = LINE.exec(text) ?? [];
  if (target === undefined)
    throw new UsageError("--request is a method and a path: --request 'GET /users/7'");
  return { method, target: octetsOf(target) };
};

const headersOf = (lines: readonly string[], hasBody: boolean): HeaderPairs => {
  const headers = new HeaderPairs();
  for (const line of lines) {
    const [, name, value = ''] = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    if (name === undefined) throw notHeader();
    try {
      headers.append(name, octetsOf(value));
    } catch {
      throw notHeader();
    }
  }
  if (hasBody && !headers.has('content-type')) headers.append('content-type', 'application/json');
  return headers;
};

const notHeader = () => new UsageError("--header is a name and a value: --header 'x-user: 7'");
