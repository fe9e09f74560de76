/** The store when its server is away, silent, full, or not what it should be. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ABSENT, type Store } from '../../../shared/store/store';
import { startChild } from '../../support/child';
import type { RedisServer } from '../../support/redis';
import { redisLab, sleep, until } from '../../support/redis-lab';
import { freePort } from '../../support/restate';
import { AUTHORITY, CERTIFICATES, KEY } from '../webhook/certificates';

const lab = redisLab();
const UNAVAILABLE = { name: 'Failure', code: 'store_unavailable', retryable: true };
const says = (message: string) => ({ ...UNAVAILABLE, message });

/** Nothing that goes wrong may end the process. */
const strays: unknown[] = [];
const stray = (error: unknown) => void strays.push(error);
beforeAll(() => void process.on('unhandledRejection', stray));
afterAll(() => {
  process.off('unhandledRejection', stray);
  expect(strays).toEqual([]);
});

/** How every call ends; in the order of the methods. */
const outcomes = async (store: Store): Promise<unknown[]> =>
  Promise.all(
    [
      store.get('a'),
      store.compareAndSwap('a', ABSENT, 1),
      store.delete('a'),
      store.list(''),
      lab.watch('a', store).state(),
    ].map((call) => call.catch((error: unknown) => error)),
  );
const expectAll = async (store: Store, refusal: object): Promise<void> => {
  for (const outcome of await outcomes(store)) expect(outcome).toMatchObject(refusal);
};
const isRefused = (code: unknown) => (error: unknown) =>
  (error as { code?: unknown } | undefined)?.code === code;

const proxies: Server[] = [];
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.close();
});

/** A way to the server on which, after `silence`, nothing comes through any more but on new connections. */
const silentProxy = async (port: number) => {
  const pairs = new Set<readonly Socket[]>();
  const proxy = createServer((near) => {
    const far = connect({ port, host: '127.0.0.1' });
    const pair = [near, far] as const;
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) socket.on('error', () => undefined);
    near.on('close', () => {
      pairs.delete(pair);
      far.destroy();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  proxies.push(proxy);
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    open: () => pairs.size,
    silence: () => {
      for (const [near, far] of pairs) {
        near?.unpipe();
        far?.unpipe();
        near?.resume();
        far?.resume();
      }
    },
  };
};

describe('redis: a server that is away', () => {
  test('is told at once, by every call', async () => {
    const store = lab.store(`redis://127.0.0.1:${await freePort()}`);
    const before = performance.now();
    await expectAll(store, UNAVAILABLE);
    await expectAll(store, UNAVAILABLE);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  test('is found as soon as it is there', async () => {
    const server = await lab.server();
    await server.kill();
    const store = lab.store(server.url);
    await expectAll(store, UNAVAILABLE);
    await server.start();
    const entry = await until(
      () => store.compareAndSwap('a', ABSENT, 1).catch(() => undefined),
      (found) => found !== undefined,
    );
    expect(entry).toMatchObject({ key: 'a', value: 1 });
  });

  test('and comes back empty has lost its entries, and no version comes twice', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const first = await store.compareAndSwap('a', ABSENT, 1);
    await server.kill();
    await expect(store.get('a')).rejects.toMatchObject(UNAVAILABLE);
    await server.start();
    expect(
      await until(
        () => store.get('a').catch((error) => error),
        (found) => found === undefined,
      ),
    ).toBeUndefined();
    const second = await store.compareAndSwap('a', ABSENT, 1);
    expect(second?.version).toBeGreaterThan(first?.version as number);
  });

  test('while calls are under way ends them all', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    await store.get('a');
    const writing = Array.from({ length: 200 }, (_, index) =>
      store.compareAndSwap(`k${index}`, ABSENT, 'x'.repeat(100_000)),
    );
    await Promise.any(writing);
    await server.kill();
    const ends = await Promise.allSettled(writing);
    const failures = ends.filter((end) => end.status === 'rejected');
    for (const { reason } of failures) expect(reason).toMatchObject(UNAVAILABLE);
  });

  test('is not asked more often than ten times a second, however often it is called', async () => {
    const store = lab.store(`redis://127.0.0.1:${await freePort()}`);
    // Loads the client, which takes its time.
    await store.get('a').catch(() => undefined);
    const causes = new Set<unknown>();
    for (const end = performance.now() + 500; performance.now() < end; await sleep(1))
      await store.get('a').catch(({ cause }) => causes.add(cause));
    expect(causes.size).toBeGreaterThan(0);
    expect(causes.size).toBeLessThanOrEqual(6);
  });
});

describe('redis: a server that is silent', () => {
  const timeout = 500;

  test.each<[string, (server: RedisServer) => unknown]>([
    ['frozen', (server) => server.freeze()],
    [
      'paused',
      async (server) => {
        // It answers nobody who asks for more, not even us.
        server.command('CLIENT', 'PAUSE', '1500').catch(() => undefined);
        await sleep(50);
      },
    ],
  ])('is given up after the timeout, and used when it speaks: %s', async (_, silence) => {
    const server = await lab.server();
    const used = lab.store(server.url, { timeout });
    const unused = lab.store(server.url, { timeout });
    const entry = await used.compareAndSwap('b', ABSENT, 1);
    await silence(server);
    for (const store of [used, unused]) {
      const before = performance.now();
      await expectAll(store, UNAVAILABLE);
      expect(performance.now() - before).toBeGreaterThan(timeout - 10);
      expect(performance.now() - before).toBeLessThan(10 * timeout);
    }
    server.goOn();
    for (const store of [used, unused])
      expect(
        await until(
          () => store.get('b').catch((error) => error),
          (found) => found?.key === 'b',
        ),
      ).toEqual(entry);
  });

  test('may have done what it did not answer: who watches hears of it', async () => {
    const server = await lab.server();
    const store = lab.store(server.url, { timeout, pollInterval: 1e6 });
    // So that the server knows how.
    await store.compareAndSwap('b', ABSENT, 1);
    const { state } = lab.watch('a', store);
    await state();
    const next = state();
    server.freeze();
    await expect(store.compareAndSwap('a', ABSENT, 1)).rejects.toMatchObject(UNAVAILABLE);
    server.goOn();
    expect(await next).toMatchObject({ key: 'a', value: 1 });
  });

  test('and will never speak again on this connection is asked on another', async () => {
    const server = await lab.server();
    const between = await silentProxy(server.port);
    const store = lab.store(between.url, { timeout, pollInterval: 100 });
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    const { state } = lab.watch('a', store);
    expect(await state()).toEqual(entry);
    const next = state();
    between.silence();
    await expect(store.get('a')).rejects.toMatchObject(UNAVAILABLE);
    expect(await store.get('a')).toEqual(entry);
    // The one to hear by is given up by the poll.
    const [deleted, seen] = await Promise.all([store.delete('a'), next.catch((error) => error)]);
    expect(deleted).toBe(true);
    expect([undefined, 'store_unavailable']).toContain(seen?.code);
    expect(
      await until(
        async () => between.open(),
        (count) => count === 1 || count === 2,
      ),
    ).toBeLessThanOrEqual(2);
  });

  test('is not blamed for what this process was busy with', async () => {
    const server = await lab.server();
    const store = lab.store(server.url, { timeout });
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    server.freeze();
    const reading = store.get('a');
    // Until the command has gone out; and behind a look at the sockets, before one at the timers.
    await sleep(20);
    await new Promise((resolve) => setImmediate(resolve));
    const start = performance.now();
    while (performance.now() < start + timeout / 2);
    server.goOn();
    while (performance.now() < start + 1.5 * timeout);
    expect(await reading).toEqual(entry);
  });

  test('is not confused with one that has much to say: its connection stays', async () => {
    const server = await lab.server();
    const store = lab.store(server.url, { timeout });
    await store.compareAndSwap('a', ABSENT, 'x'.repeat(1_000_000));
    const own = async () => /id=(\d+) .*cmd=eval/.exec(await server.command('CLIENT', 'LIST'))?.[1];
    const before = await own();
    expect(before).toBeDefined();
    const answers = await Promise.allSettled(Array.from({ length: 300 }, () => store.get('a')));
    const statuses = new Set(answers.map(({ status }) => status));
    // Some came too late, and those before them in time.
    expect(statuses).toEqual(new Set(['fulfilled', 'rejected']));
    expect(await own()).toBe(before);
  });
});

describe('redis: a connection that is cut', () => {
  test('while nobody uses it is not noticed', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    for (let round = 0; round < 3; round += 1) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await sleep(50);
      expect(await store.get('a')).toEqual(entry);
    }
  });
});

describe('redis: TLS', () => {
  /** The same server over TLS, by a certificate for `localhost` and 127.0.0.1. */
  const secured = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
    const files = { key: KEY, cert: CERTIFICATES.good, ca: AUTHORITY };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const port = await freePort();
    const server = await lab.server({
      args: [
        ...['--bind', '127.0.0.1', '127.0.0.2'],
        ...['--tls-port', `${port}`, '--tls-auth-clients', 'no'],
        ...['--tls-cert-file', join(folder, 'cert'), '--tls-key-file', join(folder, 'key')],
        ...['--tls-ca-cert-file', join(folder, 'ca')],
      ],
    });
    return { server, url: `rediss://127.0.0.1:${port}`, ca: join(folder, 'ca'), folder };
  };

  test('is used with a server whose authority Node trusts, and with no other', async () => {
    const { server, url, ca, folder } = await secured();
    const entry = await lab.store(server.url).compareAndSwap('a', ABSENT, 1);
    const child = await startChild('test/support/store-child.ts', ['watch', url, 'a'], {
      env: { NODE_EXTRA_CA_CERTS: ca },
    });
    const { stdout, stderr } = await child.ended;
    expect([JSON.parse(stdout), stderr]).toEqual([entry, '']);
    await expectAll(lab.store(url), UNAVAILABLE);
    // A name that is not in the certificate.
    const other = await startChild(
      'test/support/store-child.ts',
      ['write', url.replace('127.0.0.1', '127.0.0.2'), 'k'],
      { env: { NODE_EXTRA_CA_CERTS: ca } },
    );
    expect((await other.ended).stdout).toMatch(/^{"code":"store_unavailable"/);
    await rm(folder, { recursive: true });
  });

  test('with a server that knows nothing of it is unavailable, within the timeout', async () => {
    const server = await lab.server();
    const url = server.url.replace('redis:', 'rediss:');
    await expectAll(lab.store(url, { timeout: 500 }), UNAVAILABLE);
  });
});

describe('redis: a server that refuses', () => {
  test('a wrong password is told, without it, and the right one is taken', async () => {
    const server = await lab.server({ args: ['--requirepass', 'richtig'] });
    for (const user of [':falsch@', 'default:falsch@', 'nobody:falsch@', '']) {
      const store = lab.store(server.url.replace('//', `//${user}`));
      const error = await store.get('a').catch((thrown) => thrown);
      expect(error).toMatchObject(says('The server refuses the credentials.'));
      expect(`${error.stack} ${error.cause.stack} ${JSON.stringify(error)}`).not.toMatch(/falsch/);
    }
    const store = lab.store(server.url.replace('//', '//:richtig@'));
    expect(await store.compareAndSwap('a', ABSENT, 1)).toBeDefined();
  });

  test('a user needs no more rights than the manual says, and one with less is told so', async () => {
    const server = await lab.server();
    const rights = '~faas:* &faas:* +@read +@write +@scripting +@pubsub +@connection +time';
    await server.command('ACL', 'SETUSER', 'ada', 'on', '>geheim', ...rights.split(' '));
    const store = lab.store(server.url.replace('//', '//ada:geheim@'));
    const { state } = lab.watch('a', store);
    expect(await state()).toBeUndefined();
    const entry = await store.compareAndSwap('a', ABSENT, 1, { ttl: 1e6 });
    expect(await state()).toEqual(entry);
    expect((await store.list('')).entries).toEqual([entry]);
    expect(store.capabilities.survivesCrash).toBe(false);
    await server.command('ACL', 'SETUSER', 'ada', 'resetchannels');
    // And nothing of it is written.
    const refusal = says('The server does not let this user do what the store needs.');
    await expect(store.delete('a')).rejects.toMatchObject(refusal);
    await expect(store.compareAndSwap('b', ABSENT, 1)).rejects.toMatchObject(refusal);
    expect((await store.list('')).entries).toEqual([entry]);
  });

  test('a server without memory refuses to write, is read, and lets go of what is deleted', async () => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    const refusal = says('The server has no memory left.');
    await expect(store.compareAndSwap('b', ABSENT, 1)).rejects.toMatchObject(refusal);
    await expect(store.compareAndSwap('a', entry?.version as number, 1)).rejects.toMatchObject(
      refusal,
    );
    expect((await store.list('')).entries).toEqual([entry]);
    expect(await store.delete('a')).toBe(true);
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    expect(await store.compareAndSwap('a', ABSENT, 1)).toBeDefined();
  });

  test('a server that cannot save refuses to write, and is read', async () => {
    const server = await lab.server({
      args: ['--save', '3600 1', '--enable-protected-configs', 'yes'],
    });
    const store = lab.store(server.url);
    const entry = await store.compareAndSwap('a', ABSENT, 1);
    await server.command('CONFIG', 'SET', 'dir', '/proc');
    await server.command('BGSAVE');
    let count = 0;
    const failed = () => {
      count += 1;
      return store.compareAndSwap(`b${count}`, ABSENT, 1).catch((error) => error);
    };
    expect(await until(failed, isRefused('store_unavailable'))).toMatchObject(
      says('The server cannot write to its disk.'),
    );
    expect(await store.get('a')).toEqual(entry);
  });

  test('a replica is refused, also one that was the primary until now', async () => {
    const [primary, replica] = [await lab.server(), await lab.server()];
    const store = lab.store(replica.url);
    await store.compareAndSwap('a', ABSENT, 1);
    await replica.command('REPLICAOF', '127.0.0.1', `${primary.port}`);
    const refusal = says('The server is a read-only replica.');
    await expect(store.compareAndSwap('b', ABSENT, 1)).rejects.toMatchObject(refusal);
    // It has looked again, whom it is talking to.
    await expectAll(store, refusal);
    await expectAll(lab.store(replica.url), refusal);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    const written = await until(
      () => store.compareAndSwap('c', ABSENT, 1).catch(() => undefined),
      (found) => found !== undefined,
    );
    expect(written).toBeDefined();
  });

  test('a server of a cluster is refused', async () => {
    const server = await lab.server({ args: ['--cluster-enabled', 'yes'] });
    await expectAll(lab.store(server.url), {
      ...UNAVAILABLE,
      message: expect.stringMatching(/^The server is one of a cluster/),
    });
  });

  test('a server that is still loading is told as such', async () => {
    const slowly = '--rdbcompression no --key-load-delay 20000';
    const often = '--loading-process-events-interval-bytes 1024';
    const server = await lab.server({ args: `${slowly} ${often}`.split(' ') });
    const store = lab.store(server.url);
    const entries: unknown[] = [];
    for (let index = 0; index < 50; index += 1)
      entries.push(await store.compareAndSwap(`k${index}`, ABSENT, 'x'.repeat(500)));
    await server.command('SAVE');
    await server.kill();
    await server.start();
    const answer = await until(
      () => store.get('k0').catch((error) => error),
      (found) => !(found instanceof Error) || /loading/.test(found.message),
    );
    expect(answer).toMatchObject(says('The server is loading its data.'));
    expect(
      await until(
        () => store.get('k49').catch((error) => error),
        (found) => !(found instanceof Error),
      ),
    ).toEqual(entries[49]);
  });

  test.each([
    ['an entry', 'e:a'],
    ['the version', 'version'],
    ['the keys', 'keys'],
    ['the expiries', 'expiries'],
  ])('something else in the place of %s is told, and stays as it is', async (_, name) => {
    const server = await lab.server();
    const store = lab.store(server.url);
    const refusal = says('Something else is in the place of the store.');
    const fill: readonly (readonly string[])[] = [
      ['RPUSH', `faas:${name}`, 'mine'],
      ...(['e:a', 'version'].includes(name) ? [['SET', `faas:${name}`, 'mine']] : []),
    ];
    for (const command of fill) {
      await server.command('FLUSHALL');
      await server.command(...command);
      const keys = await server.command('DBSIZE');
      await expect(store.compareAndSwap('a', ABSENT, 1, { ttl: 9 })).rejects.toMatchObject(refusal);
      await expect(store.compareAndSwap('a', ABSENT, 1)).rejects.toMatchObject(refusal);
      expect(await server.command('DBSIZE')).toBe(keys);
    }
    if (name === 'e:a') return;
    await server.command('FLUSHALL');
    await store.compareAndSwap('a', ABSENT, 1, { ttl: 1e6 });
    await server.command('DEL', `faas:${name}`);
    await server.command('RPUSH', `faas:${name}`, 'mine');
    await expect(store.delete('a')).rejects.toMatchObject(refusal);
    expect(await store.get('a')).toBeDefined();
  });
});
