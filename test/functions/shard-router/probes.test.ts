import { getEventListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type ActiveChecksOptions,
  activeChecks,
  isDue,
  isHealthy,
} from '../../../functions/shard-router/probes';
import { systemClock } from '../../../shared/clock';
import type { Shard } from '../../../shared/shard/topology';
import { type ManualClock, manualClock } from '../../support/manual-clock';
import { chance, openAll, serversOf, shardOf, wishOf } from './servers-harness';

const EVERY = 5_000;
const TIMEOUT = 1_000;

type Ask = ActiveChecksOptions['ask'];

/** Checks of these shards until the test is over, by a clock that it moves. */
const checking = (shards: readonly Shard[], ask: Ask, more: Partial<ActiveChecksOptions> = {}) => {
  const clock = manualClock();
  const active = { every: EVERY, timeout: TIMEOUT };
  const servers = serversOf(shards, { active });
  const stop = new AbortController();
  const options = { servers, path: '/health', ...active, clock, random: chance(2), ask, ...more };
  const done = activeChecks(options)(stop.signal);
  ending.push(async () => {
    stop.abort();
    await done;
  });
  const stateOf = (url: string) => servers.states(clock.now()).find((one) => one.url === url);
  return { clock, servers, stop, done, stateOf };
};

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(ending.splice(0).map((end) => end()));
});

/** In small steps, as time goes. */
const pass = async (clock: ManualClock, ms: number) => {
  for (let left = ms; left > 0; left -= 100) await clock.advance(Math.min(left, 100));
};

test.each([
  [199, false],
  [200, true],
  [204, true],
  [302, true],
  [399, true],
  [400, false],
  [503, false],
])('an answer %d is healthy: %s', (status, healthy) => {
  expect(isHealthy(status)).toBe(healthy);
});

test.each([
  ['closed', 999, false],
  ['closed', 1_000, true],
  ['open', 9_000, false],
  ['half-open', 0, true],
  // The clock was set back by an hour.
  ['closed', 1_000 - 3_600_000, true],
] as const)('a server that is %s at %d, its turn at 1000, is due: %s', (state, now, due) => {
  expect(isDue(state, 1_000, now, EVERY)).toBe(due);
});

describe('active checks', () => {
  test('ask each server for the path, once in its time, not all together', async () => {
    const shards = Array.from({ length: 20 }, (_, n) => shardOf(`s${n}`));
    const asked: { url: string; at: number }[] = [];
    const { clock } = checking(shards, async (url, path, timeout) => {
      expect([path, timeout]).toEqual(['/health', TIMEOUT]);
      asked.push({ url, at: clock.now() });
      return 200;
    });
    await pass(clock, 10 * EVERY);
    for (const { urls } of shards) {
      const times = asked.filter(({ url }) => url === urls?.[0]).map(({ at }) => at);
      expect(times.length).toBeGreaterThanOrEqual(8);
      expect(times.length).toBeLessThanOrEqual(11);
    }
    expect(new Set(asked.slice(0, 20).map(({ at }) => at)).size).toBeGreaterThan(5);
  });

  test('ask a server that two shards have as often as any other', async () => {
    let asked = 0;
    const shards = [shardOf('a'), shardOf('b', 1, { urls: ['http://a-1'] })];
    const { clock } = checking(shards, async () => {
      asked += 1;
      return 200;
    });
    await pass(clock, 10 * EVERY);
    expect(asked).toBeLessThanOrEqual(11);
  });

  test('open a server that fails them, and close it with the first that it passes when its time is over', async () => {
    const a = shardOf('a');
    let status = 500;
    let asked = 0;
    const { clock, servers, stateOf } = checking([a], async () => {
      asked += 1;
      return status;
    });
    await pass(clock, 3 * 1.1 * EVERY + EVERY);
    expect(stateOf('http://a-1')).toMatchObject({ state: 'open', failures: 3 });
    const { retryAt = 0 } = stateOf('http://a-1') ?? {};
    status = 200;
    asked = 0;
    await pass(clock, retryAt - clock.now() - 100);
    expect(asked).toBe(0);
    expect(servers.choose(wishOf([a]), clock.now()).kind).toBe('refused');
    await pass(clock, 600);
    expect(stateOf('http://a-1')?.state).toBe('closed');
  });

  test('keep a server open that goes on to fail, while no request is sent to it', async () => {
    const a = shardOf('a');
    const { clock, servers, stateOf } = checking([a], () => Promise.reject(new Error('refused')));
    openAll(servers, a, clock.now());
    for (let n = 0; n < 40; n += 1) {
      await pass(clock, 1_000);
      expect(servers.choose(wishOf([a]), clock.now()).kind).toBe('refused');
    }
    expect(stateOf('http://a-1')?.state).not.toBe('closed');
  });

  test('take one that never answers for failed, have its signal told, and are never two at one server', async () => {
    let running = 0;
    let most = 0;
    let told = 0;
    const ask: Ask = (_url, _path, _timeout, signal) => {
      running += 1;
      most = Math.max(most, running);
      signal.addEventListener('abort', () => {
        running -= 1;
        told += 1;
      });
      return new Promise(() => {});
    };
    const { clock, stateOf } = checking([shardOf('a')], ask, { every: TIMEOUT / 2 });
    await pass(clock, 6 * TIMEOUT);
    expect(most).toBe(1);
    expect(told).toBeGreaterThanOrEqual(3);
    expect(stateOf('http://a-1')?.state).toBe('open');
  });

  test('are not more at once than they may be, and leave nobody out', async () => {
    const shards = Array.from({ length: 30 }, (_, n) => shardOf(`s${n}`));
    const asked = new Set<string>();
    let running = 0;
    let most = 0;
    const ask: Ask = async (url) => {
      asked.add(url);
      running += 1;
      most = Math.max(most, running);
      await clock.sleep(400);
      running -= 1;
      return 200;
    };
    const { clock } = checking(shards, ask, { width: 4 });
    await pass(clock, 4 * EVERY);
    expect(most).toBe(4);
    expect(asked.size).toBe(30);
  });

  test('follow the table', async () => {
    const asked: string[] = [];
    const { clock, servers } = checking([shardOf('a')], async (url) => {
      asked.push(url);
      return 200;
    });
    await pass(clock, 2 * EVERY);
    servers.update([shardOf('b')]);
    asked.length = 0;
    await pass(clock, 2 * EVERY);
    expect(new Set(asked)).toEqual(new Set(['http://b-1']));
  });

  test.each([
    ['never answers', () => {}],
    ['answers then', (answer: (status: number) => void) => answer(500)],
  ])(
    'end soon after they are told to, where a server %s, and say nothing more',
    async (_how, then) => {
      let isAsked = false;
      const ask: Ask = (_url, _path, _timeout, signal) =>
        new Promise((resolve) => {
          isAsked = true;
          signal.addEventListener('abort', () => then(resolve));
        });
      const { clock, stop, done, stateOf } = checking([shardOf('a')], ask);
      for (let n = 0; n < 100 && !isAsked; n += 1) await pass(clock, 100);
      expect(isAsked).toBe(true);
      stop.abort();
      await done;
      await pass(clock, 2 * EVERY);
      expect(stateOf('http://a-1')).toMatchObject({ state: 'closed', failures: 0 });
    },
  );

  test('survive an `ask` that throws', async () => {
    const { clock, stateOf } = checking([shardOf('a')], () => {
      throw new TypeError('no such url');
    });
    await pass(clock, 4 * 1.1 * EVERY);
    expect(stateOf('http://a-1')?.state).toBe('open');
  });

  test.each([
    { every: 0 },
    { every: Number.POSITIVE_INFINITY },
    { timeout: Number.NaN },
    { width: -1 },
  ])('refuse %j', (wrong) => {
    const clock = manualClock();
    const fine = { servers: serversOf([]), path: '/', every: 1, timeout: 1, clock };
    const rest = { random: chance(1), ask: async () => 200 };
    expect(() => activeChecks({ ...fine, ...rest, ...wrong })).toThrow(TypeError);
  });
});

describe('a real server', () => {
  const listen = (server: Server): Promise<string> =>
    new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () =>
        resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      ),
    );
  const until = async (is: () => boolean) => {
    const end = Date.now() + 10_000;
    while (!is() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(is()).toBe(true);
  };

  test('that falls ill is left alone, and comes back once it is well', async () => {
    let status = 200;
    const server = createServer((_request, response) => response.writeHead(status).end());
    const url = await listen(server);
    const shard = shardOf('a', 1, { urls: [url] });
    const active = { every: 40, timeout: 500 };
    const servers = serversOf([shard], { openFor: 100, active });
    const stop = new AbortController();
    const ask: Ask = async (origin, path, timeout, signal) => {
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
      return (await fetch(origin + path, { signal: within })).status;
    };
    const clock = systemClock;
    const checks = { servers, path: '/', ...active, clock, random: chance(1), ask };
    const done = activeChecks(checks)(stop.signal);
    try {
      status = 500;
      await until(() => servers.states(Date.now())[0]?.state !== 'closed');
      status = 200;
      await until(() => servers.states(Date.now())[0]?.state === 'closed');
      expect(servers.choose(wishOf([shard]), Date.now())).toMatchObject({ kind: 'go', url });
      // The beat and a check or two, and nothing of all those before.
      expect(getEventListeners(stop.signal, 'abort').length).toBeLessThanOrEqual(3);
    } finally {
      stop.abort();
      await done;
      server.closeAllConnections();
      server.close();
    }
  });
});
