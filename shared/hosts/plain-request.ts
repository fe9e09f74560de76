/**
 * Requests that two servers could read as two (RFC 9112 section 11.2), as far as the parser of node:http lets them through:
 * who stands before or behind us may read them otherwise, and take a part of one for another.
 *
 * Fails closed: such a request is refused, and whatever follows on its connection is no request any more.
 */
import type { IncomingMessage } from 'node:http';

/** What is wrong with a request, for its client; `undefined`: it can be read in one way only. */
export const ambiguityOf = ({ rawHeaders, httpVersion }: IncomingMessage): string | undefined => {
  // RFC 9112 section 2.3; the parser knows 0.9 and 2.0 as well.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'The version of HTTP must be 1.1.';
  let hosts = 0;
  let coding: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // Names are compared where their length fits: this runs for every request.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding')
      coding = `${coding === undefined ? '' : `${coding},`}${rawHeaders[i + 1]}`;
  }
  if (hosts > 1) return 'The request has two hosts.';
  if (hosts === 0 && httpVersion === '1.1') return 'The request has no host.';
  if (coding === undefined) return undefined;
  if (httpVersion === '1.0') return 'HTTP/1.0 has no transfer coding.';
  // RFC 9112 section 6.1: what is coded in another way as well would go on as if it were not.
  if (coding.trim().toLowerCase() !== 'chunked') return 'The only transfer coding is chunked.';
  return undefined;
};

const refused = new WeakSet<object>();

/** From now on nothing on this connection is a request. */
export const refuseAllOf = ({ socket }: IncomingMessage): void => void refused.add(socket);

export const isRefused = ({ socket }: { readonly socket: object }): boolean => refused.has(socket);
