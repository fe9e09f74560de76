/**
 * Who calls, as an IP address. A worker sees no socket: the platform has to say.
 *
 * Fails closed: what a caller could have written is not believed. `TRUSTED_PROXY_HOPS` proxies before the worker are
 * counted from the right of X-Forwarded-For, as on the other hosts; where the entry is missing there is no address.
 * With 0, the runtime's own word counts (`request.cf`, which nobody can send): it names the other end of the socket
 * (workerd), or stands for a network that writes CF-Connecting-IP over whatever a caller sent (Cloudflare). Where there
 * is neither, there is no address.
 */
import { clientAddress, parseAddress } from '../client-address';

/** `hops`: as in TRUSTED_PROXY_HOPS. */
export const edgeClientAddress = (request: Request, hops: number): string | undefined =>
  hops > 0
    ? clientAddress({
        peer: () => undefined,
        forwardedFor: () => request.headers.get('x-forwarded-for'),
        hops,
      })
    : platformAddress(request).address;

/**
 * What the runtime says of its caller. `isNoted`: the network has written it into X-Forwarded-For already, as the last.
 */
export const platformAddress = (
  request: Request,
): { readonly address: string | undefined; readonly isNoted: boolean } => {
  const { cf } = request as { readonly cf?: { readonly clientIp?: unknown } | null };
  if (cf === undefined || cf === null) return { address: undefined, isNoted: false };
  const isSocket = typeof cf.clientIp === 'string';
  const text = isSocket ? (cf.clientIp as string) : request.headers.get('cf-connecting-ip');
  return { address: parseAddress(text ?? ''), isNoted: !isSocket };
};
