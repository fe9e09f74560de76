/** The shard key of a request: what it is taken from, and what was found. */
import type { Context } from '../../handler';
import type { Warning } from '../placer';

/** What is hashed: a text stands for its UTF-8 bytes. */
export type KeyValue = string | Uint8Array;

/** The values of each of Envoy's hash policies, in the order of their hashing. */
export type Policies = readonly (readonly KeyValue[])[];

/** What a table places. A `Key` is one. */
export interface PlacedKey {
  /** What is hashed. */
  readonly value: KeyValue;
  /**
   * Envoy's modes only, for a key of several values: these are hashed, as its policies are; `value` is what pins look at
   * and what is shown. @default `value` alone
   */
  readonly policies?: Policies;
}

/** How several lines of one header make one key; each mode has the way of its peer as default. */
export type Duplicates =
  /** The first line alone: nginx up to 1.22. */
  | 'first'
  /** All of them, joined by `, `: nginx from 1.23 on, and modes without a peer. */
  | 'join'
  /** The first element of the list that they make: HAProxy's `hdr()`. */
  | 'first-element'
  /** Each value hashed with the hash of the one before as its seed, in the order of their bytes: Envoy. */
  | 'chain';

/**
 * What is empty is no key, but in Envoy's modes, which hash an empty header or parameter like any other. Raw text beyond
 * ASCII is given in its bytes.
 */
export type KeySource =
  | { readonly header: string; readonly duplicates?: Duplicates }
  /**
   * A query parameter, the first of its name. `decode`: percent and `+` decoded (raw where that is impossible), or raw as
   * it came; the default is the peer's. nginx's names are in any case.
   */
  | { readonly query: string; readonly decode?: boolean }
  /**
   * A number is a segment of the path below the function, from 1, where empty ones do not count; a text is a regular
   * expression whose first group is the key, matched within 8 KiB (2 KiB where its time is not linear).
   *
   * `decode`: in nginx's modes what is looked at is `$uri`, decoded with its slashes merged and its dots followed, which is
   * the default there, else `$request_uri`; elsewhere what was found is percent-decoded (raw where that is impossible), by
   * default not in the modes of HAProxy and Envoy. A raw pattern sees the query as well in the modes of nginx and Envoy.
   */
  | { readonly path: number | string; readonly decode?: boolean }
  /** A JSON Pointer (RFC 6901) into a JSON body. Text as it is, numbers and booleans as they are written; no other values. */
  | { readonly body: string }
  /** `mint`: one is made for who has none, and lives for `ttl` (`10s`; default: until the client ends its session). */
  | {
      readonly cookie: string;
      readonly mint?: boolean | { readonly ttl?: string; readonly path?: string };
    }
  /** The client's address, as TRUSTED_PROXY_HOPS lets it be known. Text; in HAProxy's mode its 4 or 16 bytes. */
  | { readonly client: 'address' }
  /**
   * All of them, or no key; `separator` stands between. Default: none, as in a configuration of nginx; in Envoy's modes each
   * is hashed for itself then. Where some may be missing, as nginx has it: `first` of all, and of each alone.
   */
  | { readonly all: readonly KeySource[]; readonly separator?: string }
  /** The first that is there. */
  | { readonly first: readonly KeySource[] };

/** A key that was found. */
export interface Key extends PlacedKey {
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
