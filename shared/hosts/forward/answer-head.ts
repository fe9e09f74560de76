/**
 * The head of an answer from the server behind, read by the letter of RFC 9112.
 *
 * Fails closed: where two readers could see two messages (two lengths, a length beside chunks, a folded line, a bare CR or
 * LF, a space before the colon), it is no answer.
 */
import { connectionOptions, isHopByHop } from '../../http/hop-by-hop';

/** Bytes of a head, and of all trailer fields. */
export const MAX_HEAD = 16_384;

/** What came is not HTTP/1.1 as it must be. The message is for the log. */
export class NotHttp extends Error {
  override readonly name = 'NotHttp';
}

export interface AnswerHead {
  readonly status: number;
  /** The fields that go on: name in lower case and value in turn. */
  readonly fields: string[];
  /** Where the body ends. `close`: with the connection. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Of `length`, in bytes. */
  readonly length: number;
  /** Whether the connection may take another request once the body has ended. */
  readonly keep: boolean;
  /** Seconds for which the other side keeps it, where it says so. */
  readonly keepAlive: string | undefined;
  /** What Trailer announces, when there may be any. */
  readonly trailer: string | undefined;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\r\n]*)?(?:\r\n|$)/;
/** A control character, or a CR or LF without the other. */
const FAULT = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;
const LENGTH = /^\d{1,15}$/;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** `text`: all before the empty line, as latin1. Throws `NotHttp`. */
export const readAnswerHead = (text: string, isHead: boolean): AnswerHead => {
  if (FAULT.test(text)) throw new NotHttp('a character that no head may hold');
  const line = STATUS_LINE.exec(text);
  if (!line) throw new NotHttp('no status line');
  const minor = line[1] === '1' ? 1 : 0;
  const status = Number(line[2]);
  if (minor === 0 && status < 200) throw new NotHttp('a status that HTTP/1.0 does not have');
  const seen = readFields(text, (line[0] as string).length);
  const { transferEncoding, contentLength, connection } = seen;
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) throw new NotHttp('a length and chunks');
    if (minor === 0) throw new NotHttp('chunks in HTTP/1.0');
    if (transferEncoding.toLowerCase() !== 'chunked') throw new NotHttp('an unknown coding');
  }
  if (contentLength !== undefined && !LENGTH.test(contentLength))
    throw new NotHttp('a length that is no number');
  const isBodiless = isHead || status === 204 || status === 304 || status < 200;
  const length = Number(contentLength ?? 0);
  const framing = isBodiless
    ? 'none'
    : transferEncoding !== undefined
      ? 'chunked'
      : contentLength === undefined
        ? 'close'
        : 'length';
  const options =
    connection === undefined
      ? undefined
      : connection === 'keep-alive'
        ? KEEP_ALIVE
        : connectionOptions(connection);
  const keep =
    framing !== 'close' &&
    !options?.includes('close') &&
    (minor === 1 || options?.includes('keep-alive') === true);
  return {
    status,
    // RFC 9110 section 8.6: 204 has none, so that it can not be taken for the beginning of a body.
    fields: onward(seen.fields, options, status === 204),
    framing,
    length,
    keep,
    keepAlive: seen.keepAlive,
    trailer: framing === 'chunked' ? seen.trailer : undefined,
  };
};

/** What nearly every one says. */
const KEEP_ALIVE = connectionOptions('keep-alive');

interface Seen {
  fields: string[];
  contentLength?: string;
  transferEncoding?: string;
  connection?: string;
  keepAlive?: string;
  trailer?: string;
}

const readFields = (text: string, from: number): Seen => {
  const seen: Seen = { fields: [] };
  for (let at = from; at < text.length; ) {
    let end = text.indexOf('\r\n', at);
    if (end < 0) end = text.length;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > end) throw new NotHttp('a line that is no field');
    const name = lowerName(text.slice(at, colon));
    if (isFraming(name) && text.charCodeAt(end - 1) === TAB) throw new NotHttp('a tab');
    note(seen, name, trimmed(text, colon + 1, end));
    at = end + 2;
  }
  return seen;
};

const TAB = 0x09;
/** What frames the body has no tab behind it: not every reader sees white space in it. */
const isFraming = (name: string): boolean =>
  name === 'transfer-encoding' || name === 'content-length';

const note = (seen: Seen, name: string, value: string): void => {
  if (name === 'content-length') {
    if (seen.contentLength !== undefined) throw new NotHttp('two lengths');
    seen.contentLength = value;
    seen.fields.push(name, value);
  } else if (!isHopByHop(name)) seen.fields.push(name, value);
  else if (name === 'connection') seen.connection = joined(seen.connection, value);
  else if (name === 'transfer-encoding')
    seen.transferEncoding = joined(seen.transferEncoding, value);
  else if (name === 'keep-alive') seen.keepAlive = value;
  else if (name === 'trailer') seen.trailer = joined(seen.trailer, value);
};

const joined = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`;

const onward = (
  fields: string[],
  options: readonly string[] | undefined,
  withoutLength: boolean,
): string[] => {
  if (!withoutLength && !options?.some((option) => option !== 'keep-alive' && option !== 'close'))
    return fields;
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!(withoutLength && name === 'content-length') && !options?.includes(name))
      kept.push(name, fields[i + 1] as string);
  }
  return kept;
};

/** Trailer fields: `text` holds whole lines without the last CRLF; empty where there are none. Throws `NotHttp`. */
export const readTrailers = (text: string): string[] => {
  if (FAULT.test(text)) throw new NotHttp('a character that no field may hold');
  const fields: string[] = [];
  for (const line of text === '' ? [] : text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) throw new NotHttp('a line that is no field');
    const name = lowerName(line.slice(0, colon));
    // The body has been framed; whoever believed this would frame it anew.
    if (isFraming(name)) throw new NotHttp('a length behind the body');
    fields.push(name, trimmed(line, colon + 1, line.length));
  }
  return fields;
};

/** Optional white space around a value is not part of it (RFC 9112 section 5). */
const trimmed = (text: string, from: number, to: number): string => {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
};

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** The few names that servers send, in lower case; bounded, since a server could make up any number. */
const names = new Map<string, string>();
const MAX_NAMES = 1_000;

const lowerName = (name: string): string => {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) throw new NotHttp('a field without a name');
  const lower = name.toLowerCase();
  if (names.size < MAX_NAMES) names.set(name, lower);
  return lower;
};
