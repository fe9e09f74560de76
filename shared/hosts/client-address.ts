/**
 * Who calls, as an IP address: by the socket, or by what the proxies that we run before us have noted.
 *
 * X-Forwarded-For grows at its right end: each proxy adds whom it was called by, and all left of that came from
 * outside. So entries are counted from the right, as many as there are proxies of ours, and whatever a caller sends
 * moves nothing. It holds as long as nobody reaches this host around them. `Forwarded` and `X-Real-IP` are not read:
 * a proxy that does not know them lets them through as the caller wrote them.
 *
 * Fails closed: where the entry is missing (somebody came around the outer proxies, or told a proxy by `Connection` to
 * drop the field) or is no address (`unknown`), the socket's stands. That is a proxy's, which nobody can choose, and
 * all who are like that share it.
 */
import { ipFamily } from '../ip';

export interface ClientAddressOptions {
  /** The other end of the socket; asked for when nothing else counts. */
  readonly peer: () => string | undefined;
  /** All X-Forwarded-For fields, joined in their order; asked for only when it counts. */
  readonly forwardedFor: () => string | null;
  /** How many proxies of ours a request comes through; 0: none, and nothing that is sent is believed. */
  readonly hops: number;
}

/** In its one usual form; `undefined` when the socket has none either. */
export const clientAddress = ({
  peer,
  forwardedFor,
  hops,
}: ClientAddressOptions): string | undefined => {
  const entry = hops > 0 ? fromRight(forwardedFor() ?? '', hops) : undefined;
  return parseAddress(entry ?? '') ?? parseAddress(peer() ?? '');
};

/** The n-th entry from the right; an empty one counts, as only a trusted proxy could have put it there. */
const fromRight = (list: string, n: number): string | undefined => {
  let end = list.length;
  for (let i = 1; ; i += 1) {
    const comma = end > 0 ? list.lastIndexOf(',', end - 1) : -1;
    if (i === n) return list.slice(comma + 1, end);
    if (comma < 0) return undefined;
    end = comma;
  }
};

/**
 * One address has many spellings, and each must count as one caller: IPv6 is shortened as in RFC 5952, an IPv4 address
 * mapped into it (RFC 4291 section 2.5.5.2) stands for itself; port, brackets and zone go. `undefined`: it is none.
 */
export const parseAddress = (text: string): string | undefined => {
  const trimmed = text.trim();
  const [, bracketed, dotted] = /^(?:\[([^[\]]+)\]|([\d.]+))(?::\d{1,5})?$/.exec(trimmed) ?? [];
  const [address = ''] = (bracketed ?? dotted ?? trimmed).split('%', 1);
  const family = ipFamily(address);
  if (family !== 6) return family === 4 ? address : undefined;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(short) ?? [];
  return high && low ? [...bytesOf(high), ...bytesOf(low)].join('.') : short;
};

const bytesOf = (group: string): readonly number[] => {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
};
