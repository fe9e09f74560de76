/** A key out of the path: a segment of it, or what a pattern finds. */
import { Failure } from '../../failure';
import type { Context } from '../../handler';
import { decodePercent, queryOf } from '../../http/query';
import type { Key, KeyValue } from './key';
import { nginxUri } from './nginx-uri';
import { type ToOctets, toKey } from './octets';
import { compilePattern } from './pattern';
import type { Wire } from './wire';

export interface PathOptions {
  /** A segment from 1 on, or a pattern. */
  readonly path: number | string;
  readonly style: Wire['path'];
  readonly patternSeesQuery: boolean;
  readonly octets: ToOctets;
}

export const pathReader = ({
  path,
  style,
  patternSeesQuery,
  octets,
}: PathOptions): ((request: Request, context: Context) => Key | undefined) => {
  const source = typeof path === 'number' ? `path segment ${path}` : `path pattern ${path}`;
  const find = typeof path === 'number' ? segmentAt(path) : compilePattern(path);
  const seesQuery = typeof path === 'string' && style === 'raw' && patternSeesQuery;
  const value = style === 'segment' ? decodedOf : toKey;
  return ({ url }, context) => {
    if (style === 'segment' && hasDots(context.path))
      throw new Failure('invalid_request', {
        detail: 'The path must not hold `.` or `..` as a segment.',
      });
    const text = octets(withoutFragment(context.path));
    const whole =
      style === 'uri' ? nginxUri(text) : seesQuery ? text + questioned(octets, queryOf(url)) : text;
    const found = whole === undefined ? undefined : find(whole);
    return found ? { value: value(found), source } : undefined;
  };
};

/** Whoever resolves them behind would see another key than was found here. Modes of a peer do as it does. */
const hasDots = (path: string): boolean =>
  (path.includes('/.') || path.includes('%')) && DOTS.test(path);
const DOTS = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\;]|%2f|%5c|%3b)/i;

/** An empty one is none: `//` is one slash. */
const segmentAt =
  (wanted: number) =>
  (path: string): string | undefined => {
    let nth = 0;
    for (let at = 0; at < path.length; ) {
      const next = path.indexOf('/', at);
      const end = next < 0 ? path.length : next;
      if (end > at && ++nth === wanted) return path.slice(at, end);
      at = end + 1;
    }
    return undefined;
  };

/** What cannot be decoded is taken raw. */
const decodedOf = (raw: string): KeyValue => decodePercent(raw) ?? toKey(raw);

const questioned = (octets: ToOctets, query: string | undefined): string =>
  query === undefined ? '' : `?${octets(query)}`;

const withoutFragment = (path: string): string => {
  const at = path.indexOf('#');
  return at < 0 ? path : path.slice(0, at);
};
