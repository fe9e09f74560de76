/** Asking name servers, real ones over UDP and TCP: whole answers or an error, in time. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nodeNames } from '../../shared/hosts/node-names';
import { type DnsServer, startDnsServer } from '../support/dns-server';

let server: DnsServer;
beforeAll(async () => {
  server = await startDnsServer();
});
afterAll(() => server?.stop());

const never = new AbortController().signal;
const names = () => nodeNames({ servers: [server.address], retryAfter: 100 });
const service = (target: string, port = 80, priority = 0, weight = 0) => ({
  target,
  port,
  priority,
  weight,
});
const countOf = (question: string) => server.questions.filter((one) => one === question).length;

describe('addresses', () => {
  test('are those of both families', async () => {
    server.set('both.test', 'A', ['10.0.0.2', '10.0.0.1']);
    server.set('both.test', 'AAAA', ['fd00::1', '2001:db8::a:1']);
    const found = await names().addresses('both.test', never);
    expect([...found].sort()).toEqual(['10.0.0.1', '10.0.0.2', '2001:db8::a:1', 'fd00::1']);
  });

  test('are those of the only family that there is', async () => {
    server.set('four.test', 'A', ['10.0.0.1']);
    server.set('six.test', 'AAAA', ['fd00::1']);
    expect(await names().addresses('four.test', never)).toEqual(['10.0.0.1']);
    expect(await names().addresses('six.test', never)).toEqual(['fd00::1']);
  });

  test.each(['SERVFAIL', 'REFUSED', 'silence', 'garbage'] as const)(
    'of one family are no answer when the other is %s: some would be missing',
    async (failure) => {
      server.set('half.test', 'A', ['10.0.0.1']);
      server.set('half.test', 'AAAA', failure);
      await expect(names().addresses('half.test', never)).rejects.toThrow(/queryAaaa E/);
      server.set('half.test', 'AAAA', []);
      expect(await names().addresses('half.test', never)).toEqual(['10.0.0.1']);
    },
  );

  test('of a name that is not there, or has other records only, are an error', async () => {
    await expect(names().addresses('nobody.test', never)).rejects.toThrow(/ENOTFOUND/);
    server.set('other.test', 'SRV', [service('a.test')]);
    await expect(names().addresses('other.test', never)).rejects.toThrow(/ENODATA/);
  });
});

describe('services', () => {
  test('come with all that their records say, without the dot of the root', async () => {
    const records = [
      service('db-1.test', 5432, 1, 7),
      service('db-0.test', 65_535, 65_535, 65_535),
    ];
    server.set('_db._tcp.test', 'SRV', records);
    const found = await names().services('_db._tcp.test', never);
    expect([...found].sort((a, b) => a.priority - b.priority)).toEqual(records);
  });

  test('that are said not to be there have the root as target', async () => {
    server.set('_none._tcp.test', 'SRV', [service('')]);
    expect(await names().services('_none._tcp.test', never)).toEqual([service('')]);
  });

  test('too many for one datagram are asked for again by TCP', async () => {
    const records = Array.from({ length: 300 }, (_, n) => service(`db-${n}.cluster.test`, n + 1));
    server.set('_many._tcp.test', 'SRV', records);
    const found = await names().services('_many._tcp.test', never);
    expect([...found].sort((a, b) => a.port - b.port)).toEqual(records);
    expect(countOf('udp SRV _many._tcp.test')).toBe(1);
    expect(countOf('tcp SRV _many._tcp.test')).toBe(1);
  });

  test.each([
    ['SERVFAIL', /ESERVFAIL/],
    ['REFUSED', /EREFUSED/],
    ['silence', /ETIMEOUT/],
    ['garbage', /E[A-Z]+/],
  ] as const)('that the server answers with %s are an error', async (failure, code) => {
    server.set('_bad._tcp.test', 'SRV', failure);
    await expect(names().services('_bad._tcp.test', never)).rejects.toThrow(code);
  });
});

describe('a question', () => {
  test('that is lost on its way is put again', async () => {
    server.set('late.test', 'A', 'silence');
    const asked = names().addresses('late.test', never);
    while (countOf('udp A late.test') === 0) await new Promise((go) => setTimeout(go, 5));
    server.set('late.test', 'A', ['10.0.0.1']);
    expect(await asked).toEqual(['10.0.0.1']);
  });

  test('ends with the signal, and no other one does', async () => {
    server.set('slow.test', 'A', 'silence');
    const patient = nodeNames({ servers: [server.address], retryAfter: 300 });
    const impatient = new AbortController();
    const [one, other] = [
      patient.addresses('slow.test', impatient.signal),
      patient.addresses('slow.test', never),
    ];
    while (countOf('udp A slow.test') < 2) await new Promise((go) => setTimeout(go, 5));
    impatient.abort();
    await expect(one).rejects.toThrow(/ECANCELLED/);
    server.set('slow.test', 'A', ['10.0.0.1']);
    expect(await other).toEqual(['10.0.0.1']);
  });

  test('is not put at all when the signal has aborted', async () => {
    await expect(names().addresses('unasked.test', AbortSignal.abort())).rejects.toThrow(/abort/i);
    expect(countOf('udp A unasked.test')).toBe(0);
  });

  test('goes to the next server when one is down', async () => {
    const down = await startDnsServer();
    await down.stop();
    server.set('next.test', 'A', ['10.0.0.1']);
    const both = nodeNames({ servers: [down.address, server.address], retryAfter: 100 });
    expect(await both.addresses('next.test', never)).toEqual(['10.0.0.1']);
  });
});
