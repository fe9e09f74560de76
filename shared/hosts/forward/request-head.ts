/**
 * The head of a request as it goes on.
 *
 * What came stays, in its order, but for what ends at this hop (RFC 9110 section 7.6.1); `Host` is the target's own
 * authority. Added are Via, a `traceparent` with a span of ours, and for the server behind: X-Forwarded-For with whom we were
 * called by, behind the entries that came; X-Forwarded-Host and -Proto with what that caller asked for. Values of these two
 * that came stay where proxies of ours stand in front (TRUSTED_PROXY_HOPS): else anybody could write them.
 *
 * Fails closed: a request that two servers could read as two (RFC 9112 section 11.2) is refused, and its connection closed.
 */
import type { IncomingMessage } from 'node:http';
import { Failure } from '../../failure';
import { connectionOptions, isHopByHop } from '../../http/hop-by-hop';

export interface OnwardOptions {
  readonly incoming: IncomingMessage;
  /** Name in lower case and value in turn. */
  readonly came: readonly string[];
  /** Host and port of the target. */
  readonly authority: string;
  /** Fields to set, or with `undefined` to remove. */
  readonly changes: Readonly<Record<string, string | undefined>>;
  readonly traceparent: string;
  /** Whether X-Forwarded-Host and -Proto come from a proxy of ours. */
  readonly trustsForwarded: boolean;
}

export interface Onward {
  /** Name and value in turn, `host` first; without those that say how the body is framed. */
  readonly fields: string[];
  /** What came says of its body. */
  readonly framing: 'none' | 'length' | 'chunked';
  /** Content-Length as it came. */
  readonly length: string | undefined;
  /** Trailer as it came. */
  readonly trailer: string | undefined;
  /** Whether the client takes fields behind the body. */
  readonly takesTrailers: boolean;
}

/** Throws `invalid_request` for what came; a TypeError for a change that a handler must not make. */
export const onwardFields = (options: OnwardOptions): Onward => {
  const { incoming, came, authority, changes, traceparent } = options;
  const changed = namesOf(changes);
  const named = namedByConnection(came);
  const fields = ['host', authority];
  const seen = new Seen();
  for (let i = 0; i < came.length; i += 2) {
    const name = came[i] as string;
    const value = came[i + 1] as string;
    if (SPECIAL.has(name)) seen.note(name, value, named);
    else if (!changed.includes(name) && !named?.includes(name)) fields.push(name, value);
  }
  seen.check(incoming);
  const added = [
    'via',
    `${seen.via}${incoming.httpVersion} faas-patterns`,
    'traceparent',
    traceparent,
    'x-forwarded-for',
    seen.forwardedFor + callerOf(incoming),
    'x-forwarded-host',
    (options.trustsForwarded && seen.forwardedHost) || hostOf(incoming, seen.host),
    'x-forwarded-proto',
    (options.trustsForwarded && seen.forwardedProto) || 'http',
  ];
  for (let i = 0; i < added.length; i += 2)
    if (!changed.includes(added[i] as string) && added[i + 1] !== '')
      fields.push(added[i] as string, added[i + 1] as string);
  for (const name of Object.keys(changes)) setField(fields, name, changes[name]);
  const { length, coding, trailer } = seen;
  const framing = coding !== undefined ? 'chunked' : Number(length ?? 0) > 0 ? 'length' : 'none';
  // TE counts only where Connection names it (RFC 9110 section 10.1.4): else somebody before us has let it through.
  const takesTrailers = seen.takesTrailers && named?.includes('te') === true;
  return { fields, framing, length, trailer, takesTrailers };
};

/** What is looked at; the rest goes on as it is. */
const SPECIAL: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'content-length',
  'via',
  'traceparent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

class Seen {
  host: string | undefined;
  length: string | undefined;
  coding: string | undefined;
  trailer: string | undefined;
  takesTrailers = false;
  via = '';
  forwardedFor = '';
  forwardedHost = '';
  forwardedProto = '';

  note(name: string, value: string, named: readonly string[] | undefined): void {
    switch (name) {
      case 'host':
        if (this.host !== undefined) throw refusal('The request has two hosts.');
        this.host = value;
        break;
      case 'content-length':
        if (this.length !== undefined) throw refusal('The request has two lengths.');
        this.length = value;
        break;
      case 'transfer-encoding':
        this.coding = this.coding === undefined ? value : `${this.coding}, ${value}`;
        break;
      case 'trailer':
        this.trailer = this.trailer === undefined ? value : `${this.trailer}, ${value}`;
        break;
      case 'te':
        this.takesTrailers ||= /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i.test(value);
        break;
      case 'via':
        this.via += `${value}, `;
        break;
      case 'x-forwarded-for':
        if (!named?.includes(name)) this.forwardedFor += `${value}, `;
        break;
      case 'x-forwarded-host':
        this.forwardedHost = value;
        break;
      case 'x-forwarded-proto':
        this.forwardedProto = value;
        break;
    }
  }

  /** The parser of node:http has refused most already; what it lets through must mean one thing. */
  check({ httpVersion }: IncomingMessage): void {
    const { coding, length } = this;
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw refusal('The length of the body is not a number.');
    if (coding === undefined) return;
    if (length !== undefined) throw refusal('The request has a length and chunks.');
    if (httpVersion === '1.0') throw refusal('HTTP/1.0 has no transfer coding.');
    if (coding.toLowerCase() !== 'chunked') throw refusal('The only transfer coding is chunked.');
  }
}

const refusal = (detail: string): Failure =>
  new Failure('invalid_request', { detail, headers: { connection: 'close' } });

/** Names that Connection lists beside those that are hop-by-hop anyhow. */
const namedByConnection = (came: readonly string[]): readonly string[] | undefined => {
  let named: string[] | undefined;
  for (let i = 0; i < came.length; i += 2) {
    const value = came[i + 1] as string;
    if (came[i] !== 'connection' || value === 'keep-alive' || value === 'close') continue;
    named ??= [];
    named.push(...connectionOptions(value));
  }
  return named;
};

/** Each proxy adds whom it was called by; `unknown` where it cannot tell, since an entry must not be missing. */
const callerOf = ({ socket }: IncomingMessage): string => {
  const address = socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
};

/** RFC 9112 section 3.2.2: of a target in absolute form counts its own authority. */
const hostOf = ({ url = '/' }: IncomingMessage, host: string | undefined): string => {
  if (url.startsWith('/')) return host ?? '';
  return /^https?:\/\/([^/?#@]*)/i.exec(url)?.[1] ?? '';
};

const NONE: readonly string[] = [];

const namesOf = (changes: OnwardOptions['changes']): readonly string[] => {
  const names = Object.keys(changes);
  return names.length === 0 ? NONE : names.map((name) => name.toLowerCase());
};

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const setField = (fields: string[], name: string, value: string | undefined): void => {
  const lower = name.toLowerCase();
  if (lower === 'host' && value !== undefined) fields[1] = valid(name, value);
  else if (value !== undefined) {
    if (isHopByHop(lower) || lower === 'content-length' || lower === 'expect')
      throw new TypeError(`forward frames the request by itself: it takes no ${name}`);
    if (!TOKEN.test(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
    fields.push(name, valid(name, value));
  }
};

/** RFC 9110 section 5.5: nothing that could end the line and begin another. */
const valid = (name: string, value: string): string => {
  if (!VALUE.test(value)) throw new TypeError(`not a value for the header ${name}`);
  return value;
};

const PATH = /^\/[\x21-\x7e\x80-\xff]*$/;

/** The request line and the fields, without the empty line. Throws a TypeError for what is no request line. */
export const headText = (method: string, path: string, fields: readonly string[]): string => {
  if (!PATH.test(path)) throw new TypeError('the path to forward to is not one');
  if (!TOKEN.test(method)) throw new TypeError('the method to forward with is not one');
  let text = `${method} ${path} HTTP/1.1\r\n`;
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
};
