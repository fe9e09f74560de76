/**
 * A request as fetch is told of it: target, method and fields, by the rules of the other hosts (shared/hosts/forward).
 *
 * Fails closed: what fetch could only send otherwise is refused.
 */
import { Failure } from '../../failure';
import type { ForwardOptions } from '../../handler';
import { HeaderPairs } from '../../http/headers';
import { connectionOptions, endToEnd, isHopByHop } from '../../http/hop-by-hop';
import { platformAddress } from './client-address';
import type { FetchInit } from './runtime';

/** Only a WebSocket; what else could be upgraded is an ordinary request. */
const isWebSocket = ({ method, headers }: Request): boolean =>
  method === 'GET' && headers.get('upgrade')?.toLowerCase() === 'websocket';

const PATH = /^\/[\x21-\x7e\x80-\uffff]*$/;

/**
 * A URL would take these apart: what stands behind `#` is not sent, `\` is read as `/`, and a segment of dots walks to
 * another place than the one that was routed.
 */
const UNSENDABLE = /#|^[^?]*(?:\\|\/(?:\.|%2e){1,2}(?:$|[/?]))/i;

/** Throws `invalid_request` for one that a client may have sent; a TypeError for what is no path. */
export const checkedPath = (path: string): string => {
  if (UNSENDABLE.test(path))
    throw new Failure('invalid_request', {
      detail:
        'The path cannot be sent on as it came: it has `#`, a backslash, or a segment of dots.',
    });
  // Without its slash it would become a part of the host.
  if (!PATH.test(path)) throw new TypeError('the path to forward to is not one');
  return path;
};

export interface OutgoingOptions extends Pick<ForwardOptions, 'method' | 'headers' | 'body'> {
  /** Whether X-Forwarded-Host and -Proto come from a proxy of ours. */
  readonly trustsForwarded: boolean;
}

export const initOf = (
  request: Request,
  options: OutgoingOptions,
): Omit<FetchInit, 'body'> & { readonly method: string } => {
  const { method = request.method, body } = options;
  if (body === undefined && request.bodyUsed)
    throw new TypeError('the body was read already: give forward the bytes to send');
  if ((body ?? request.body) !== null && /^(?:get|head)$/i.test(method))
    throw new Failure('invalid_request', {
      detail: `At the edge a ${method} request cannot be sent on with a body.`,
    });
  return {
    method,
    headers: outgoing(request, options),
    redirect: 'manual',
    encodeResponseBody: 'manual',
  };
};

/** Written by the runtime itself: the frames of a WebSocket are its own on both sides. */
const OWN: ReadonlySet<string> = new Set([
  'host',
  'expect',
  'content-length',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
]);

const outgoing = (
  request: Request,
  { headers = {}, trustsForwarded }: OutgoingOptions,
): [string, string][] => {
  const changes = Object.entries({ ...added(request, trustsForwarded), ...lowered(headers) });
  const replaced = new Set(changes.map(([name]) => name));
  const came = endToEnd(
    HeaderPairs.from(request.headers).raw(),
    (name) => OWN.has(name) || replaced.has(name),
  );
  const fields: [string, string][] = [];
  for (let i = 0; i < came.length; i += 2) fields.push([came[i] as string, came[i + 1] as string]);
  for (const [name, value] of changes)
    if (value !== undefined && value !== '') fields.push([name, value]);
  if (isWebSocket(request)) fields.push(['upgrade', 'websocket']);
  return fields;
};

/** For the server behind: whom we were called by, and what that caller asked for. */
const added = (request: Request, trustsForwarded: boolean): Record<string, string> => {
  const { headers, url } = request;
  const isOurs = (name: string) =>
    !connectionOptions(headers.get('connection') ?? '').includes(name);
  const before = (name: string) => {
    const came = isOurs(name) ? headers.get(name) : null;
    return came === null ? '' : `${came}, `;
  };
  const trusted = (name: string) => (trustsForwarded && headers.get(name)) || undefined;
  return {
    via: `${before('via')}1.1 faas-patterns`,
    'x-forwarded-for': callers(request, before('x-forwarded-for')),
    'x-forwarded-host': trusted('x-forwarded-host') ?? headers.get('host') ?? '',
    'x-forwarded-proto': trusted('x-forwarded-proto') ?? (/^\w+/.exec(url)?.[0] as string),
  };
};

/** Each proxy adds whom it was called by, once; `unknown` where it cannot tell, since an entry must not be missing. */
const callers = (request: Request, before: string): string => {
  const { address, isNoted } = platformAddress(request);
  return isNoted && before !== '' ? before.slice(0, -2) : before + (address ?? 'unknown');
};

/** Throws a TypeError for a change that a handler must not make. */
const lowered = (
  headers: NonNullable<ForwardOptions['headers']>,
): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const lower = name.toLowerCase();
      if (value !== undefined && (OWN.has(lower) || isHopByHop(lower)))
        throw new TypeError(`at the edge forward takes no ${name}: the runtime writes it`);
      return [lower, value];
    }),
  );
