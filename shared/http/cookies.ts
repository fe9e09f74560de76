/** Cookies out of the field that clients send (RFC 6265 section 4.2). */

/** The value of the first cookie of that name that has one, quotes and all; `undefined`: there is none. */
export const cookieOf = (field: string, name: string): string | undefined => {
  for (let at = 0; at < field.length; ) {
    const next = field.indexOf(';', at);
    const end = next < 0 ? field.length : next;
    const start = skipSpace(field, at, end);
    const behind = start + name.length;
    if (field.startsWith(name, start) && field.charCodeAt(behind) === EQUALS) {
      const value = field.slice(behind + 1, end).trim();
      if (value !== '') return value;
    }
    at = end + 1;
  }
  return undefined;
};

export interface CookieOptions {
  readonly name: string;
  /** Fit for a cookie as it is: no space, no quote, comma, semicolon or backslash. */
  readonly value: string;
  /** @default '/' */
  readonly path?: string | undefined;
  /** How long it is kept, in ms; less than a second counts as one. @default until the client ends its session */
  readonly ttl?: number | undefined;
  /** Whether it is only sent over TLS. */
  readonly secure: boolean;
}

/** A whole Set-Cookie value, for a cookie that no script reads and no other site's form sends (RFC 6265bis section 4.1). */
export const setCookie = ({ name, value, path = '/', ttl, secure }: CookieOptions): string =>
  [
    `${name}=${value}`,
    `Path=${path}`,
    ...(ttl === undefined ? [] : [`Max-Age=${Math.ceil(ttl / 1000)}`]),
    'HttpOnly',
    'SameSite=Lax',
    ...(secure ? ['Secure'] : []),
  ].join('; ');

const EQUALS = 0x3d;

const skipSpace = (text: string, from: number, end: number): number => {
  let at = from;
  while (at < end && (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09)) at++;
  return at;
};
