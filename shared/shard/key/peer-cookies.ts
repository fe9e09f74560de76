/**
 * How the peers read cookies: each tells names from values by rules of its own, and a key is only theirs if it is read
 * the same way.
 */

const EQUALS = 0x3d;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * `$cookie_…`. Source: ngx_http_parse_multi_header_lines. Names in any case, which is why `name` must be in lower case;
 * a value goes on to the next semicolon, but a comma ends what is skipped.
 */
export const nginxCookie = (field: string, name: string): string | undefined => {
  for (let at = 0; at < field.length; ) {
    if (isAt(field, name, at)) {
      const behind = skip(field, at + name.length, isBlank);
      const start = skip(field, behind + 1, isBlank);
      if (field.charCodeAt(behind) === EQUALS)
        return field.slice(start, skip(field, start, isNoSemicolon));
      // It has looked at one character in vain, and does not look at it again, even if it separates.
      at = behind + 1;
    }
    at = skip(field, skip(field, at, isNoSeparator) + 1, isBlank);
  }
  return undefined;
};

/**
 * `req.cook(…)`: the last of that name. Source: smp_fetch_cookie, http_extract_cookie_value. Commas separate too, but not
 * within quotes; an empty one at the very end is none.
 */
export const haproxyCookie = (field: string, name: string): string | undefined => {
  let last: string | undefined;
  for (let at = 0; at + name.length + 1 < field.length; ) {
    const start = skip(field, at, isSpace);
    const equals = skip(field, start, (unit) => unit !== EQUALS && isNoSeparator(unit));
    at = equals + 1;
    if (field.charCodeAt(equals) !== EQUALS) continue;
    const value = skip(field, equals + 1, isSpace);
    const end = unquotedEnd(field, value, isSeparator);
    at = end + 1;
    if (trimmed(field, start, equals) === name) last = trimmed(field, value, end);
  }
  return last;
};

/** `hash_policy`'s cookie. Source: utility.cc, forEachCookie. A pair of quotes around a value is no part of it. */
export const envoyCookie = (field: string, name: string): string | undefined => {
  for (let at = 0; at < field.length; ) {
    const end = skip(field, at, isNoSemicolon);
    const start = skip(field, at, isBlank);
    const equals = field.indexOf('=', at);
    at = end + 1;
    if (equals < 0 || equals >= end || field.slice(start, equals) !== name) continue;
    const isQuoted =
      end - equals > 2 &&
      field.charCodeAt(equals + 1) === QUOTE &&
      field.charCodeAt(end - 1) === QUOTE;
    return isQuoted ? field.slice(equals + 2, end - 1) : field.slice(equals + 1, end);
  }
  return undefined;
};

/** Where the first of `ends` stands outside of double quotes, from one on; the end of the text when there is none. */
export const unquotedEnd = (
  text: string,
  from: number,
  ends: (unit: number) => boolean,
): number => {
  let isQuoted = false;
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isQuoted && unit === BACKSLASH) at++;
    else if (unit === QUOTE) isQuoted = !isQuoted;
    else if (!isQuoted && ends(unit)) return at;
  }
  return text.length;
};

const skip = (text: string, from: number, while_: (unit: number) => boolean): number => {
  let at = from;
  while (at < text.length && while_(text.charCodeAt(at))) at++;
  return at;
};

const isBlank = (unit: number): boolean => unit === SPACE;
const isSpace = (unit: number): boolean => unit === SPACE || unit === TAB;
const isSeparator = (unit: number): boolean => unit === SEMICOLON || unit === COMMA;
const isNoSeparator = (unit: number): boolean => !isSeparator(unit);
const isNoSemicolon = (unit: number): boolean => unit !== SEMICOLON;

const trimmed = (text: string, from: number, to: number): string => {
  let end = to;
  while (end > from && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(from, end);
};

/** In ASCII; `lower` is in lower case. */
const isAt = (text: string, lower: string, at: number): boolean =>
  text.length - at >= lower.length && text.slice(at, at + lower.length).toLowerCase() === lower;
