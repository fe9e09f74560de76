/** Shards that die, freeze and lie, behind a router that is a process of its own. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type ShardTable, shardTable } from '../../../shared/shard/table';
import {
  type HostName,
  header,
  type Lab,
  type ShardProcess,
  shardsOf,
  startRouter,
  startShard,
} from './lab';

const HOSTS: readonly HostName[] = ['node', 'functions-framework'];
const KEYS = Array.from({ length: 60 }, (_, i) => `user:${i}`);
const QUICK = { health: { failures: 2, open: '1s' }, timeout: '400ms' };

let shards: ShardProcess[] = [];
/** Those that die come back on their ports, so it stays. */
let table: ShardTable;
const labs: Lab[] = [];

beforeAll(async () => {
  shards = await Promise.all(['a', 'b', 'c', 'd'].map((name) => startShard(name)));
  table = shardTable({ mode: 'native', shards: shardsOf(shards) });
});

afterEach(async () => {
  for (const { host } of labs.splice(0)) {
    // Whatever it was put through, it was there to the end.
    expect(host.child.exitCode).toBe(null);
    expect(await host.stop()).toBe(0);
  }
  for (const [i, { name, port, child }] of shards.entries()) {
    const isThere = await Promise.race([child.ended.then(() => false), sleep(1, true)]);
    if (isThere) await shards[i]?.behave('well');
    else shards[i] = await startShard(name, port);
  }
});

afterAll(async () => {
  await Promise.all(shards.map((shard) => shard.kill()));
});

const route = async (config: object, host: HostName = 'node'): Promise<Lab> => {
  const lab = await startRouter({ shards: shardsOf(shards), ...QUICK, ...config }, host);
  labs.push(lab);
  return lab;
};

const namesOf = (keys: readonly string[]) => keys.map((key) => table.place(key)?.name);
const owners = (lab: Lab, keys: readonly string[] = KEYS, init = {}) =>
  Promise.all(keys.map((key) => lab.whoHas(key, init)));
const shardOf = (key: string): ShardProcess =>
  shards.find(({ name }) => name === table.place(key)?.name) as ShardProcess;

/** Asks until its circuit is open: by then its failures have been told to somebody. */
const untilOpen = async ({ ask }: Lab, key: string): Promise<void> => {
  for (let i = 0; i < 10; i += 1) {
    const told = JSON.parse((await ask({ path: '/shard-router/owner/table' })).body.toString());
    const name = table.place(key)?.name;
    const { health } = told as { health: { shard: string; state: string }[] };
    if (health.find(({ shard }) => shard === name)?.state === 'open') return;
    await ask({ path: '/', headers: [['x-key', key]] });
  }
  throw new Error('it does not open');
};

/** While open: every answer is 503 with Retry-After, and in no time. */
const expectFastRefusals = async ({ ask }: Lab, key: string): Promise<void> => {
  const times: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const began = performance.now();
    const answer = await ask({ path: '/', headers: [['x-key', key]] });
    times.push(performance.now() - began);
    expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([
      503,
      'shard_unavailable',
    ]);
    expect(header(answer, 'retry-after')).toBe('1');
    expect(answer.body.toString()).not.toContain('127.0.0.1');
  }
  times.sort((one, other) => one - other);
  expect(times[10]).toBeLessThan(50);
};

describe.each(HOSTS)('on the %s host', (host) => {
  test('every key goes to its owner, and bodies of all kinds are there to the byte', async () => {
    const lab = await route({}, host);
    expect(await owners(lab)).toEqual(namesOf(KEYS));
    expect(await owners(lab, KEYS, { method: 'PUT', body: 'x'.repeat(1000) })).toEqual(
      namesOf(KEYS),
    );
  });

  test('fail: a shard that was killed is 503 with Retry-After at once, and nothing is remapped', async () => {
    const lab = await route({ onDown: 'fail' }, host);
    const [key] = KEYS as [string];
    const victim = shardOf(key);
    await victim.kill();
    await untilOpen(lab, key);
    await expectFastRefusals(lab, key);
    const found = await owners(lab);
    expect(found).toEqual(
      namesOf(KEYS).map((name) => (name === victim.name ? '503 shard_unavailable' : name)),
    );
    const { port } = victim;
    shards[shards.indexOf(victim)] = await startShard(victim.name, port);
    await sleep(1_100);
    expect(await lab.whoHas(key)).toBe(victim.name);
    expect(await owners(lab)).toEqual(namesOf(KEYS));
  });

  test('fail: a shard that is frozen opens after its timeouts, and comes back', async () => {
    const lab = await route({ onDown: 'fail' }, host);
    const [key] = KEYS as [string];
    const victim = shardOf(key);
    process.kill(victim.child.pid, 'SIGSTOP');
    try {
      await untilOpen(lab, key);
      await expectFastRefusals(lab, key);
      expect((await owners(lab)).filter((one) => !one.startsWith('503'))).toEqual(
        namesOf(KEYS).filter((name) => name !== victim.name),
      );
    } finally {
      process.kill(victim.child.pid, 'SIGCONT');
    }
    await sleep(1_100);
    expect(await lab.whoHas(key)).toBe(victim.name);
  });

  test.each(['garbage', 'reset'])('fail: a shard that answers with %s', async (mode) => {
    const lab = await route({ onDown: 'fail' }, host);
    const [key] = KEYS as [string];
    await shardOf(key).behave(mode);
    await untilOpen(lab, key);
    await expectFastRefusals(lab, key);
    await shardOf(key).behave('well');
    await sleep(1_100);
    expect(await lab.whoHas(key)).toBe(shardOf(key).name);
    expect(await owners(lab)).toEqual(namesOf(KEYS));
  });

  test('an answer that breaks off in its middle breaks off for its client, and for nobody else', async () => {
    const lab = await route({}, host);
    const [key] = KEYS as [string];
    await shardOf(key).behave('cut');
    for (let i = 0; i < 5; i += 1) {
      const answer = await lab
        .ask({ path: '/', headers: [['x-key', key]] })
        .catch(() => ({ broken: true, status: 0 }));
      expect([answer.broken, [0, 200].includes(answer.status)]).toEqual([true, true]);
    }
    await shardOf(key).behave('well');
    expect(await owners(lab)).toEqual(namesOf(KEYS));
  });
});

test('next: the keys of the dead shard go to who comes next, and no other key moves', async () => {
  const lab = await route({ onDown: 'next' });
  const victim = shardOf('user:0');
  await victim.kill();
  const expected = KEYS.map((key) => {
    const [owner, next] = table.candidates(key);
    return owner?.name === victim.name ? next?.name : owner?.name;
  });
  expect(await owners(lab)).toEqual(expected);
  expect(await owners(lab, KEYS, { method: 'POST', body: '{}' })).toEqual(expected);
  expect(await owners(lab)).toEqual(expected);
});

test('next: a request that may have been executed is not executed twice', async () => {
  const lab = await route({ onDown: 'next' });
  const victim = shardOf('user:0');
  await victim.behave('reset');
  const counts = () => Promise.all(shards.map((shard) => shard.count()));
  const before = await counts();
  const post = { method: 'POST', path: '/', headers: [['x-key', 'user:0']] as const, body: 'x' };
  expect((await lab.ask(post)).status).toBe(502);
  const after = await counts();
  expect(after.reduce((sum, n) => sum + n) - before.reduce((sum, n) => sum + n)).toBe(1);
  expect(await lab.whoHas('user:0')).toBe(table.candidates('user:0')[1]?.name);
});

test('replica: another url of the same shard answers, and where there is none it is as fail', async () => {
  const [a, b, c] = shards as [ShardProcess, ShardProcess, ShardProcess];
  const url = ({ port }: ShardProcess) => `http://127.0.0.1:${port}`;
  const lab = await route({
    onDown: 'replica',
    shards: [
      { address: 'one', urls: [url(a), url(b)] },
      { address: 'two', urls: [url(c)] },
    ],
  });
  const two = shardTable({ mode: 'native', shards: [{ address: 'one' }, { address: 'two' }] });
  await a.kill();
  await c.kill();
  const found = await owners(lab);
  expect(found).toEqual(
    KEYS.map((key) => (two.place(key)?.name === 'one' ? 'b' : '503 shard_unavailable')),
  );
});

test('pin-retry: a request waits for its own shard and is answered by it', async () => {
  const lab = await route({ onDown: 'pin-retry', retryFor: '10s', health: { failures: 3 } });
  const victim = shardOf('user:0');
  await victim.kill();
  const waiting = lab.whoHas('user:0', { method: 'POST', body: 'once' });
  await sleep(300);
  shards[shards.indexOf(victim)] = await startShard(victim.name, victim.port);
  expect(await waiting).toBe(victim.name);
});

test('half open: exactly one request tries, whoever else asks meanwhile', async () => {
  const lab = await route({ timeout: '5s' });
  const victim = shardOf('user:0');
  await victim.behave('reset');
  await untilOpen(lab, 'user:0');
  await victim.behave('silent');
  await sleep(1_100);
  const before = await victim.count();
  const left = new AbortController();
  const asked = Promise.allSettled(
    Array.from({ length: 40 }, () =>
      fetch(`${lab.host.url}/`, { headers: { 'x-key': 'user:0' }, signal: left.signal }).then(
        ({ status }) => status,
      ),
    ),
  );
  await sleep(500);
  expect((await victim.count()) - before).toBe(1);
  left.abort();
  const answers = await asked;
  expect(answers.filter((one) => one.status === 'fulfilled' && one.value === 503)).toHaveLength(39);
  await victim.behave('well');
  // Who left has given its place back.
  await sleep(100);
  expect(await lab.whoHas('user:0')).toBe(victim.name);
});

test('active checks find a dead shard before any client does, and find it again', async () => {
  const lab = await route({
    health: {
      failures: 2,
      open: '300ms',
      active: { path: '/health', every: '100ms', timeout: '200ms' },
    },
  });
  const victim = shardOf('user:0');
  await victim.kill();
  const stateOf = async () => {
    const { body } = await lab.ask({ path: '/shard-router/owner/table' });
    const { health } = JSON.parse(body.toString()) as {
      health: { shard: string; state: string }[];
    };
    return health.find(({ shard }) => shard === victim.name)?.state;
  };
  for (let i = 0; i < 50 && (await stateOf()) === 'closed'; i += 1) await sleep(100);
  expect(await lab.whoHas('user:0')).toBe('503 shard_unavailable');
  shards[shards.indexOf(victim)] = await startShard(victim.name, victim.port);
  for (let i = 0; i < 50 && (await stateOf()) !== 'closed'; i += 1) await sleep(100);
  expect(await lab.whoHas('user:0')).toBe(victim.name);
});
