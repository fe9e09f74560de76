/**
 * A request and its answer as node:http has them, with no connection behind: so the functions run on Lambda by the very
 * code that serves them on Node.
 */
import { EventEmitter } from 'node:events';
import {
  IncomingMessage,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';

export interface PlainRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name and value in turn. */
  readonly fields: readonly string[];
  readonly body: Uint8Array | undefined;
  /** Address of who has called the gateway; `undefined`: nobody has said. */
  readonly peer: string | undefined;
  /** Given by the gateway. */
  readonly id: string | undefined;
}

/** Takes the answer; `head` comes once, before all else. */
export interface AnswerSink {
  head(status: number, fields: readonly string[]): void;
  /** Calls back when it has room for more. The bytes are borrowed until then. */
  write(part: Buffer, done: (error?: Error | null) => void): void;
  end(done: (error?: Error | null) => void): void;
}

/** How the body was framed on the way to the gateway says nothing of what it hands over. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** `undefined` when it has a field that could be read as two. */
export const toIncoming = (request: PlainRequest): IncomingMessage | undefined => {
  const { method, target, fields, body, peer, id } = request;
  const incoming = new IncomingMessage(new Peer(peer) as unknown as Socket);
  const raw: string[] = [];
  let isNamed = false;
  for (let i = 0; i < fields.length; i += 2) {
    const [name = '', value = ''] = [fields[i], fields[i + 1]];
    const lower = name.toLowerCase();
    if (!isField(name, value)) return undefined;
    if (FRAMING.has(lower)) continue;
    isNamed ||= lower === 'x-request-id';
    raw.push(name, value);
  }
  if (body) raw.push('content-length', String(body.length));
  if (!isNamed && id !== undefined) raw.push('x-request-id', id);
  incoming.method = method;
  incoming.url = target;
  incoming.httpVersion = '1.1';
  incoming.httpVersionMajor = 1;
  incoming.httpVersionMinor = 1;
  incoming.rawHeaders = raw;
  incoming.headers = joined(raw);
  incoming.complete = true;
  incoming.push(null);
  return incoming;
};

/** By name in lower case; the parser, which does not see these, would have it so. */
const joined = (raw: readonly string[]): Record<string, string> => {
  const headers: Record<string, string> = Object.create(null);
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const before = headers[name];
    const between = name === 'cookie' ? '; ' : ', ';
    headers[name] = (before === undefined ? '' : before + between) + raw[i + 1];
  }
  return headers;
};

const isField = (name: string, value: string): boolean => {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
};

/** The other end, as far as anybody asks. */
class Peer extends EventEmitter {
  readonly destroyed = false;
  constructor(readonly remoteAddress: string | undefined) {
    super();
  }
  destroy(): void {}
}

/** What is written to it goes to a sink. It is finished when the sink has all. */
export class SunkAnswer extends Writable {
  headersSent = false;
  statusCode = 200;
  readonly socket: Socket;
  readonly #fields = new Map<string, readonly [name: string, value: string]>();

  constructor(
    readonly req: IncomingMessage,
    private readonly sink: AnswerSink,
  ) {
    super();
    this.socket = req.socket;
  }

  setHeader(name: string, value: number | string | readonly string[]): this {
    this.#fields.set(name.toLowerCase(), [name, String(value)]);
    return this;
  }

  getHeader(name: string): string | undefined {
    return this.#fields.get(name.toLowerCase())?.[1];
  }

  writeHead(status: number, given?: readonly string[] | Readonly<Record<string, unknown>>): this {
    if (this.headersSent) throw new Error('the head is written already');
    const fields = [...this.#fields.values()].flat();
    if (Array.isArray(given)) fields.push(...(given as readonly string[]));
    else
      for (const [name, value] of Object.entries(given ?? {}))
        if (value !== undefined) fields.push(name, String(value));
    for (let i = 0; i < fields.length; i += 2) {
      validateHeaderName(fields[i] as string);
      validateHeaderValue(fields[i] as string, fields[i + 1] as string);
    }
    this.headersSent = true;
    this.statusCode = status;
    this.sink.head(status, fields);
    return this;
  }

  flushHeaders(): void {
    if (!this.headersSent) this.writeHead(this.statusCode);
  }

  // A gateway hands on neither these nor fields behind the body.
  writeContinue(): void {}
  writeProcessing(): void {}
  writeEarlyHints(): void {}
  addTrailers(): void {}

  override _write(part: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.flushHeaders();
    this.sink.write(part, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.flushHeaders();
    this.sink.end(done);
  }

  /** As the code for Node knows it. */
  asOutgoing(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}
