/** The bindings of a worker as environment variables, and those of them that lead to servers. */
import type { Environment, Settings } from '../../config';
import { SUITE_SETTINGS } from '../../suite/environment';
import type { Bindings, Fetcher } from './runtime';

const {
  SECRET_KEY,
  CALLER_TOKENS,
  ADMIN_TOKENS,
  PUBLIC_URL,
  TRUSTED_PROXY_HOPS,
  EDGE_BINDINGS,
  LOG_LEVEL,
} = SUITE_SETTINGS;

/** Those of the suite that mean something at the edge. */
export const EDGE_SETTINGS = {
  SECRET_KEY,
  CALLER_TOKENS,
  ADMIN_TOKENS,
  PUBLIC_URL,
  TRUSTED_PROXY_HOPS,
  EDGE_BINDINGS,
  LOG_LEVEL,
} as const satisfies Settings;

/** Texts as they are; numbers, truth values and JSON, which a worker may have as such, by their text. */
export const environmentOf = (bindings: Bindings): Environment =>
  Object.fromEntries(
    Object.entries(bindings).flatMap(([name, value]) => {
      const text = textOf(value);
      return text === undefined ? [] : [[name, text]];
    }),
  );

const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return isPlain(value) ? JSON.stringify(value) : undefined;
};

/** JSON, and not an object of the platform. */
const isPlain = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value));

/** Fetchers by origin. Throws a TypeError for an entry that is none, or whose binding is not there. */
export const fetchersOf = (
  entries: readonly string[],
  bindings: Bindings,
): ReadonlyMap<string, Fetcher> =>
  new Map(
    entries.map((entry) => {
      const [, origin = '', name = ''] = /^(.+)=(\w+)$/.exec(entry) ?? [];
      if (!URL.canParse(origin) || new URL(origin).origin !== origin)
        throw new TypeError(`${entry} must be ORIGIN=BINDING, such as http://10.0.0.7:8080=SHARD`);
      const fetcher = bindings[name];
      if (!isFetcher(fetcher)) throw new TypeError(`there is no service binding ${name}`);
      return [origin, fetcher];
    }),
  );

const isFetcher = (value: unknown): value is Fetcher =>
  typeof value === 'object' && value !== null && typeof (value as Fetcher).fetch === 'function';
