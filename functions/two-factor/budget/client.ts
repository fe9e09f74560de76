/** The client behind an address, as far as budgets go by it. */
import { isIP } from 'node:net';

/** Networks of our own: who calls from there is a proxy or a service, and stands for many clients. */
const OWN_V4 =
  /^(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
/** Loopback, link-local, unique local (RFC 4291 section 2.5, RFC 4193). */
const OWN_V6 = /^(?:0:0:0:0:0:0:0:1$|fe[89ab][0-9a-f]:|f[cd][0-9a-f]{2}:)/;

/**
 * An IPv4 address, or the /64 of an IPv6 one, which is what one line gets (RFC 6177); `undefined` when nobody can be
 * told by it: there is none, or it is of a private network.
 */
export const clientOf = (address: string | undefined): string | undefined => {
  const [text = ''] = (address ?? '').split('%');
  if (isIP(text) === 4) return OWN_V4.test(text) ? undefined : text;
  if (isIP(text) !== 6) return undefined;
  const groups = groupsOf(text);
  const mapped = mappedV4(groups);
  if (mapped) return clientOf(mapped);
  return OWN_V6.test(groups.join(':')) ? undefined : `${groups.slice(0, 4).join(':')}::/64`;
};

/** Eight groups in lower case, without leading zeros. */
const groupsOf = (address: string): string[] => {
  // The parser of URLs (WHATWG) knows every spelling, and writes an embedded IPv4 address as two groups.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  return [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
};

/** Of `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2): the same client, seen by a socket of both families. */
const mappedV4 = (groups: readonly string[]): string | undefined => {
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return undefined;
  return groups
    .slice(6)
    .flatMap((group) => {
      const bits = Number.parseInt(group, 16);
      return [bits >> 8, bits & 255];
    })
    .join('.');
};
