/**
 * Which addresses are on the public internet.
 *
 * Fails closed: outside of what IANA has given out for it, and within it for a special use, nothing is. An IPv6 address
 * that holds an IPv4 one (mapped, compatible, translated, 6to4, Teredo) is never public, whatever it holds.
 */
import { BlockList, isIP } from 'node:net';

/** IANA IPv4 Special-Purpose Address Registry, and multicast. */
const SPECIAL_V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared, with a metadata server of Alibaba
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // the host of every virtual machine of Azure
  '169.254.0.0/16', // link-local, with most metadata servers
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments, with a metadata server of Oracle
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/** All that is given out (RFC 4291 section 2.4): loopback, mapped, NAT64, local and multicast are outside. */
const GLOBAL_V6 = '2000::/3';

/** IANA IPv6 Special-Purpose Address Registry, as far as it is inside. */
const SPECIAL_V6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3ffe::/16', // 6bone, given back
  '3fff::/20', // documentation
];

/** Adds `address/bits`. */
export const addRange = (list: BlockList, range: string): void => {
  const [address = '', bits] = range.split('/');
  list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
};

export const isInRange = (list: BlockList, address: string): boolean =>
  list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const listOf = (ranges: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return list;
};

const specialV4 = listOf(SPECIAL_V4);
const globalV6 = listOf([GLOBAL_V6]);
const specialV6 = listOf(SPECIAL_V6);

/** Of an address in its usual text form; anything else, one with a zone too, is not public. */
export const isPublicAddress = (address: string): boolean => {
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !isInRange(specialV4, address);
  return family === 6 && isInRange(globalV6, address) && !isInRange(specialV6, address);
};
