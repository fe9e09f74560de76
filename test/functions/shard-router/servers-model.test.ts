import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { roomOf } from '../../../functions/shard-router/bound';
import type {
  Choice,
  Flight,
  OnDown,
  Outcome,
  Servers,
  Wish,
} from '../../../functions/shard-router/choice';
import { shardTable } from '../../../shared/shard/table';
import { MODES, type Mode, type Shard, type TopologyInput } from '../../../shared/shard/topology';
import { chance, type Go, OPEN_FOR, openAll, serversOf, shardOf } from './servers-harness';

const POLICIES = ['fail', 'next', 'replica', 'pin-retry'] as const;
const policy = fc.constantFrom<OnDown>(...POLICIES);

describe('any sequence of requests, outcomes, checks and tables', () => {
  type Step =
    | { readonly do: 'send'; readonly from: number; readonly any: boolean; readonly tried: number }
    | { readonly do: 'settle'; readonly which: number; readonly outcome: Outcome }
    | { readonly do: 'end'; readonly which: number }
    | { readonly do: 'wait'; readonly ms: number }
    | { readonly do: 'check'; readonly which: number; readonly healthy: boolean }
    | { readonly do: 'change'; readonly members: readonly number[] };

  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        from: fc.nat(5),
        any: fc.boolean(),
        tried: fc.constantFrom(0, 0, 0, 1, 2),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('settle' as const),
        which: fc.nat(),
        outcome: fc.constantFrom<Outcome>('answered', 'failed', 'failed', 'left'),
      }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.constantFrom(1, 300, 5_000, OPEN_FOR),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('check' as const),
        which: fc.nat(),
        healthy: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('change' as const),
        members: fc.uniqueArray(fc.nat(5), { minLength: 1 }),
      }),
    },
  );

  const pool: readonly Shard[] = [
    shardOf('a'),
    shardOf('b', 2),
    shardOf('c', 3, { weight: 3 }),
    shardOf('d', 1, { down: true }),
    // Shares a server with another.
    shardOf('e', 1, { urls: ['http://a-1', 'http://e-1'] }),
    shardOf('f', 1, { weight: 2 }),
  ];

  interface Request {
    readonly choice: Go;
    readonly flight: Flight;
    readonly at: number;
    isSettled: boolean;
  }

  const count = <T>(all: readonly T[], is: (one: T) => boolean): number => all.filter(is).length;

  test('keeps the counts, the bound, and one request that decides', () => {
    const settings = fc.record({
      onDown: policy,
      bound: fc.constantFrom(undefined, 1.01, 1.25, 2),
      seed: fc.nat(),
    });
    const run = fc.property(
      settings,
      fc.array(step, { maxLength: 150 }),
      ({ onDown, bound, seed }, steps) => {
        let table: readonly Shard[] = pool;
        const servers = serversOf(table, { onDown, bound, random: chance(seed) });
        let open: Request[] = [];
        let now = 0;
        /** As counted here, from what is under way. */
        const busy = (name: string) => count(open, ({ choice }) => choice.shard.name === name);
        const isUp = ({ name, down, weight }: Shard) =>
          !down &&
          weight > 0 &&
          servers.states(now).some(({ shard, state }) => shard === name && state === 'closed');

        const send = ({ from, any, tried: times }: Extract<Step, { do: 'send' }>) => {
          const order = table.map((_, n) => table[(n + from) % table.length] as Shard);
          const urls = order.flatMap((shard) => shard.urls ?? []);
          const tried = new Set(urls.slice(0, times));
          const wish: Wish = {
            owner: any ? undefined : order[0],
            candidates: () => order,
            tried,
            since: now,
          };
          const before = new Map(servers.states(now).map(({ url, state }) => [url, state]));
          const choice = servers.choose(wish, now);
          const own = (order[0]?.urls ?? []).filter((url) => before.get(url) === 'closed');
          if (!any && bound === undefined && times === 0 && !order[0]?.down && own.length > 0)
            // An owner that is well is who answers.
            expect(choice).toMatchObject({ kind: 'go', shard: order[0], role: 'owner' });
          if (choice.kind === 'wait') {
            expect(onDown).toBe('pin-retry');
            expect(choice.ms).toBeGreaterThan(0);
            return;
          }
          if (choice.kind === 'refused') {
            expect(choice.retryAfter).toBeGreaterThanOrEqual(1_000);
            return;
          }
          expect(tried.has(choice.url)).toBe(false);
          expect(choice.shard.down).toBe(false);
          expect(choice.shard.urls).toContain(choice.url);
          expect(before.get(choice.url)).toBe(choice.probe ? 'half-open' : 'closed');
          if (choice.role === 'next') expect(onDown).toBe('next');
          if (choice.role === 'owner' || choice.role === 'replica')
            expect(choice.shard).toBe(order[0]);
          if (bound !== undefined && !choice.probe) {
            const up = table.filter(isUp);
            const total = {
              inFlight: up.reduce((sum, { name }) => sum + busy(name), 0),
              weight: up.reduce((sum, { weight }) => sum + weight, 0),
            };
            const room = (shard: Shard) => roomOf(shard.weight, total, bound) - busy(shard.name);
            // Where one could be asked that has room, who is asked has.
            const hasRoom = up.some(
              (shard) =>
                room(shard) > 0 &&
                shard.urls?.some((url) => before.get(url) === 'closed' && !tried.has(url)),
            );
            if (hasRoom) expect(room(choice.shard)).toBeGreaterThan(0);
          }
          open.push({ choice, flight: servers.begin(choice), at: now, isSettled: false });
        };

        const take = (which: number): Request | undefined => open[which % Math.max(open.length, 1)];
        for (const one of steps) {
          if (one.do === 'send') send(one);
          else if (one.do === 'wait') now += one.ms;
          else if (one.do === 'settle') {
            const request = take(one.which);
            request?.flight.settle(one.outcome, now);
            if (request) request.isSettled = true;
          } else if (one.do === 'end') {
            const request = take(one.which);
            request?.flight.end();
            open = open.filter((other) => other !== request);
          } else if (one.do === 'check') {
            const urls = servers.states(now).map(({ url }) => url);
            const url = urls[one.which % Math.max(urls.length, 1)] ?? '';
            servers.checked(url, one.healthy, now);
            // It decides over the heads of those.
            for (const request of open) if (request.choice.url === url) request.isSettled = true;
          } else {
            table = one.members.map((n) => pool[n] as Shard);
            servers.update(table);
          }
          for (const { url, inFlight } of servers.states(now)) {
            expect(inFlight).toBe(count(open, ({ choice }) => choice.url === url));
            const deciding = count(
              open,
              (other) =>
                other.choice.url === url &&
                other.choice.probe &&
                !other.isSettled &&
                now < other.at + 60_000,
            );
            if (servers.states(now).some((state) => state.url === url && state.state !== 'closed'))
              expect(deciding).toBeLessThanOrEqual(1);
          }
        }
        for (const { flight } of open) flight.end();
        servers.update(pool);
        for (const { inFlight } of servers.states(now)) expect(inFlight).toBe(0);
      },
    );
    fc.assert(run, { numRuns: 400 });
  });
});

/** Some modes take numbers only. */
const keysOf = (mode: Mode): readonly string[] =>
  Array.from({ length: 60 }, (_, n) =>
    mode === 'modulo' || mode === 'ordinal' ? `${n}` : `user:${n}`,
  );
const NAMES = Array.from({ length: 6 }, (_, n) => `10.0.0.${n + 1}:80`);
const SHARDS = NAMES.map((address, n) => ({ address, weight: 100 + n }));
const LISTED = Object.fromEntries(keysOf('lookup').map((key, n) => [key, NAMES[n % 6] as string]));

const topologyOf = (mode: Mode): TopologyInput => {
  if (mode === 'lookup') return { mode, shards: SHARDS, table: LISTED };
  if (mode === 'prefix') return { mode, shards: SHARDS, table: { user: NAMES[2] as string } };
  if (mode === 'range') return { mode, shards: SHARDS, table: [{ shard: NAMES[3] as string }] };
  if (mode === 'ordinal') return { mode, template: '10.0.0.{n}:80', replicas: 6 };
  return { mode, shards: SHARDS };
};

describe.each(MODES)('tables of mode %s', (mode) => {
  const table = shardTable(topologyOf(mode));
  const keys = keysOf(mode);
  const owned = keys.flatMap((key) => {
    const owner = table.place(key);
    return owner === undefined ? [] : [{ key, owner, candidates: table.candidates(key) }];
  });
  const wishFor = ({ owner, candidates }: (typeof owned)[number]): Wish => ({
    owner,
    candidates: () => candidates,
    tried: new Set(),
    since: 0,
  });
  const router = (onDown: OnDown, down: readonly number[], seed: number): Servers => {
    const servers = serversOf(table.shards, { onDown, random: chance(seed) });
    for (const n of down) {
      const shard = table.shards[n] as Shard;
      openAll(servers, { ...shard, urls: [`http://${shard.address}`] }, 0);
    }
    return servers;
  };
  const downs = fc.uniqueArray(fc.nat(5), { maxLength: 6 });

  const asked = (choice: Choice) =>
    choice.kind === 'go' ? `${choice.role} ${choice.shard.name}` : choice.kind;
  const isIn = (down: readonly number[], shard: Shard) =>
    down.some((n) => table.shards[n] === shard);

  test('no key of an owner that is well moves, whoever is down', () => {
    expect(owned.length).toBe(keys.length);
    fc.assert(
      fc.property(policy, downs, fc.nat(), (onDown, down, seed) => {
        const servers = router(onDown, down, seed);
        const well = owned.filter(({ owner }) => !isIn(down, owner));
        expect(well.map((one) => asked(servers.choose(wishFor(one), 1)))).toEqual(
          well.map(({ owner }) => `owner ${owner.name}`),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('every key of one that is down goes where every router sends it: to the first of the others that is well', () => {
    fc.assert(
      fc.property(downs, fc.nat(), fc.nat(), (down, one, other) => {
        const ill = owned.filter(({ owner }) => isIn(down, owner));
        const expected = ill.map(({ candidates }) => {
          const first = candidates.find((shard) => !isIn(down, shard));
          return first ? `next ${first.name}` : 'refused';
        });
        for (const servers of [router('next', down, one), router('next', down, other)])
          expect(ill.map((key) => asked(servers.choose(wishFor(key), 1)))).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});
