/** Whom a host takes for its caller: what comes in X-Forwarded-For, and the address by the number of trusted proxies. */

export interface AddressCase {
  readonly name: string;
  /** The fields as they are on the wire, one each. */
  readonly forwardedFor: readonly string[];
  /** With 0, 1 and 2 trusted proxies; the test's own socket is 127.0.0.1. */
  readonly addresses: readonly [string, string, string];
}

const SOCKET = '127.0.0.1';
const CALLER = '198.51.100.9';
const PROXY = '192.0.2.1';

export const ADDRESS_CASES: readonly AddressCase[] = [
  { name: 'no field', forwardedFor: [], addresses: [SOCKET, SOCKET, SOCKET] },
  { name: 'an empty field', forwardedFor: [''], addresses: [SOCKET, SOCKET, SOCKET] },
  {
    name: 'what one proxy notes',
    forwardedFor: [CALLER],
    addresses: [SOCKET, CALLER, SOCKET],
  },
  {
    name: 'what two proxies note',
    forwardedFor: [`${CALLER}, ${PROXY}`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'an address that the caller made up',
    forwardedFor: [`203.0.113.99, ${CALLER}, ${PROXY}`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'a field of the caller beside that of the proxies',
    forwardedFor: ['203.0.113.99', `${CALLER},${PROXY}`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'a field from each proxy',
    forwardedFor: ['203.0.113.99', CALLER, PROXY],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'a thousand made up',
    forwardedFor: [`${'203.0.113.99,'.repeat(1_000)}${CALLER},${PROXY}`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'commas alone before what the proxies note',
    forwardedFor: [`,,, ,,${CALLER},${PROXY}`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'a quote that the caller left open',
    forwardedFor: [`"203.0.113.99, ${CALLER}, ${PROXY}`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'a proxy that does not tell',
    forwardedFor: ['203.0.113.99, unknown, _hidden'],
    addresses: [SOCKET, SOCKET, SOCKET],
  },
  {
    name: 'a proxy that notes nothing',
    forwardedFor: ['203.0.113.99,,'],
    addresses: [SOCKET, SOCKET, SOCKET],
  },
  {
    name: 'IPv6, however it is written',
    forwardedFor: ['2001:DB8:0:0:0:0:0:00aB, [2001:db8::cd]:443'],
    addresses: [SOCKET, '2001:db8::cd', '2001:db8::ab'],
  },
  {
    name: 'IPv4 inside of IPv6, and with a port',
    forwardedFor: [`::ffff:${CALLER}, ${PROXY}:5123`],
    addresses: [SOCKET, PROXY, CALLER],
  },
  {
    name: 'a zone',
    forwardedFor: ['fe80::1%25eth0, [fe80::2%eth0]:80'],
    addresses: [SOCKET, 'fe80::2', 'fe80::1'],
  },
];
