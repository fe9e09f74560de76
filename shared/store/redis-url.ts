/** What a redis: URL says. Fails closed: what would not be used is refused, and no complaint shows a password. */

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** rediss:, with the authorities that Node trusts. */
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
  /** Before the colon that begins what all keys of the store have in common. */
  readonly prefix: string;
}

/** What to write instead. */
export const REDIS_FORM = 'redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=NAME';

const SCHEME = /^rediss?:\/\//i;
const DATABASE = /^\/?(\d{0,5})$/;
/** Without a colon: no store can have keys that look like those of another one. */
const PREFIX = /^[\w.-]{1,64}$/;

export const isRedisUrl = (url: string): boolean => SCHEME.test(url);

/** `undefined` for what is no such URL, or says more than can be heard. */
export const parseRedisUrl = (text: string): RedisServer | undefined => {
  if (!isRedisUrl(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const [, database] = DATABASE.exec(url.pathname) ?? [];
  const { prefix = 'faas', ...others } = Object.fromEntries(url.searchParams);
  const username = decode(url.username);
  const password = decode(url.password);
  const isUnderstood =
    url.hostname !== '' &&
    url.port !== '0' &&
    database !== undefined &&
    PREFIX.test(prefix) &&
    Object.keys(others).length === 0 &&
    url.searchParams.size <= 1 &&
    url.hash === '' &&
    username !== undefined &&
    password !== undefined &&
    // A user without a password would be nobody.
    (username === '' || password !== '');
  if (!isUnderstood) return undefined;
  return {
    // IPv6 without its brackets.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 6379),
    tls: url.protocol === 'rediss:',
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    database: Number(database),
    prefix,
  };
};

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};
