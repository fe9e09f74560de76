/** What each peer takes for the bytes of a key, where HTTP leaves it a choice. */
import { cookieOf } from '../../http/cookies';
import type { ParameterRules } from '../../http/query';
import type { Mode } from '../topology';
import type { Duplicates } from './key';
import { envoyCookie, haproxyCookie, nginxCookie } from './peer-cookies';

export interface Wire {
  /** What becomes of several lines of one header. */
  readonly duplicates: Duplicates;
  /** Whether a query parameter is decoded. */
  readonly decodesQuery: boolean;
  /** Which raw parameters count. */
  readonly parameters: ParameterRules;
  /** Whether what is taken from a path is decoded, and with it all that is in front (`uri`: nginx's `$uri`). */
  readonly path: 'raw' | 'segment' | 'uri';
  /** Whether a pattern on the raw path sees the query behind it, as in `$request_uri` and `:path`. */
  readonly patternSeesQuery: boolean;
  /** The cookie of that name in the whole field, the first where the peer has no other way; `undefined`: there is none. */
  readonly cookie: (field: string, name: string) => string | undefined;
  /** Whether an empty header or parameter is a key like any other; else it is none. */
  readonly keepsEmpty: boolean;
  /** Whether a client's address is hashed in its 4 or 16 bytes, and not as text. */
  readonly binaryAddress: boolean;
  /** Whether several sources are hashed each for itself. */
  readonly combines: boolean;
}

/** Where no peer has a say. */
const PLAIN: Wire = {
  duplicates: 'join',
  decodesQuery: true,
  parameters: {},
  path: 'segment',
  patternSeesQuery: false,
  cookie: cookieOf,
  keepsEmpty: false,
  binaryAddress: false,
  combines: false,
};

/** `$http_…` as from nginx 1.23 on (before, it was the first line alone), `$arg_…`, `$uri`, `$cookie_…`, `$remote_addr`. */
const NGINX: Wire = {
  ...PLAIN,
  decodesQuery: false,
  parameters: { anyCase: true },
  path: 'uri',
  patternSeesQuery: true,
  cookie: nginxCookie,
};

/** `balance hdr(…)`, `url_param`, `hash path,word(…,/)`, `hash req.cook(…)`, `hash src`. */
const HAPROXY: Wire = {
  ...PLAIN,
  duplicates: 'first-element',
  decodesQuery: false,
  path: 'raw',
  cookie: haproxyCookie,
  binaryAddress: true,
};

/** `hash_policy`: header, query_parameter, header `:path`, cookie, source_ip. */
const ENVOY: Wire = {
  ...PLAIN,
  duplicates: 'chain',
  decodesQuery: false,
  parameters: { bare: true },
  path: 'raw',
  patternSeesQuery: true,
  cookie: envoyCookie,
  keepsEmpty: true,
  combines: true,
};

const PEERS: Partial<Record<Mode, Wire>> = {
  'nginx-consistent': NGINX,
  'nginx-hash': NGINX,
  'haproxy-consistent': HAPROXY,
  'envoy-ring': ENVOY,
  'envoy-maglev': ENVOY,
};

export const wireOf = (mode: Mode): Wire => PEERS[mode] ?? PLAIN;

export const isNginx = (mode: Mode): boolean => wireOf(mode) === NGINX;
export const isHaproxy = (mode: Mode): boolean => wireOf(mode) === HAPROXY;
