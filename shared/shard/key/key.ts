/** The shard key of a request: what it is taken from, and what was found. */
import type { Context } from '../../handler';
import type { Warning } from '../placer';

/** What is hashed: a text stands for its UTF-8 bytes. */
export type KeyValue = string | Uint8Array;

/** How several fields, or several values of one field, make one key; each mode has the way of its peer as default. */
export type Duplicates =
  /** The first field line alone. */
  | 'first'
  /** All of them, joined by `, `. */
  | 'join'
  /** The first element of the list that they make. */
  | 'first-element'
  /** Each value hashed with the hash of the one before as its seed, in the order of their bytes (Envoy). */
  | 'chain';

export type KeySource =
  | { readonly header: string; readonly duplicates?: Duplicates }
  /** A query parameter. `decode`: percent and `+` decoded, or raw as it came; the default is the peer's. */
  | { readonly query: string; readonly decode?: boolean }
  /** A number is a segment, from 1; a text is a pattern whose first group is the key. */
  | { readonly path: number | string; readonly decode?: boolean }
  /** A JSON Pointer (RFC 6901) into a JSON body. */
  | { readonly body: string }
  /** `mint`: one is made for who has none, and lives for `ttl` (`10s`; default: until the client ends its session). */
  | {
      readonly cookie: string;
      readonly mint?: boolean | { readonly ttl?: string; readonly path?: string };
    }
  /** The client's address, as TRUSTED_PROXY_HOPS lets it be known. */
  | { readonly client: 'address' }
  /** All of them, or no key; `separator` stands between. Default: none, as in a configuration of nginx. */
  | { readonly all: readonly KeySource[]; readonly separator?: string }
  /** The first that is there. */
  | { readonly first: readonly KeySource[] };

/** A key that was found. */
export interface Key {
  /** What is hashed. */
  readonly value: KeyValue;
  /**
   * Envoy only: the values of each policy, in their order; policies are combined and the values of one are chained. Then
   * `value` is what is shown.
   */
  readonly policies?: readonly (readonly KeyValue[])[];
  /** Where it was found, for people: `header x-user`. */
  readonly source: string;
  /** The body as it came, when it had to be read: give it to `forward` as it is. */
  readonly body?: Uint8Array;
  /** The cookie to set, when the key was minted: a whole Set-Cookie value. */
  readonly setCookie?: string;
}

/** What was read, when no key was found. */
export interface NoKey {
  readonly missing: true;
  readonly body?: Uint8Array;
}

export interface KeyReader {
  /**
   * At once where nothing has to be read. Rejects with `body_too_large` (413, above 64 KiB), `invalid_json` (400), or
   * `unsupported_encoding` for a body that must be looked into.
   */
  read(request: Request, context: Context): Key | NoKey | Promise<Key | NoKey>;
  /** Whether a body may have to be read for it. */
  readonly readsBody: boolean;
  /** What the runtime or the mode makes of this source that its peer would not. */
  readonly warnings: readonly Warning[];
}
