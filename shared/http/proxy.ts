/**
 * A handler that stands for a server behind: the host moves the bytes (`context.forward`).
 *
 * Fails closed: a path that could climb out of the target's own path goes nowhere.
 */
import { Failure } from '../failure';
import type { Handler } from '../handler';
import { rawQuery } from './raw-query';
import { forwardOptionsOf } from './with-body';

export interface ProxyOptions {
  /** How long to wait for the head of the answer, in ms. @default 30000 */
  readonly timeout?: number;
  /** How long to wait between two parts of its body, or of what was upgraded, in ms. @default `timeout` */
  readonly idle?: number;
}

/**
 * Sends each request to `target`, an http(s) URL, with its method, fields, body and query as they are.
 * The path below the function is put behind the target's path, percent-encoding untouched; `/` itself
 * is the target's path as it is written.
 *
 * A body stays a stream that nobody reads, unless a decorator has put another in its place.
 * Throws a TypeError for a target that is no such URL or that holds credentials, a query or a fragment.
 */
export const proxyTo = (target: string, { timeout = 30_000, idle }: ProxyOptions = {}): Handler => {
  const { origin, path: base } = readTarget(target);
  const stem = base.replace(/\/$/, '');
  const waits = { timeout, ...(idle !== undefined && { idle }) };
  return (request, context) => {
    if (CLIMBS.test(context.path))
      throw new Failure('invalid_request', { detail: 'The path must not hold `..`.' });
    const path = (context.path === '/' ? base : stem + context.path) + rawQuery(request.url);
    return context.forward(origin, { path, ...waits, ...forwardOptionsOf(request) });
  };
};

/** A segment `..` in any of the ways that some server behind may read it: encoded, behind `\`, before `;`. */
const CLIMBS = /(?:[/\\]|%2f|%5c)(?:\.|%2e){2}(?:$|[/\\;]|%2f|%5c|%3b)/i;

const readTarget = (target: string): { origin: string; path: string } => {
  let url: URL;
  try {
    url = new URL(target);
  } catch {
    throw new TypeError('the target must be an http or https URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError('the target must be an http or https URL');
  if (url.username || url.password)
    throw new TypeError('the target must not hold credentials: they would show in the call graph');
  if (url.search || url.hash)
    throw new TypeError('the target must have neither query nor fragment');
  return { origin: url.origin, path: url.pathname };
};
