/**
 * Takes the key out of requests, as a source says and as the peer of a mode would: of the same request the same bytes.
 *
 * Fails closed: what is not there is no key, and what to do then is the caller's to say.
 */
import { parseDuration } from '../../duration';
import type { Context } from '../../handler';
import type { Random } from '../../random';
import type { Mode } from '../topology';
import { bodyReader, KeyBody } from './body';
import { clientReader } from './client';
import { cookieReader } from './cookie';
import { headerReader } from './header';
import type { Key, KeyReader, KeySource, NoKey } from './key';
import { octetsAsNode, octetsOf, type ToOctets } from './octets';
import { parameterReader } from './parameter';
import { pathReader } from './path';
import { together } from './together';
import { type Runtime, warningsOf } from './warnings';
import { isNginx, type Wire, wireOf } from './wire';

export interface KeyReaderOptions {
  /** Whose way of reading it is. */
  readonly mode: Mode;
  /** What carries the requests, which at the edge loses some of what came. */
  readonly runtime: Runtime;
  /** For cookies that are minted. */
  readonly random: Random;
}

/** `source` must be one that `checkKeySource` finds nothing wrong with. */
export const keyReader = (source: KeySource, options: KeyReaderOptions): KeyReader => {
  const { mode, runtime, random } = options;
  const read = readerOf(source, {
    wire: wireOf(mode),
    octets: runtime === 'edge' ? octetsOf : octetsAsNode,
    anyCase: isNginx(mode),
    random,
  });
  const warnings = warningsOf(source, mode, runtime);
  if (!readsBody(source))
    return {
      read: (request, context) => (read(request, context) as Key | undefined) ?? NO_KEY,
      readsBody: false,
      warnings,
    };
  return {
    read: (request, context) => {
      const body = new KeyBody(request);
      const found = read(request, context, body);
      return found instanceof Promise
        ? found.then((key) => withBody(key, body))
        : withBody(found, body);
    },
    readsBody: true,
    warnings,
  };
};

const NO_KEY: NoKey = Object.freeze({ missing: true });

const withBody = (key: Key | undefined, { bytes }: KeyBody): Key | NoKey => {
  const found = key ?? NO_KEY;
  return bytes === undefined ? found : { ...found, body: bytes };
};

/** A promise only where a body is waited for; `body` is there wherever the source reads one. */
export type Read = (
  request: Request,
  context: Context,
  body?: KeyBody,
) => Key | undefined | Promise<Key | undefined>;

interface Parts {
  readonly wire: Wire;
  readonly octets: ToOctets;
  readonly anyCase: boolean;
  readonly random: Random;
}

const readerOf = (source: KeySource, parts: Parts): Read => {
  const { wire, octets, anyCase, random } = parts;
  if ('header' in source) {
    const { header, duplicates = wire.duplicates } = source;
    // Nobody else can make one hash of several.
    const known = duplicates === 'chain' && !wire.combines ? 'join' : duplicates;
    return headerReader({ header, duplicates: known, octets, wire });
  }
  if ('query' in source) return parameterReader({ ...source, octets, wire });
  if ('path' in source) {
    const style = styleOf(wire.path, source.decode);
    const { patternSeesQuery } = wire;
    return pathReader({ path: source.path, style, patternSeesQuery, octets });
  }
  if ('body' in source) {
    const find = bodyReader(source.body);
    return (_request, _context, body) => find(body as KeyBody);
  }
  if ('cookie' in source) {
    const mint = mintOf(source.mint);
    return cookieReader({
      name: source.cookie,
      mint,
      random,
      octets,
      cookie: wire.cookie,
      anyCase,
    });
  }
  if ('client' in source) return clientReader(wire);
  if ('first' in source) return firstOf(source.first.map((one) => readerOf(one, parts)));
  const { all, separator } = source;
  return together({
    readers: all.map((one) => ({ read: readerOf(one, parts), readsBody: readsBody(one) })),
    separator,
    combines: wire.combines && separator === undefined,
  });
};

/** Decoded or not, where the source says it, and else as the peer. */
const styleOf = (own: Wire['path'], decode: boolean | undefined): Wire['path'] => {
  if (decode === undefined) return own;
  if (!decode) return 'raw';
  return own === 'raw' ? 'segment' : own;
};

const mintOf = (mint: Extract<KeySource, { cookie: string }>['mint']) => {
  if (!mint) return undefined;
  if (mint === true) return {};
  return { path: mint.path, ttl: mint.ttl === undefined ? undefined : parseDuration(mint.ttl) };
};

/** Waits for nobody who is not waited for by one in front. */
const firstOf = (readers: readonly Read[]): Read => {
  const from = (at: number): Read => {
    const read = readers[at];
    if (!read) return () => undefined;
    const rest = from(at + 1);
    return (request, context, body) => {
      const found = read(request, context, body);
      return found instanceof Promise
        ? found.then((key) => key ?? rest(request, context, body))
        : (found ?? rest(request, context, body));
    };
  };
  return from(0);
};

const readsBody = (source: KeySource): boolean => {
  if ('all' in source) return source.all.some(readsBody);
  if ('first' in source) return source.first.some(readsBody);
  return 'body' in source;
};
