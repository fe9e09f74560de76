/** Nothing that is not public is ever connected to: every attempt here ends before a listener sees a connection. */
import type { LookupAddress } from 'node:dns';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { parseAllow } from '../../../shared/webhook/allow';
import { type Delivery, deliver } from '../../../shared/webhook/deliver';
import {
  createGuard,
  type Guard,
  MAX_ADDRESSES,
  PUBLIC_PORTS,
  unguarded,
} from '../../../shared/webhook/guard';
import { startChild } from '../../support/child';
import { closeReceivers, listen, receiver } from './receiver';
import { DISGUISES, LITERALS, NAMES } from './targets-inside';

/** On every address of this machine, IPv4 and IPv6. */
let port = 0;
let connects = 0;

const listener = createServer((socket) => {
  connects += 1;
  socket.on('error', () => {}).resume();
  socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\nsecret');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '::', resolve));
  port = (listener.address() as { port: number }).port;
});
afterAll(() => new Promise((resolve) => listener.close(resolve)));
beforeEach(() => {
  connects = 0;
});
afterEach(closeReceivers);

const send = (url: string, guard: Guard, timeout = 3_000): Promise<Delivery> =>
  deliver({
    url,
    headers: {},
    body: Buffer.from('{}'),
    timeout,
    signal: new AbortController().signal,
    guard,
  });

const FORBIDDEN = { error: 'forbidden_target' };
const NAME = 'hook.example.com';
const answers = (...addresses: readonly string[]): LookupAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

/** The port of the listener counts as one of the web: what refuses is the address. */
const guardWith = (lookup?: (name: string) => Promise<LookupAddress[]>, allow = ''): Guard =>
  createGuard({ ports: [port], allow: parseAllow(allow), ...(lookup && { lookup }) });

describe('without a guard', () => {
  test.each(['127.0.0.1', 'localhost', '2130706433', '0', '[::1]', '[::ffff:127.0.0.1]'])(
    '%s is connected to: what follows could fail',
    async (host) => {
      expect(await send(`http://${host}:${port}/`, unguarded)).toMatchObject({ status: 200 });
      expect(connects).toBe(1);
    },
  );
});

describe('a target inside', () => {
  test.each(LITERALS)('is refused as an address: %s', async (host) => {
    expect(await send(`http://${host}:${port}/`, guardWith())).toEqual(FORBIDDEN);
    expect(await send(`http://${host}/`, createGuard())).toEqual(FORBIDDEN);
    expect(connects).toBe(0);
  });

  test.each(NAMES)('is refused as a name, unseen: %s', async (host) => {
    const asked: string[] = [];
    const guard = guardWith(async (name) => {
      asked.push(name);
      return answers('127.0.0.1');
    });
    expect(await send(`http://${host}:${port}/`, guard)).toEqual(FORBIDDEN);
    expect(asked).toEqual([]);
    expect(connects).toBe(0);
  });

  test.each(DISGUISES)('is refused in disguise: %j', async (url, expected) => {
    const at = url.replaceAll('PORT', `${port}`);
    expect(await send(at, guardWith())).toEqual({ error: expected });
    expect(connects).toBe(0);
  });

  test.each(['LOCALHOST', 'Crm.Internal.', '127.0.0.1', '::1'])(
    'is refused also to who asks the guard itself: %j',
    (host) => {
      expect(createGuard().resolver(host, 443)).toBeUndefined();
    },
  );

  test('makes a hundred of them', () => {
    expect(LITERALS.length + NAMES.length + DISGUISES.length).toBeGreaterThanOrEqual(100);
  });
});

describe('a name', () => {
  test.each([
    ['loopback', answers('127.0.0.1')],
    ['loopback, IPv6', answers('::1')],
    ['private', answers('10.1.2.3')],
    ['metadata', answers('169.254.169.254')],
    ['mapped', answers('::ffff:127.0.0.1')],
    ['translated', answers('64:ff9b::7f00:1')],
    ['with a zone', answers('fe80::1%lo')],
    ['public first, loopback second', answers('8.8.8.8', '127.0.0.1')],
    ['loopback first, public second', answers('127.0.0.1', '8.8.8.8')],
    ['public, IPv6 inside', answers('8.8.8.8', '::1')],
    ['one inside among many', answers(...Array(20).fill('8.8.8.8'), '10.0.0.1')],
    ['nothing', answers()],
    ['a thousand, all public', answers(...Array(1_000).fill('8.8.8.8'))],
    ['one too many', answers(...Array(MAX_ADDRESSES + 1).fill('8.8.8.8'))],
    ['no address', answers('localhost')],
  ])('is refused that resolves to: %s', async (_, found) => {
    expect(
      await send(
        `http://${NAME}:${port}/`,
        guardWith(async () => found),
      ),
    ).toEqual(FORBIDDEN);
    expect(connects).toBe(0);
  });

  test('that is public resolves to what was judged, all or one', async () => {
    const found = answers('8.8.8.8', '2606:4700::1111');
    const resolve = guardWith(async () => found).resolver(NAME, port);
    const ask = (all: boolean) =>
      new Promise((done) => resolve?.(NAME, { all }, (...told) => done(told)));
    expect(await ask(true)).toEqual([null, found]);
    expect(await ask(false)).toEqual([null, '8.8.8.8', 4]);
  });

  test('is judged anew for each connection, and what is connected to is what was judged', async () => {
    const asked: string[] = [];
    // Rebinding: the first answer passes, the second does not.
    const guard = guardWith(async (name) => {
      asked.push(name);
      return answers(asked.length === 1 ? '127.0.0.1' : '::1');
    }, '127.0.0.1');
    expect(await send(`http://${NAME}:${port}/`, guard)).toMatchObject({ status: 200 });
    expect([asked.length, connects]).toEqual([1, 1]);
    expect(await send(`http://${NAME}:${port}/`, guard)).toEqual(FORBIDDEN);
    expect([asked.length, connects]).toEqual([2, 1]);
  });

  test('is not asked for while its socket is kept, which serves no other name, port or guard', async () => {
    const peer = await receiver((response) => response.end('ok'));
    const asked: string[] = [];
    const lookup = async (name: string) => {
      asked.push(name);
      return answers(asked.length === 1 ? '127.0.0.1' : '::1');
    };
    const options = { lookup, ports: [port, peer.port] };
    const guard = createGuard({ ...options, allow: parseAllow(`127.0.0.1:${peer.port}`) });
    const url = `http://${NAME}:${peer.port}/`;
    for (let i = 0; i < 3; i += 1) expect(await send(url, guard)).toMatchObject({ status: 200 });
    expect([asked.length, peer.connections]).toEqual([1, 1]);
    for (const other of [`http://other.example.com:${peer.port}/`, `http://${NAME}:${port}/`])
      expect(await send(other, guard)).toEqual(FORBIDDEN);
    expect(await send(url, createGuard(options))).toEqual(FORBIDDEN);
    expect([asked.length, peer.connections, peer.hits.length, connects]).toEqual([4, 1, 3, 0]);
  });

  test('that does not resolve is unreachable, to be tried again', async () => {
    const guard = guardWith(async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    });
    expect(await send(`http://${NAME}:${port}/`, guard)).toEqual({ error: 'unreachable' });
  });

  test('whose resolver hangs ends at the deadline, and is asked for once by all who wait', async () => {
    let asked = 0;
    const guard = guardWith(() => {
      asked += 1;
      return new Promise(() => {});
    });
    const start = performance.now();
    const deliveries = await Promise.all(
      Array.from({ length: 20 }, () => send(`http://${NAME}:${port}/`, guard, 200)),
    );
    expect(new Set(deliveries.map((one) => JSON.stringify(one)))).toEqual(
      new Set(['{"error":"timeout"}']),
    );
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(asked).toBe(1);
  });

  test('that has resolved is asked for again', async () => {
    let asked = 0;
    const guard = guardWith(async () => {
      asked += 1;
      return answers('10.0.0.1');
    });
    for (let i = 0; i < 3; i += 1) await send(`http://${NAME}:${port}/`, guard);
    expect(asked).toBe(3);
  });
});

describe('a port', () => {
  test.each([22, 25, 81, 6379, 9200, 65_535])(
    'is refused that is none of the web: %i',
    (number) => {
      const guard = createGuard({ lookup: async () => answers('8.8.8.8') });
      expect(guard.resolver('8.8.8.8', number)).toBeUndefined();
      expect(guard.resolver(NAME, number)).toBeUndefined();
    },
  );

  test.each(PUBLIC_PORTS)('is one of the web: %i', (number) => {
    const guard = createGuard();
    for (const host of ['8.8.8.8', '2606:4700::1111', NAME])
      expect(guard.resolver(host, number)).toBeDefined();
  });

  test('is refused also where some addresses are allowed', async () => {
    const guard = createGuard({
      lookup: async () => answers('8.8.8.8'),
      allow: parseAllow('10.0.0.0/8'),
    });
    expect(await send(`http://${NAME}:22/`, guard)).toEqual(FORBIDDEN);
  });
});

describe('the allow list', () => {
  const toLoopback = async () => answers('127.0.0.1');

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1:PORT', '127.0.0.1'],
    ['127.0.0.0/8', '127.0.0.1'],
    ['127.0.0.0/8', '2130706433'],
    ['::1/128', '[::1]'],
    ['[::1]:PORT', '[::1]'],
    ['localhost', 'localhost'],
    ['localhost', 'LOCALHOST.'],
    ['localhost:PORT', 'localhost'],
    ['127.0.0.1', 'localhost'],
    ['crm.internal', 'crm.internal'],
    ['127.0.0.0/8', 'crm.internal'],
    ['hook.example.com:PORT', NAME],
    ['10.0.0.0/8, 127.0.0.0/8', NAME],
  ])('with %s lets %s pass', async (allow, host) => {
    const list = parseAllow(allow.replace('PORT', `${port}`));
    const guard = createGuard({ allow: list, lookup: toLoopback });
    expect(await send(`http://${host}:${port}/`, guard)).toMatchObject({ status: 200 });
    expect(connects).toBe(1);
  });

  test.each([
    ['127.0.0.2', '127.0.0.1'],
    ['127.0.0.1:1', '127.0.0.1'],
    ['[::1]', '127.0.0.1'],
    ['127.0.0.1', '[::1]'],
    ['localhost:1', 'localhost'],
    ['10.0.0.0/8', 'localhost'],
    ['crm.internal', 'other.internal'],
    ['crm.internal', 'a.crm.internal'],
    ['8.8.8.0/24', NAME],
  ])('with %s does not let %s pass', async (allow, host) => {
    const guard = createGuard({ ports: [port], allow: parseAllow(allow), lookup: toLoopback });
    expect(await send(`http://${host}:${port}/`, guard)).toEqual(FORBIDDEN);
    expect(connects).toBe(0);
  });

  test('of addresses still refuses an answer of which a part is allowed', async () => {
    const guard = guardWith(async () => answers('127.0.0.1', '10.0.0.1'), '127.0.0.1');
    expect(await send(`http://${NAME}:${port}/`, guard)).toEqual(FORBIDDEN);
    expect(connects).toBe(0);
  });

  test('of addresses does not make public what has a name for inside', async () => {
    const guard = guardWith(async () => answers('8.8.8.8'), '10.0.0.0/8');
    expect(await send(`http://crm.internal:${port}/`, guard)).toEqual(FORBIDDEN);
  });
});

test.each([301, 302, 303, 307, 308])(
  'a redirect by %i to a target inside is not followed, nor told',
  async (status) => {
    const inside = `http://127.0.0.1:${port}/latest/meta-data`;
    const peer = await receiver((response) =>
      response.writeHead(status, { location: inside, refresh: `0;url=${inside}` }).end(),
    );
    const allow = parseAllow(`127.0.0.1:${peer.port}`);
    const delivery = await send(peer.url, createGuard({ allow }));
    expect(delivery).toEqual({ status, headers: {}, body: Buffer.alloc(0), truncated: false });
    expect([peer.hits.length, connects]).toEqual([1, 0]);
  },
);

test('a process with a proxy in its environment uses it for nothing', async () => {
  let proxied = 0;
  const proxy = await listen(
    createServer((socket) => {
      proxied += 1;
      socket.destroy();
    }),
  );
  const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [
    [name, proxy],
    [name.toLowerCase(), proxy],
  ]);
  const child = await startChild('test/shared/webhook/delivery-child.ts', [], {
    env: { ...Object.fromEntries(variables), NO_PROXY: '', no_proxy: '', NODE_USE_ENV_PROXY: '1' },
  });
  const ask = async (url: string, allow: string) => {
    child.send(JSON.stringify({ url, allow, timeout: 3_000 }));
    return JSON.parse(await child.line()).delivery;
  };
  const url = `http://127.0.0.1:${port}/`;
  expect(await ask(url, '')).toEqual(FORBIDDEN);
  expect(await ask('http://10.0.0.1/', '')).toEqual(FORBIDDEN);
  expect([connects, proxied]).toEqual([0, 0]);
  expect(await ask(url, '127.0.0.1')).toMatchObject({ status: 200 });
  expect([connects, proxied]).toEqual([1, 0]);
  child.kill();
  await child.ended;
});
