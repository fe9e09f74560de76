/** Members as a real name server lists them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { nodeNames } from '../../../../shared/hosts/node-names';
import { shardsOfServices } from '../../../../shared/shard/members/dns';
import type { LiveTableOptions } from '../../../../shared/shard/members/live-table';
import { type DnsServer, startDnsServer } from '../../../support/dns-server';
import { randomOf } from '../../../support/random';
import { until } from '../../../support/redis-lab';
import { addressesOf, NATIVE, never, tableLab } from './lab';

let server: DnsServer;
beforeAll(async () => {
  server = await startDnsServer();
});
afterAll(() => server?.stop());

let count = 0;
let name: string;
beforeEach(() => {
  count += 1;
  name = `shards-${count}.test`;
});

const lab = tableLab();
const service = (target: string, port = 80, weight = 1, priority = 0) => ({
  target,
  port,
  weight,
  priority,
});
const tableOf = (
  { port, every = '100ms' }: { readonly port?: number; readonly every?: string } = {},
  options: Partial<LiveTableOptions> = {},
) =>
  lab({
    members: { from: 'dns', name, every, ...(port !== undefined && { port }) },
    names: nodeNames({ servers: [server.address], retryAfter: 100 }),
    ...options,
  });
const shuffled = <T>(items: readonly T[], random: () => number): T[] =>
  items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

describe('SRV records', () => {
  test('make shards named by their targets, with their ports and weights; 0 is 1', async () => {
    server.set(name, 'SRV', [service('db-1.test', 81, 7), service('DB-0.test', 80, 0)]);
    const table = await tableOf().table.ready(never);
    expect(table.shards).toMatchObject([
      { name: 'db-0.test', address: 'db-0.test:80', weight: 1 },
      { name: 'db-1.test', address: 'db-1.test:81', weight: 7 },
    ]);
    expect(table.epoch).toBe(0);
  });

  test('of a higher priority number wait until there are none of a lower one', async () => {
    const [first, spare] = [service('a.test', 80, 1, 10), service('b.test', 80, 1, 20)];
    server.set(name, 'SRV', [spare, first]);
    const { table } = tableOf();
    await table.ready(never);
    expect(addressesOf(table)).toBe('a.test:80');
    server.set(name, 'SRV', [spare]);
    await table.refresh(never);
    expect(addressesOf(table)).toBe('b.test:80');
  });

  test('more than a datagram holds are all there', async () => {
    server.set(
      name,
      'SRV',
      Array.from({ length: 200 }, (_, n) => service(`db-${n}.db.default.svc.cluster.local`)),
    );
    expect((await tableOf().table.ready(never)).shards).toHaveLength(200);
  });

  test('stand in the order of a StatefulSet, whatever the order of the answer', () => {
    const targets = ['0.a', 'a', 'a-2-x', 'a-10-b', 'db', 'db-0', 'db-2', 'db-02', 'db-10', 'e'];
    const records = [...targets.map((target) => service(target)), service('e', 9)];
    const random = randomOf(1);
    const expected = shardsOfServices(records);
    expect(
      expected.map((one) => one.name).filter((one) => /^(?:db-|a-)\d+/.test(one ?? '')),
    ).toEqual(['a-2-x', 'a-10-b', 'db-0', 'db-02', 'db-2', 'db-10']);
    for (let round = 0; round < 200; round += 1) {
      const asked = shuffled([...records, ...records], random);
      expect(shardsOfServices(asked)).toEqual(expected);
    }
  });

  test('of one target with two ports are a mistake: two shards would have one name', async () => {
    server.set(name, 'SRV', [service('a.test', 80)]);
    const { table, lines } = tableOf();
    const first = await table.ready(never);
    server.set(name, 'SRV', [service('a.test', 80), service('a.test', 81)]);
    expect(await table.refresh(never)).toBe(first);
    expect(lines.at(-1)?.fields.mistakes).toEqual([
      '/shards/1/name is that of /shards/0: names must differ',
    ]);
  });
});

describe('addresses', () => {
  test('make shards at the port, in the order of their bytes, those of IPv6 in brackets', async () => {
    server.set(name, 'A', ['10.0.0.9', '10.0.0.10', '9.0.0.1', '10.0.0.9']);
    server.set(name, 'AAAA', ['fd00::2', '2001:db8::1']);
    const { shards } = await tableOf({ port: 8080 }).table.ready(never);
    const addresses = shards.map(({ address }) => address);
    expect(addresses).toEqual([
      '10.0.0.10:8080',
      '10.0.0.9:8080',
      '9.0.0.1:8080',
      '[2001:db8::1]:8080',
      '[fd00::2]:8080',
    ]);
    expect(shards.map((shard) => shard.name)).toEqual(addresses);
    for (const address of addresses) expect(URL.canParse(`http://${address}`)).toBe(true);
  });

  test('in any order make one digest, also where the order decides', async () => {
    const addresses = Array.from({ length: 12 }, (_, n) => `10.0.0.${n}`);
    const random = randomOf(2);
    const digests = new Set<string>();
    for (const mode of ['native', 'jump', 'modulo'] as const) {
      digests.clear();
      for (let round = 0; round < 5; round += 1) {
        server.set(name, 'A', shuffled(addresses, random));
        const options = { topology: { mode, ...(mode !== 'native' && { hash: 'md5' }) } };
        digests.add((await tableOf({ port: 80 }, options).table.ready(never)).digest);
      }
      expect(digests.size).toBe(1);
    }
  });
});

describe('a name that has no good answer', () => {
  test.each(['SERVFAIL', 'REFUSED', 'garbage', 'silence'] as const)(
    'but %s leaves the last good table, and says so once',
    async (failure) => {
      server.set(name, 'SRV', [service('a.test')]);
      const { table, logged } = tableOf();
      const first = await table.ready(never);
      server.set(name, 'SRV', failure);
      for (let round = 0; round < 2; round += 1) expect(await table.refresh(never)).toBe(first);
      expect(logged('warn')).toEqual(['shard_members_unreachable']);
      server.set(name, 'SRV', [service('b.test')]);
      expect((await table.refresh(never)).shards[0]?.name).toBe('b.test');
    },
  );

  test('because it has no records, is gone, or is said to have no service, leaves the last good table', async () => {
    server.set(name, 'SRV', [service('a.test')]);
    const { table, logged, lines } = tableOf();
    const first = await table.ready(never);
    server.set(name, 'SRV', []);
    expect(await table.refresh(never)).toBe(first);
    server.set(name, 'SRV', [service('', 0)]);
    expect(await table.refresh(never)).toBe(first);
    expect(lines.at(-1)?.fields.mistakes).toEqual(['/ has no records']);
    server.remove(name);
    expect(await table.refresh(never)).toBe(first);
    expect(logged('warn')).toEqual([
      'shard_members_unreachable',
      'shard_members_unusable',
      'shard_members_unreachable',
    ]);
  });

  test('makes no table of what the template would make', async () => {
    server.set(name, 'SRV', [service('', 0)]);
    const topology = { mode: 'ordinal', template: 'db-{n}:80', replicas: 2 } as const;
    const { table } = tableOf({}, { topology, timeout: 200 });
    await expect(table.ready(never)).rejects.toMatchObject({ code: 'table_unavailable' });
  });

  test('is asked again until it has one, for whoever waits', async () => {
    const { table } = tableOf({ every: '1h' }, { topology: NATIVE });
    const waiting = [table.ready(never), table.ready(never), table.ready(never)];
    await until(async () => server.questions.includes(`udp SRV ${name}`), Boolean);
    server.set(name, 'SRV', [service('a.test')]);
    const [first, ...others] = await Promise.all(waiting);
    expect(others).toEqual([first, first]);
  });
});

test('a name that is followed is asked again and again', async () => {
  server.set(name, 'SRV', [service('a.test')]);
  const of = tableOf();
  void of.follow();
  await of.table.ready(never);
  server.set(name, 'SRV', [service('a.test'), service('b.test')]);
  const found = await until(
    async () => addressesOf(of.table),
    (addresses) => addresses.includes('b'),
  );
  expect(found).toBe('a.test:80 b.test:80');
});
