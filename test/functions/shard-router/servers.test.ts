import { describe, expect, test } from '@jest/globals';
import {
  FAILURES,
  type Go,
  goOf,
  NONE,
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
const go = (shard = A, url = shard.urls?.[0] as string): Go => ({
  kind: 'go',
  shard,
  url,
  role: 'owner',
  probe: false,
});
const stateOf = (servers: ReturnType<typeof serversOf>, url: string, now: number) =>
  servers.states(now).find((one) => one.url === url);

describe('the requests of one outage', () => {
  test('that fail together open their server once, for the time that begins with the last that counts', () => {
    const turns: string[] = [];
    const servers = serversOf([A], { onTurn: (url, state) => turns.push(`${url} ${state}`) });
    const flights = Array.from({ length: 200 }, () => servers.begin(go()));
    for (const [n, flight] of flights.entries()) flight.settle('failed', n);
    expect(turns).toEqual(['http://a-1 open']);
    expect(stateOf(servers, 'http://a-1', 200)).toMatchObject({
      state: 'open',
      failures: FAILURES,
      retryAt: FAILURES - 1 + OPEN_FOR,
      inFlight: 200,
    });
  });

  test('that fail late do not open it again once it has been found well', () => {
    const servers = serversOf([A]);
    const late = Array.from({ length: 10 }, () => servers.begin(go()));
    open(servers, A, 'http://a-1', 0);
    expect(send(servers, wishOf([A]), 'answered', OPEN_FOR)).toMatchObject({ probe: true });
    for (const flight of late) flight.settle('failed', OPEN_FOR + 1);
    expect(stateOf(servers, 'http://a-1', OPEN_FOR + 1)).toMatchObject({
      state: 'closed',
      failures: 0,
    });
  });
});

test('slow requests to a server that answers others meanwhile do not close it to all', () => {
  const servers = serversOf([A]);
  const begin = (now: number) => servers.begin(goOf(servers.choose(wishOf([A]), now)));
  for (let round = 0; round < 5; round += 1) {
    const now = round * 10_000;
    const slow = Array.from({ length: FAILURES + 1 }, () => begin(now));
    const quick = begin(now);
    quick.settle('answered', now + 5);
    for (const flight of slow) flight.settle('failed', now + 5_000);
  }
  expect(stateOf(servers, 'http://a-1', 50_000)).toMatchObject({ state: 'closed', failures: 0 });
  // One that answers nobody any more is another matter, however well it was before.
  const last = Array.from({ length: FAILURES }, () => begin(50_000));
  for (const flight of last) flight.settle('failed', 55_000);
  expect(stateOf(servers, 'http://a-1', 55_000)).toMatchObject({ state: 'open' });
});

describe('a request that decides', () => {
  const probing = () => {
    const servers = serversOf([A], { probeFor: 60_000 });
    openAll(servers, A, 0);
    const choice = goOf(servers.choose(wishOf([A]), OPEN_FOR));
    expect(choice.probe).toBe(true);
    return { servers, choice };
  };
  const next = (servers: ReturnType<typeof serversOf>, now: number) =>
    servers.choose(wishOf([A]), now);

  test('gives its place back when its client leaves', () => {
    const { servers, choice } = probing();
    const flight = servers.begin(choice);
    expect(next(servers, OPEN_FOR + 1).kind).toBe('refused');
    flight.settle('left', OPEN_FOR + 2);
    expect(next(servers, OPEN_FOR + 2)).toMatchObject({ kind: 'go', probe: true });
  });

  test('gives its place back when it ends without a word', () => {
    const { servers, choice } = probing();
    servers.begin(choice).end();
    expect(next(servers, OPEN_FOR + 2)).toMatchObject({ kind: 'go', probe: true });
  });

  test('loses its place when it never ends, or was never sent', () => {
    for (const isSent of [true, false]) {
      const { servers, choice } = probing();
      if (isSent) servers.begin(choice);
      expect(next(servers, OPEN_FOR + 59_999).kind).toBe('refused');
      expect(next(servers, OPEN_FOR + 60_000)).toMatchObject({ kind: 'go', probe: true });
    }
  });

  test('lets all others pass once it is answered, and none when it fails', () => {
    for (const outcome of ['answered', 'failed'] as const) {
      const { servers, choice } = probing();
      servers.begin(choice).settle(outcome, OPEN_FOR + 5);
      expect(next(servers, OPEN_FOR + 5)).toMatchObject(
        outcome === 'answered'
          ? { kind: 'go', probe: false }
          : { kind: 'refused', retryAfter: OPEN_FOR },
      );
    }
  });

  test('is none while active checks are made; when those do not come it is', () => {
    const servers = serversOf([A], { active: { every: 5_000, timeout: 1_000 } });
    openAll(servers, A, 0);
    expect(next(servers, OPEN_FOR + 6_999).kind).toBe('refused');
    expect(next(servers, OPEN_FOR + 7_000)).toMatchObject({ kind: 'go', probe: true });
    servers.checked('http://a-1', true, OPEN_FOR + 7_001);
    expect(next(servers, OPEN_FOR + 7_001)).toMatchObject({ kind: 'go', probe: false });
  });
});

test('each turn of a server is told, whoever has found it out', () => {
  const turns: string[] = [];
  const servers = serversOf([A, B], { onTurn: (url, state) => turns.push(`${url} ${state}`) });
  openAll(servers, A, 0);
  for (let n = 0; n < FAILURES; n += 1) servers.checked('http://b-1', false, 0);
  servers.checked('http://a-1', true, OPEN_FOR);
  send(servers, wishOf([B]), 'failed', OPEN_FOR);
  send(servers, wishOf([B]), 'answered', 2 * OPEN_FOR);
  expect(turns).toEqual([
    'http://a-1 open',
    'http://b-1 open',
    'http://a-1 closed',
    'http://b-1 closed',
  ]);
});

describe('a flight', () => {
  test('counts from its begin to its end, and its outcome once', () => {
    const servers = serversOf([A]);
    const flight = servers.begin(go());
    for (let n = 0; n < FAILURES; n += 1) flight.settle('failed', 1);
    expect(stateOf(servers, 'http://a-1', 1)).toMatchObject({ failures: 1, inFlight: 1 });
    flight.end();
    flight.end();
    expect(stateOf(servers, 'http://a-1', 1)).toMatchObject({ failures: 1, inFlight: 0 });
  });

  test('that has ended says nothing more', () => {
    const servers = serversOf([A], { failures: 1 });
    const flight = servers.begin(go());
    flight.end();
    flight.settle('failed', 1);
    expect(stateOf(servers, 'http://a-1', 1)?.state).toBe('closed');
  });
});

describe('another table', () => {
  test('leaves what is known of a url, whichever shard has it now', () => {
    const servers = serversOf([A, B]);
    openAll(servers, A, 0);
    const flight = servers.begin(go(B));
    servers.update([shardOf('x', 1, { urls: ['http://a-1', 'http://b-1/'] })]);
    expect(servers.states(1)).toEqual([
      expect.objectContaining({ shard: 'x', url: 'http://a-1', state: 'open', inFlight: 0 }),
      expect.objectContaining({ shard: 'x', url: 'http://b-1', state: 'closed', inFlight: 1 }),
    ]);
    flight.end();
    expect(stateOf(servers, 'http://b-1', 1)?.inFlight).toBe(0);
  });

  test('lets what is under way to one that has left come to its end', () => {
    const servers = serversOf([A, B], { bound: 1.25 });
    const flights = Array.from({ length: 30 }, () => servers.begin(go()));
    servers.update([B]);
    for (const flight of flights.slice(0, 10)) {
      flight.settle('failed', 1);
      flight.end();
    }
    // Nothing of it counts for those that are left, by which the bound of two would be wrong.
    servers.update([B, shardOf('c')]);
    const both = [B, shardOf('c')];
    for (let n = 0; n < 8; n += 1) servers.begin(goOf(servers.choose(wishOf(both), 1)));
    expect(stateOf(servers, 'http://b-1', 1)?.inFlight).toBe(5);
    // Back before all of it has ended: it has what is left.
    servers.update([A, B]);
    expect(stateOf(servers, 'http://a-1', 1)).toMatchObject({ inFlight: 20, state: 'open' });
    for (const flight of flights) flight.end();
    expect(stateOf(servers, 'http://a-1', 1)?.inFlight).toBe(0);
  });

  test('forgets one that has left when nothing is under way to it any more', () => {
    const servers = serversOf([A, B]);
    openAll(servers, A, 0);
    const flight = servers.begin(go());
    servers.update([B]);
    flight.end();
    servers.update([A, B]);
    expect(stateOf(servers, 'http://a-1', 1)).toMatchObject({ state: 'closed', failures: 0 });
  });

  test('does not hear of checks of servers that it does not have', () => {
    const servers = serversOf([A, B], { failures: 1 });
    const flight = servers.begin(go());
    servers.update([B]);
    servers.checked('http://a-1', false, 0);
    servers.checked('http://nobody', false, 0);
    servers.update([A, B]);
    expect(stateOf(servers, 'http://a-1', 1)?.state).toBe('closed');
    flight.end();
  });

  test('still serves a request that was placed by the one before', () => {
    const servers = serversOf([A]);
    servers.update([B]);
    const choice = goOf(servers.choose(wishOf([A]), 0));
    expect(choice).toMatchObject({ shard: A, url: 'http://a-1', role: 'owner' });
    const flight = servers.begin(choice);
    flight.settle('failed', 0);
    flight.end();
    // Of the same name elsewhere: the load is that of the name, the health that of the url.
    const moved = shardOf('b', 1, { urls: ['http://b-9'] });
    expect(servers.choose(wishOf([moved]), 0)).toMatchObject({ url: 'http://b-9' });
  });

  test('counts the weight that a shard has now', () => {
    const servers = serversOf([A, B], { bound: 1.25 });
    const heavier = [shardOf('a', 1, { weight: 3 }), B];
    servers.update(heavier);
    for (let n = 0; n < 16; n += 1) servers.begin(goOf(servers.choose(wishOf(heavier), 0)));
    expect(stateOf(servers, 'http://a-1', 0)?.inFlight).toBe(15);
  });
});

test('a url that a shard has twice is one server', () => {
  const twice = shardOf('a', 1, { urls: ['http://a-1', 'http://a-1/'] });
  expect(
    serversOf([twice])
      .states(0)
      .map(({ url }) => url),
  ).toEqual(['http://a-1']);
  const { urls: _, ...plain } = shardOf('a');
  expect(
    serversOf([plain])
      .states(0)
      .map(({ url }) => url),
  ).toEqual(['http://a:80']);
});

test('a server of two shards has one health, and each shard its own load', () => {
  const twins = [shardOf('a'), shardOf('b', 1, { urls: ['http://a-1'] })] as const;
  const servers = serversOf(twins, { bound: 1.25 });
  for (let n = 0; n < 10; n += 1) servers.begin(goOf(servers.choose(wishOf(twins), 0)));
  expect(servers.states(0).map(({ inFlight }) => inFlight)).toEqual([10, 10]);
  openAll(servers, twins[0], 0);
  expect(servers.choose({ ...wishOf(twins), owner: twins[1], tried: NONE }, 1).kind).toBe(
    'refused',
  );
});
