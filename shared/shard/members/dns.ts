/**
 * Members as a name of DNS lists them: each router that gets the same records, in whatever order, makes the same table.
 * A server that gives a part of the records only (some give eight of many by chance) is of no use here.
 *
 * Fails closed: a name without records is a mistake, not an empty table.
 */
import { parseDuration } from '../../duration';
import type { Names, ServiceRecord } from '../../platform';
import { compareKeys } from '../bytes';
import type { ShardInput } from '../topology';
import { readMembersDocument } from './document';
import type { Reader } from './reader';
import type { MembersSource } from './source';

export const dnsReader = (
  { name, port, type, every = '5s' }: Extract<MembersSource, { from: 'dns' }>,
  names: Names,
): Reader => {
  const isService = type === 'SRV' || port === undefined;
  return {
    name: `dns ${isService ? 'SRV' : 'A'} ${name}`,
    every: parseDuration(every) as number,
    onlyNewer: false,
    look: async (signal) => {
      const shards = isService
        ? shardsOfServices(await names.services(name, signal))
        : shardsOfAddresses(await names.addresses(name, signal), port);
      return {
        mark: JSON.stringify(shards),
        read: (topology) =>
          shards.length === 0
            ? { mistakes: [{ pointer: '', message: 'has no records' }] }
            : readMembersDocument(topology, { shards }),
      };
    },
  };
};

/** Their names are their addresses, in the order of their bytes. */
export const shardsOfAddresses = (
  addresses: readonly string[],
  port: number,
): readonly ShardInput[] =>
  [...new Set(addresses)]
    .map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
    .sort(compareKeys)
    .map((address) => ({ address, name: address }));

/**
 * Those of the lowest priority (RFC 2782), named by their targets, since addresses come and go. In the order of a
 * StatefulSet, db-2 before db-10: some modes go by the place in the list. Weight 0, a very small chance there, is 1 here.
 */
export const shardsOfServices = (records: readonly ServiceRecord[]): readonly ShardInput[] => {
  // A single target of the root says that there is no such service.
  const there = records.filter(({ target }) => target !== '');
  const first = Math.min(...there.map(({ priority }) => priority));
  const shards = there
    .filter(({ priority }) => priority === first)
    .map(({ target, port, weight }) => ({
      address: `${target.toLowerCase()}:${port}`,
      name: target.toLowerCase(),
      weight: Math.max(weight, 1),
    }));
  return [...new Map(shards.map((one) => [JSON.stringify(one), one])).values()].sort(
    (a, b) => compareNumbered(a.name, b.name) || compareKeys(a.address, b.address),
  );
};

/** As their bytes, but a number in them counts as one. */
const compareNumbered = (a: string, b: string): number => {
  const [as, bs] = [a, b].map((text) => text.split(/(\d+)/)) as [string[], string[]];
  for (const [i, one] of as.entries()) {
    const other = bs[i] ?? '';
    const order = i % 2 === 1 ? Number(one) - Number(other) : compareKeys(one, other);
    if (order !== 0) return order;
  }
  return as.length - bs.length;
};
