/** The store that STORE_URL names. */
import { resolve } from 'node:path';
import { type Clock, systemClock } from '../clock';
import { memoryStore } from './memory';
import { redisStore } from './redis';
import { isRedisUrl, parseRedisUrl, REDIS_FORM } from './redis-url';
import { sqliteStore } from './sqlite';
import type { Store } from './store';

export interface OpenStoreOptions {
  /** A Redis server has its own. @default systemClock */
  readonly clock?: Clock;
  /** Where a relative path begins. @default the working directory */
  readonly folder?: string;
}

const KNOWN = 'use memory:, sqlite:PATH or redis://HOST';
/** A path, without the host, query and fragment that other URLs have; `:memory:` is not a file. */
const FILE = /^(?!\/\/[^/]|:memory:$)[^\0?#]*[^\0?#/]$/;
/** They hold a password where ours have a path, so a complaint names the scheme only. */
const PLANNED = /^(etcds?):/i;

/** What is wrong with the URL, for one line after its name; `undefined` when it can be opened. Opens nothing. */
export const checkStoreUrl = (url: string): string | undefined => {
  if (url === 'memory:') return undefined;
  const path = pathOf(url);
  if (path !== undefined)
    return FILE.test(path)
      ? undefined
      : 'must name a file after sqlite:, such as sqlite:./.data/faas.db';
  if (isRedisUrl(url)) return parseRedisUrl(url) ? undefined : `must be like ${REDIS_FORM}`;
  const [, planned] = PLANNED.exec(url) ?? [];
  if (planned) return `names ${planned.toLowerCase()}, for which there is no adapter yet; ${KNOWN}`;
  return `is not the URL of a store; ${KNOWN}`;
};

/** Throws a TypeError with that complaint. What is outside of the process is opened at the first call of the store. */
export const openStore = (
  url: string,
  { clock = systemClock, folder = '.' }: OpenStoreOptions = {},
): Store => {
  const complaint = checkStoreUrl(url);
  if (complaint) throw new TypeError(`url ${complaint}`);
  if (isRedisUrl(url)) return redisStore({ url });
  const path = pathOf(url);
  return path === undefined
    ? memoryStore({ clock })
    : sqliteStore({ path: resolve(folder, path), clock });
};

const pathOf = (url: string): string | undefined =>
  url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
