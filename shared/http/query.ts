/** One parameter of a query, read out of the raw text: nothing is decoded that nobody asks for, and no list is made. */

/** The query of a URL as it came, without its `?` and without a fragment; `undefined`: there is not even a `?`. */
export const queryOf = (url: string): string | undefined => {
  const start = url.indexOf('?');
  if (start < 0) return undefined;
  const fragment = url.indexOf('#');
  if (fragment < 0) return url.slice(start + 1);
  return fragment < start ? undefined : url.slice(start + 1, fragment);
};

export interface ParameterRules {
  /** Whether `K` is `k`, in ASCII; the name must be given in lower case then. @default false */
  readonly anyCase?: boolean;
  /** Whether a name without `=` is a parameter too, an empty one. @default false */
  readonly bare?: boolean;
}

/** The first of that name, raw; `undefined`: there is none. The name is compared as it stands in the query. */
export const rawParameter = (
  query: string,
  name: string,
  { anyCase = false, bare = false }: ParameterRules = {},
): string | undefined => {
  const { length } = query;
  for (let at = 0; at < length; ) {
    const next = query.indexOf('&', at);
    const end = next < 0 ? length : next;
    const behind = at + name.length;
    if (behind <= end && (anyCase ? equalsAt(query, name, at) : query.startsWith(name, at))) {
      if (behind === end) {
        if (bare) return '';
      } else if (query.charCodeAt(behind) === EQUALS) return query.slice(behind + 1, end);
    }
    at = end + 1;
  }
  return undefined;
};

/**
 * The first of that name, raw, where names are those of a form (URL Standard, application/x-www-form-urlencoded): decoded
 * before they are compared. A name that cannot be decoded is none.
 */
export const formParameter = (query: string, name: string): string | undefined => {
  const { length } = query;
  for (let at = 0; at < length; ) {
    const next = query.indexOf('&', at);
    const end = next < 0 ? length : next;
    const equals = query.indexOf('=', at);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (end > at && isNamed(query, at, nameEnd, name)) return query.slice(nameEnd + 1, end);
    at = end + 1;
  }
  return undefined;
};

/** The first of that name in a URL, as a form means it; `undefined`: there is none. What cannot be decoded is given raw. */
export const queryText = (url: string, name: string): string | undefined => {
  const raw = formParameter(queryOf(url) ?? '', name);
  return raw === undefined ? undefined : (decodeForm(raw) ?? raw);
};

/** As `decodePercent`, and a `+` is a space. */
export const decodeForm = (raw: string): string | undefined =>
  hasCode(raw) ? decodePercent(raw.replaceAll('+', ' ')) : raw;

/**
 * Percent decoded, as UTF-8; characters from U+0080 up to U+00FF stand for bytes, as node:http gives them. `undefined`: a
 * `%` is not followed by two hex digits, or the bytes are not UTF-8.
 */
export const decodePercent = (raw: string): string | undefined => {
  if (!hasCode(raw)) return raw;
  try {
    return decodeURIComponent(escaped(raw));
  } catch {
    return undefined;
  }
};

const EQUALS = 0x3d;

const isNamed = (query: string, at: number, end: number, name: string): boolean => {
  const raw = query.slice(at, end);
  return hasCode(raw) ? decodeForm(raw) === name : raw === name;
};

/** Whether decoding may change it. */
const hasCode = (raw: string): boolean => {
  for (let at = 0; at < raw.length; at++) {
    const unit = raw.charCodeAt(at);
    if (unit === 0x25 || unit === 0x2b || unit > 0x7f) return true;
  }
  return false;
};

/** `decodeURIComponent` takes what is not ASCII for itself, and not for bytes. */
const escaped = (raw: string): string =>
  raw.replace(/[\u0080-\u00ff]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);

/** In ASCII; `lower` is in lower case. */
const equalsAt = (text: string, lower: string, from: number): boolean => {
  for (let at = 0; at < lower.length; at++) {
    const unit = text.charCodeAt(from + at);
    const folded = unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit;
    if (folded !== lower.charCodeAt(at)) return false;
  }
  return true;
};
