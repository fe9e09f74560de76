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
import { connectionOptions } from '../../http/hop-by-hop';
import { setField } from './head-text';
import { LOOKED_AT, SeenFields } from './seen-fields';

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
  const seen = new SeenFields();
  for (let i = 0; i < came.length; i += 2) {
    const name = came[i] as string;
    const value = came[i + 1] as string;
    if (LOOKED_AT.has(name)) seen.note(name, value, named);
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
