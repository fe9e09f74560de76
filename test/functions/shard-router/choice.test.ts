import { describe, expect, test } from '@jest/globals';
import { createServers } from '../../../functions/shard-router/servers';
import {
  anyOf,
  chance,
  type Go,
  goOf,
  OPEN_FOR,
  open,
  openAll,
  send,
  serversOf,
  shardOf,
  wishOf,
} from './servers-harness';

const A = shardOf('a');
const B = shardOf('b');
const C = shardOf('c');
const ALL = [A, B, C];
const C_OWNS: Go = { kind: 'go', shard: C, url: 'http://c-1', role: 'owner', probe: false };
const POLICIES = ['fail', 'next', 'replica', 'pin-retry'] as const;

describe.each(POLICIES)('with the policy %s', (onDown) => {
  test('a key goes to its owner while that is well, whoever else is down', () => {
    const servers = serversOf(ALL, { onDown });
    openAll(servers, B, 0);
    openAll(servers, C, 0);
    const unneeded = () => {
      throw new Error('asked who comes next');
    };
    expect(servers.choose(wishOf(ALL, { candidates: unneeded }), 1)).toEqual({
      kind: 'go',
      shard: A,
      url: 'http://a-1',
      role: 'owner',
      probe: false,
    });
  });

  test('exactly one request finds out whether the owner is well again', () => {
    const servers = serversOf([A], { onDown });
    openAll(servers, A, 0);
    const choose = () => servers.choose(wishOf([A], { since: OPEN_FOR }), OPEN_FOR);
    expect(choose()).toMatchObject({ kind: 'go', url: 'http://a-1', role: 'owner', probe: true });
    for (let n = 0; n < 10; n += 1) expect(choose().kind).not.toBe('go');
  });

  test('nobody is asked where no shard has a server that may be', () => {
    const servers = serversOf(ALL, { onDown });
    for (const shard of ALL) openAll(servers, shard, 0);
    for (const wish of [wishOf(ALL, { since: -9_000 }), anyOf(ALL, { since: -9_000 })])
      expect(servers.choose(wish, 1)).toMatchObject({ kind: 'refused', shard: wish.owner });
  });

  test('a table without a shard refuses', () => {
    const servers = serversOf([], { onDown });
    expect(servers.choose(anyOf([], { since: -9_000 }), 0)).toEqual({
      kind: 'refused',
      shard: undefined,
      retryAfter: 1_000,
    });
  });

  test('a shard that its table does not use is down, however well its server is', () => {
    for (const gone of [{ down: true }, { ejected: true }]) {
      const shard = shardOf('a', 1, gone);
      const choice = serversOf([shard], { onDown }).choose(wishOf([shard], { since: -9_000 }), 0);
      expect(choice).toMatchObject({ kind: 'refused', shard });
      const any = serversOf([shard, B], { onDown }).choose(anyOf([shard, B]), 0);
      expect(any).toMatchObject({ shard: B });
    }
  });
});

describe('fail', () => {
  test('refuses at once while the owner is open, with the time that is left of it', () => {
    const servers = serversOf(ALL);
    openAll(servers, A, 0);
    const refused = (retryAfter: number) => ({ kind: 'refused', shard: A, retryAfter });
    expect(servers.choose(wishOf(ALL), 1)).toEqual(refused(OPEN_FOR - 1));
    expect(servers.choose(wishOf(ALL), 4_000)).toEqual(refused(6_000));
    // Never so soon that a client would have to come back within the second.
    expect(servers.choose(wishOf(ALL), OPEN_FOR - 1)).toEqual(refused(1_000));
  });

  test('sends a request that has failed nowhere else, also where there is a replica', () => {
    const twins = shardOf('a', 2);
    const servers = serversOf([twins, B]);
    const wish = wishOf([twins, B], { tried: new Set(['http://a-1']) });
    expect(servers.choose(wish, 0)).toEqual({ kind: 'refused', shard: twins, retryAfter: 1_000 });
  });

  test('does not ask for a replica that is down while another is well', () => {
    const twins = shardOf('a', 2);
    const servers = serversOf([twins]);
    open(servers, twins, 'http://a-1', 0);
    for (let n = 0; n < 50; n += 1)
      expect(servers.choose(wishOf([twins]), 1)).toMatchObject({
        url: 'http://a-2',
        role: 'owner',
        probe: false,
      });
  });
});

describe('next', () => {
  const servers = () => serversOf(ALL, { onDown: 'next' });

  test('goes to the first candidate that can be asked', () => {
    const all = servers();
    openAll(all, A, 0);
    expect(all.choose(wishOf(ALL), 1)).toMatchObject({ shard: B, role: 'next' });
    openAll(all, B, 0);
    expect(all.choose(wishOf(ALL), 1)).toMatchObject({ shard: C, role: 'next' });
  });

  test('sends a request that has failed to the other replica first, then on', () => {
    const twins = shardOf('a', 2);
    const all = serversOf([twins, B], { onDown: 'next' });
    const wish = (...tried: string[]) => wishOf([twins, B], { tried: new Set(tried) });
    expect(all.choose(wish('http://a-1'), 0)).toMatchObject({ url: 'http://a-2', role: 'replica' });
    expect(all.choose(wish('http://a-1', 'http://a-2'), 0)).toMatchObject({
      url: 'http://b-1',
      role: 'next',
    });
    expect(all.choose(wish('http://a-1', 'http://a-2', 'http://b-1'), 0).kind).toBe('refused');
  });

  test('refuses for as long as the first of the candidates stays down', () => {
    const all = servers();
    openAll(all, A, 3_000);
    openAll(all, B, 0);
    openAll(all, C, 2_000);
    expect(all.choose(wishOf(ALL), 5_000)).toMatchObject({ kind: 'refused', retryAfter: 5_000 });
  });

  test('does not find out about another while it has failed once and somebody is well', () => {
    const twins = shardOf('b', 2);
    const all = serversOf([A, twins], { onDown: 'next' });
    open(all, twins, 'http://b-1', 0);
    const wish = wishOf([A, twins], { tried: new Set(['http://a-1']) });
    expect(all.choose(wish, OPEN_FOR)).toMatchObject({ url: 'http://b-2', probe: false });
  });
});

describe('replica', () => {
  const twins = shardOf('a', 3);

  test('sends a request that has failed to another server of the shard, then to nobody', () => {
    const servers = serversOf([twins, B], { onDown: 'replica' });
    const tried = new Set<string>();
    for (let n = 0; n < 3; n += 1) {
      const choice = goOf(servers.choose(wishOf([twins, B], { tried }), 0));
      expect(choice).toMatchObject({ shard: twins, role: n === 0 ? 'owner' : 'replica' });
      expect(tried.has(choice.url)).toBe(false);
      tried.add(choice.url);
    }
    expect(servers.choose(wishOf([twins, B], { tried }), 0)).toMatchObject({ kind: 'refused' });
  });

  test('asks the less loaded of two at random', () => {
    const servers = serversOf([twins], { onDown: 'replica' });
    const flights = Array.from({ length: 300 }, () => {
      const choice = goOf(servers.choose(wishOf([twins]), 0));
      return { url: choice.url, flight: servers.begin(choice) };
    });
    for (const { inFlight } of servers.states(0)) expect(Math.abs(inFlight - 100)).toBeLessThan(5);
    // One that is rid of its requests has the next ones, as far as it is among the two.
    for (const { url, flight } of flights) if (url === 'http://a-2') flight.end();
    const next = Array.from({ length: 90 }, () => {
      const choice = goOf(servers.choose(wishOf([twins]), 0));
      servers.begin(choice);
      return choice.url;
    });
    expect(next.filter((url) => url === 'http://a-2').length).toBeGreaterThan(40);
  });
});

describe('pin-retry', () => {
  const RETRY_FOR = 2_000;
  const servers = () => serversOf(ALL, { onDown: 'pin-retry', retryFor: RETRY_FOR });

  test('waits, and tries the same shard again, until the time of the request is over', () => {
    const all = servers();
    const tried = new Set(['http://a-1']);
    const choice = all.choose(wishOf(ALL, { tried }), 0);
    if (choice.kind !== 'wait') throw new Error(choice.kind);
    expect(choice.ms).toBeGreaterThanOrEqual(RETRY_FOR / 3);
    // Three attempts find room in the time.
    expect(2 * choice.ms).toBeLessThan(RETRY_FOR);
    expect(all.choose(wishOf(ALL), choice.ms)).toMatchObject({ shard: A, role: 'owner' });
    expect(all.choose(wishOf(ALL, { tried }), RETRY_FOR)).toMatchObject({ kind: 'refused' });
  });

  test('never waits beyond the time of the request', () => {
    const all = servers();
    const tried = new Set(['http://a-1']);
    for (let now = 0; now < RETRY_FOR; now += 50) {
      const choice = all.choose(wishOf(ALL, { tried }), now);
      if (choice.kind !== 'wait') throw new Error(choice.kind);
      expect(now + choice.ms).toBeLessThanOrEqual(RETRY_FOR);
      expect(choice.ms).toBeGreaterThan(0);
    }
  });

  test('finds the shard well again soon after it is, however long others would leave it alone', () => {
    const all = servers();
    openAll(all, A, 0);
    let now = 0;
    for (;;) {
      const choice = all.choose(wishOf(ALL), now);
      if (choice.kind === 'go') break;
      if (choice.kind !== 'wait') throw new Error(choice.kind);
      now += choice.ms;
    }
    expect(now).toBeLessThan(RETRY_FOR / 4);
  });

  test('looks again when the shard may be tried, and not before', () => {
    const all = servers();
    openAll(all, A, 0);
    const choice = all.choose(wishOf(ALL), 1);
    expect(choice.kind === 'wait' && choice.ms).toBeGreaterThanOrEqual(RETRY_FOR / 8 - 1);
  });

  test('does not wait for a shard that stays down for longer', () => {
    const all = servers();
    openAll(all, A, 0);
    const late = wishOf(ALL, { since: 100 - RETRY_FOR });
    expect(all.choose(late, 1)).toMatchObject({ kind: 'refused', retryAfter: 1_000 });
  });

  test('wakes those who wait together at different moments', () => {
    const all = servers();
    openAll(all, A, 0);
    const waits = Array.from({ length: 20 }, () => all.choose(wishOf(ALL), 1));
    expect(new Set(waits.map((one) => (one.kind === 'wait' ? one.ms : -1))).size).toBeGreaterThan(
      5,
    );
  });
});

describe('any shard', () => {
  test('is the less loaded of two at random, by weight', () => {
    const shards = [A, B, shardOf('c', 1, { weight: 2 })];
    const servers = serversOf(shards);
    for (let n = 0; n < 400; n += 1) {
      const choice = goOf(servers.choose(anyOf(shards), 0));
      expect(choice.role).toBe('spread');
      servers.begin(choice);
    }
    const busy = servers.states(0).map(({ inFlight }) => inFlight);
    for (const [n, ideal] of [100, 100, 200].entries())
      expect(Math.abs((busy[n] as number) - ideal)).toBeLessThan(10);
  });

  test('is one that is well, and one after the other when a request fails, whatever the policy', () => {
    for (const onDown of POLICIES) {
      const servers = serversOf(ALL, { onDown });
      openAll(servers, A, 0);
      const first = goOf(servers.choose(anyOf(ALL), 1));
      const second = goOf(servers.choose(anyOf(ALL, { tried: new Set([first.url]) }), 1));
      expect([first.url, second.url].sort()).toEqual(['http://b-1', 'http://c-1']);
      const tried = new Set([first.url, second.url]);
      expect(servers.choose(anyOf(ALL, { tried, since: -9_000 }), 1).kind).toBe('refused');
    }
  });

  test('finds out who is well again', () => {
    const servers = serversOf(ALL);
    openAll(servers, B, 0);
    expect(send(servers, anyOf(ALL), 'answered', OPEN_FOR)).toMatchObject({
      shard: B,
      probe: true,
    });
    expect(servers.states(OPEN_FOR).every(({ state }) => state === 'closed')).toBe(true);
  });

  test('is not one that somebody has to find out about, for a request that has failed once', () => {
    const servers = serversOf(ALL);
    openAll(servers, A, 0);
    const wish = anyOf(ALL, { tried: new Set(['http://b-1']) });
    expect(servers.choose(wish, OPEN_FOR)).toMatchObject({ shard: C, probe: false });
  });

  test('is not one of whose servers one is down and the other has failed', () => {
    const twins = shardOf('a', 2);
    const servers = serversOf([twins, B]);
    open(servers, twins, 'http://a-1', 0);
    const wish = anyOf([twins, B], { tried: new Set(['http://a-2']) });
    for (let n = 0; n < 20; n += 1) expect(servers.choose(wish, 1)).toMatchObject({ shard: B });
  });

  test('is none that is being emptied', () => {
    const shards = [shardOf('a', 1, { weight: 0 }), B];
    const servers = serversOf(shards);
    for (let n = 0; n < 20; n += 1)
      expect(servers.choose(anyOf(shards), 0)).toMatchObject({ shard: B });
  });

  test('keeps to the bound: where both of two are full it is the least loaded of all', () => {
    const servers = serversOf(ALL, { bound: 1.01, random: { below: () => 0 } });
    for (let n = 1; n <= 300; n += 1) {
      servers.begin(goOf(servers.choose(anyOf(ALL), 0)));
      for (const { inFlight } of servers.states(0))
        expect(inFlight).toBeLessThanOrEqual(Math.ceil((1.01 * n) / 3));
    }
  });
});

describe('a bound', () => {
  const FULL = { bound: 1.25 };
  const fill = (servers: ReturnType<typeof serversOf>, times: number) =>
    Array.from({ length: times }, () => {
      const choice = goOf(servers.choose(wishOf(ALL), 0));
      servers.begin(choice);
      return choice;
    });

  test('sends what is too much to the next candidates, up to their even part each', () => {
    const servers = serversOf(ALL, FULL);
    const choices = fill(servers, 120);
    expect(servers.states(0).map(({ inFlight }) => inFlight)).toEqual([50, 40, 30]);
    for (const { shard, role } of choices) expect(role).toBe(shard === A ? 'owner' : 'bound');
  });

  test('counts neither those that are down nor what goes to them or comes from them', () => {
    const servers = serversOf(ALL, FULL);
    const begin = () => servers.begin(C_OWNS);
    const stuck = Array.from({ length: 100 }, begin);
    openAll(servers, C, 0);
    stuck.push(...Array.from({ length: 50 }, begin));
    // 1.25 × 16 ÷ 2, and not more for those.
    const choices = fill(servers, 16);
    expect(choices.filter(({ shard }) => shard === A).length).toBe(10);
    expect(choices.some(({ shard }) => shard === C)).toBe(false);
    for (const flight of stuck) flight.end();
    fill(servers, 16);
    expect(servers.states(0).map(({ inFlight }) => inFlight)).toEqual([20, 12, 0]);
  });

  test('fills a stand-in for an owner that is down to the bound before it asks the one behind', () => {
    const servers = serversOf(ALL, { ...FULL, onDown: 'next' });
    openAll(servers, A, 0);
    const choices = fill(servers, 16);
    expect(choices.filter(({ shard }) => shard === B).length).toBe(10);
    expect(new Set(choices.map(({ role }) => role))).toEqual(new Set(['next']));
  });

  test('gives way where all candidates are full: the least loaded takes it', () => {
    const servers = serversOf(ALL, FULL);
    const only = wishOf([A]);
    for (let n = 0; n < 40; n += 1) {
      const choice = goOf(servers.choose(only, 0));
      expect(choice).toMatchObject({ shard: A, role: 'owner' });
      servers.begin(choice);
    }
  });

  test('does not keep a server from being found well, whatever is stuck with it', () => {
    const servers = serversOf(ALL, FULL);
    for (let n = 0; n < 9; n += 1) servers.begin(goOf(servers.choose(wishOf([A]), 0)));
    openAll(servers, A, 0);
    expect(servers.choose(wishOf(ALL), OPEN_FOR)).toMatchObject({ shard: A, probe: true });
  });
});

describe('options', () => {
  const fine = { onDown: 'fail', failures: 3, openFor: 1_000, random: chance(1) } as const;

  test.each([
    ['bound', { bound: 1 }],
    ['bound', { bound: Number.NaN }],
    ['bound', { bound: Number.POSITIVE_INFINITY }],
    ['failures', { failures: 0 }],
    ['failures', { failures: 1.5 }],
    ['openFor', { openFor: 0 }],
    ['retryFor', { retryFor: -1 }],
    ['probeFor', { probeFor: Number.NaN }],
    ['every', { active: { every: 0, timeout: 1 } }],
    ['timeout', { active: { every: 1, timeout: Number.NaN } }],
  ])('%s makes no sense as %j', (name, wrong) => {
    expect(() => createServers({ ...fine, ...wrong })).toThrow(TypeError);
    expect(() => createServers({ ...fine, ...wrong })).toThrow(name);
    expect(() => createServers(fine)).not.toThrow();
  });
});
