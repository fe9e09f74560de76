/** One table after the other: who waits for it, how long, and who asks for it. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Files, Names } from '../../../../shared/platform';
import { type LiveTableOptions, liveTable } from '../../../../shared/shard/members/live-table';
import type { MembersSource } from '../../../../shared/shard/members/source';
import { InvalidTopology } from '../../../../shared/shard/read';
import { type ShardTable, shardTable } from '../../../../shared/shard/table';
import { memoryStore } from '../../../../shared/store/memory';
import { testContext } from '../../../support/invoke';
import { manualClock } from '../../../support/manual-clock';
import { randomOf } from '../../../support/random';
import { addressesOf, membersOf, NATIVE, never, tableLab } from './lab';

const lab = tableLab();

/** One file whose text a test says; `hold` makes its readers wait. */
const oneFile = (first: unknown) => {
  let value = first;
  let reads = 0;
  let gate = Promise.resolve();
  const files: Files = {
    readNow: () => {
      throw new Error('nobody reads at once');
    },
    read: async () => {
      reads += 1;
      const mine = value;
      await gate;
      if (mine instanceof Error) throw mine;
      return typeof mine === 'string' ? mine : JSON.stringify(mine);
    },
  };
  return {
    files,
    reads: () => reads,
    write: (next: unknown) => {
      value = next;
    },
    hold: () => {
      let open = (): void => undefined;
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
  };
};

const still = (file: ReturnType<typeof oneFile>, options: Partial<LiveTableOptions> = {}) => {
  const clock = manualClock();
  const of = lab({
    members: { from: 'file', path: 'members.json', every: '2s' },
    files: file.files,
    clock,
    ...options,
  });
  return { ...of, clock };
};

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  const turn = new Promise<false>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(Boolean, () => true), turn]);
};

describe('static members', () => {
  const topology = { ...NATIVE, ...membersOf(3) };
  test('are there at once and for ever', async () => {
    const { table, follow, lines } = lab({ topology });
    const current = table.current();
    expect(current?.digest).toBe(shardTable(topology).digest);
    expect(await table.ready(AbortSignal.abort())).toBe(current);
    expect(await table.refresh(never)).toBe(current);
    await follow();
    table.onChange(() => undefined)();
    expect(table.asOf()).toBe(Number.POSITIVE_INFINITY);
    expect(lines).toEqual([]);
  });

  test('with a mistake are refused at start', () => {
    expect(() => lab({ topology: NATIVE })).toThrow(InvalidTopology);
    expect(() => lab({ topology: { ...topology, pins: { k: 'z' } } })).toThrow(/\/pins\/k/);
  });
});

describe('a host that has not what the source needs', () => {
  test.each<[MembersSource, string]>([
    [{ from: 'file', path: 'a' }, 'members from file: this host has no files'],
    [{ from: 'dns', name: 'a' }, 'members from dns: this host has no name servers'],
    [{ from: 'store' }, 'members from store: this host has no store'],
  ])('is told at start: %j', (members, message) => {
    expect(() => lab({ members })).toThrow(new TypeError(message));
  });

  test('is told of a source that is none, too', () => {
    const members = { from: 'file' } as unknown as MembersSource;
    expect(() => lab({ members })).toThrow(new TypeError('members/path is required'));
  });
});

describe('before the first table', () => {
  test('who waits is refused in time, with a word when to come again; the source is asked meanwhile', async () => {
    const file = oneFile('{');
    const { table, clock, logged } = still(file);
    expect(table.current()).toBeUndefined();
    const waiting = table.ready(never);
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'table_unavailable',
      status: 503,
      headers: { 'retry-after': '1' },
    });
    await clock.advance(4_999);
    expect(await settled(waiting)).toBe(false);
    const asked = file.reads();
    expect(asked).toBeGreaterThan(3);
    await clock.advance(1);
    await refused;
    expect(logged('warn')).toEqual(['shard_members_unusable']);
    // Nobody waits any more, so nobody asks.
    await clock.advance(60_000);
    expect(file.reads()).toBeLessThanOrEqual(asked + 1);
  });

  test('a thousand who wait ask no more than one does, and all get it', async () => {
    const counts: number[] = [];
    for (const waiters of [1, 1_000]) {
      const file = oneFile('{');
      const { table, clock } = still(file, { random: halves });
      const waiting = Array.from({ length: waiters }, () =>
        table.ready(new AbortController().signal),
      );
      await clock.advance(3_000);
      counts.push(file.reads());
      file.write(membersOf(1));
      await clock.advance(2_000);
      const tables = new Set(await Promise.all(waiting));
      expect([...tables]).toEqual([table.current()]);
    }
    expect(counts[1]).toBe(counts[0]);
  });

  test('who leaves is let go, and leaves no listener behind', async () => {
    const { table } = still(oneFile('{'));
    const leaving = new AbortController();
    const waiting = [table.ready(leaving.signal), table.refresh(leaving.signal)];
    expect(getEventListeners(leaving.signal, 'abort').length).toBeGreaterThan(0);
    leaving.abort();
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'aborted' });
    expect(getEventListeners(leaving.signal, 'abort')).toEqual([]);
    await expect(table.ready(leaving.signal)).rejects.toMatchObject({ code: 'aborted' });
  });

  test('refresh gives no table either', async () => {
    const { table } = still(oneFile(new Error('no disk')));
    await expect(table.refresh(never)).rejects.toMatchObject({ code: 'table_unavailable' });
  });
});

describe('a question to the source', () => {
  test('is one for all who ask meanwhile, and begins after they asked', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock } = still(file);
    const open = file.hold();
    const first = table.refresh(never);
    await clock.advance(0);
    file.write(membersOf(2));
    const later = [table.refresh(never), table.refresh(never), table.refresh(never)];
    open();
    expect((await first).shards).toHaveLength(1);
    for (const one of later) expect((await one).shards).toHaveLength(2);
    expect(file.reads()).toBe(2);
  });

  test('that has no answer keeps nobody for ever, is told once, and is not put again meanwhile', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock, lines, follow } = still(file);
    const ready = await table.ready(never);
    const reads = file.reads();
    const open = file.hold();
    file.write(membersOf(2));
    void follow();
    for (let round = 0; round < 3; round += 1) {
      const asked = table.refresh(never);
      await clock.advance(5_000);
      expect(await asked).toBe(ready);
    }
    expect(file.reads()).toBe(reads + 1);
    const warned = lines.filter(({ severity }) => severity === 'warn');
    expect(warned.map(({ fields }) => (fields.error as Error).message)).toEqual([
      'there is no answer in time',
    ]);
    open();
    expect((await table.refresh(never)).shards).toHaveLength(2);
  });

  test('that never has one does not end the asking', async () => {
    const store = memoryStore();
    await store.compareAndSwap('shard-router/members', 0, membersOf(2));
    let hangs = true;
    const hanging = {
      ...store,
      get: <T>(key: string) => (hangs ? new Promise<undefined>(() => {}) : store.get<T>(key)),
    };
    const { table, clock } = still(oneFile(''), { members: { from: 'store' }, store: hanging });
    const waiting = table.ready(never);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'table_unavailable' });
    await clock.advance(5_000);
    await refused;
    hangs = false;
    expect((await table.ready(never)).shards).toHaveLength(2);
  });

  test('to a name server is cancelled in time', async () => {
    const cancelled: boolean[] = [];
    const names: Names = {
      addresses: () => Promise.reject(new Error('nobody asks for these')),
      services: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            cancelled.push(true);
            reject(new Error('cancelled'));
          });
        }),
    };
    const { table, clock } = still(oneFile(''), { names, members: { from: 'dns', name: 'a' } });
    const asked = table.refresh(never);
    const refused = expect(asked).rejects.toMatchObject({ code: 'table_unavailable' });
    await clock.advance(5_000);
    await refused;
    expect(cancelled).toEqual([true]);
  });
});

describe('where nobody follows', () => {
  test('a table older than its time is looked after, while the old one goes on', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock } = still(file);
    const first = await table.ready(never);
    const reads = file.reads();
    file.write(membersOf(2));
    await clock.advance(1_999);
    expect(table.current()).toBe(first);
    await clock.advance(0);
    expect(file.reads()).toBe(reads);
    await clock.advance(1);
    expect(await table.ready(never)).toBe(first);
    expect(table.current()).toBe(first);
    await clock.advance(0);
    expect(table.current()?.shards).toHaveLength(2);
    expect(file.reads()).toBe(reads + 1);
  });

  test('nor is a source that fails asked more often than that', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock } = still(file);
    await table.ready(never);
    file.write(new Error('no disk'));
    const reads = file.reads();
    for (let ms = 0; ms < 10_000; ms += 100) {
      table.current();
      await clock.advance(100);
    }
    expect(file.reads() - reads).toBeLessThanOrEqual(5);
  });

  test('nothing is asked when nobody asks', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock } = still(file);
    await clock.advance(60_000);
    expect(file.reads()).toBe(0);
    expect(table.asOf()).toBe(Number.NEGATIVE_INFINITY);
  });
});

describe('following', () => {
  test('asks again and again, each time a little earlier or later, until the signal aborts', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock } = still(file);
    const end = new AbortController();
    const following = table.follow(end.signal);
    await clock.advance(60_000);
    const reads = file.reads();
    expect(reads).toBeGreaterThanOrEqual(27);
    expect(reads).toBeLessThanOrEqual(34);
    expect(getEventListeners(end.signal, 'abort')).toHaveLength(1);
    end.abort();
    await following;
    expect(getEventListeners(end.signal, 'abort')).toEqual([]);
    await clock.advance(60_000);
    expect(file.reads()).toBe(reads);
  });

  test('two routers that began at once soon ask at different times', async () => {
    const clock = manualClock();
    const times: number[][] = [[], []];
    for (const seed of [0, 1]) {
      const random = randomOf(seed + 1);
      const { table } = still(oneFile(membersOf(1)), {
        clock,
        random: { ...halves, below: (limit) => Math.floor(random() * limit) },
        files: {
          readNow: () => '',
          read: async () => {
            times[seed]?.push(clock.now());
            return JSON.stringify(membersOf(1));
          },
        },
      });
      const end = new AbortController();
      void table.follow(end.signal).catch(() => undefined);
    }
    await clock.advance(20_000);
    const [one = [], other = []] = times;
    expect(one[0]).toBe(other[0]);
    expect(one.slice(1).filter((at) => other.includes(at))).toEqual([]);
  });

  test('ends at once when it was over before, and in the middle of a question', async () => {
    const file = oneFile(membersOf(1));
    const { table } = still(file);
    await table.follow(AbortSignal.abort());
    expect(file.reads()).toBe(0);
    file.hold();
    const end = new AbortController();
    const following = table.follow(end.signal);
    expect(await settled(following)).toBe(false);
    end.abort();
    await following;
  });

  test('a store that is closed does not end it, nor does it spin', async () => {
    const store = memoryStore();
    let watched = 0;
    const counting = {
      ...store,
      watch: <T>(key: string, signal: AbortSignal) => {
        watched += 1;
        return store.watch<T>(key, signal);
      },
    };
    await store.compareAndSwap('shard-router/members', 0, membersOf(2));
    const clock = manualClock();
    const { table, follow } = lab({ members: { from: 'store' }, store: counting, clock });
    void follow();
    const ready = await table.ready(never);
    await store.close();
    await clock.advance(60_000);
    expect(table.current()).toBe(ready);
    expect(watched).toBeGreaterThan(10);
    expect(watched).toBeLessThan(60);
  });
});

describe('asOf', () => {
  test('is when the latest question that had an answer was put, whatever the answer was', async () => {
    const file = oneFile(membersOf(1));
    const { table, clock } = still(file);
    const open = file.hold();
    const asked = clock.now();
    const first = table.ready(never);
    await clock.advance(700);
    open();
    await first;
    expect(table.asOf()).toBe(asked);
    file.write(new Error('no disk'));
    await clock.advance(10_000);
    await table.refresh(never);
    expect(table.asOf()).toBe(asked);
    file.write('{');
    await table.refresh(never);
    expect(table.asOf()).toBe(clock.now());
  });
});

test('of more kinds of trouble than are remembered, each is told still', async () => {
  const file = oneFile(membersOf(1));
  const { table, logged } = still(file);
  await table.ready(never);
  for (let nth = 0; nth < 250; nth += 1) {
    file.write(new Error(`trouble ${nth % 125}`));
    await table.refresh(never);
  }
  expect(logged('warn')).toHaveLength(250);
});

describe('who is told of changes', () => {
  test('is told of each, after it is current, until he ends it; one that throws harms nobody', async () => {
    const file = oneFile(membersOf(1));
    const { table, logged } = still(file);
    const told: string[] = [];
    const listener = () => void told.push(addressesOf(table));
    table.onChange(() => {
      throw new Error('of no use');
    });
    const end = table.onChange(listener);
    const endOther = table.onChange(listener);
    const first = await table.ready(never);
    expect(told).toEqual(['a:80', 'a:80']);
    endOther();
    endOther();
    file.write(membersOf(2));
    const pairs: unknown[] = [];
    table.onChange((now, before) => pairs.push([now, before]));
    const second = await table.refresh(never);
    expect(pairs).toEqual([[second, first]]);
    expect(told).toEqual(['a:80', 'a:80', 'a:80 b:80']);
    end();
    file.write(membersOf(3));
    await table.refresh(never);
    expect(told).toHaveLength(3);
    expect(logged('error')).toEqual(Array(3).fill('shard_table_listener_failed'));
  });
});

describe('a store that shows an older version', () => {
  const numbered = (monotoneVersions: boolean) => {
    const store = memoryStore();
    const clock = manualClock();
    let version = 5;
    const fake = {
      ...store,
      capabilities: { ...store.capabilities, monotoneVersions },
      get: async <T>(key: string) => ({ key, version, value: membersOf(version) as T }),
    };
    const { table, logged } = lab({ members: { from: 'store' }, store: fake, clock });
    const show = async (next: number) => {
      version = next;
      return (await table.refresh(never)).epoch;
    };
    return { table, clock, logged, show };
  };

  test('is believed at once where versions may begin anew', async () => {
    const { show } = numbered(false);
    expect([await show(5), await show(3), await show(4)]).toEqual([5, 3, 4]);
  });

  test('is not believed for a while where they only grow', async () => {
    const { show, clock, logged } = numbered(true);
    expect(await show(5)).toBe(5);
    expect(await show(3)).toBe(5);
    await clock.advance(9_999);
    expect(await show(3)).toBe(5);
    expect(logged('warn')).toEqual(['shard_members_unusable']);
    await clock.advance(1);
    expect(await show(3)).toBe(3);
    expect(await show(4)).toBe(4);
  });

  test('has that while anew, when another one came between', async () => {
    const { show, clock } = numbered(true);
    await show(5);
    for (const between of [5, 5, 2, 5, 4]) {
      expect(await show(3)).toBe(5);
      await clock.advance(6_000);
      expect(await show(between)).toBe(5);
    }
    expect(await show(6)).toBe(6);
    await clock.advance(60_000);
    expect(await show(3)).toBe(6);
  });
});

test('whatever comes after whatever, the table is the last good one, and made as if it were the first', async () => {
  const random = randomOf(6);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const weighted = (count: number) => ({
    epoch: Math.floor(random() * 3),
    shards: membersOf(count).shards.map((shard) => ({
      ...shard,
      weight: 1 + Math.floor(random() * 9),
    })),
  });
  const bad = [
    () => new Error(pick(['gone', 'no permission'])),
    () => '',
    () => JSON.stringify(membersOf(3)).slice(0, Math.floor(random() * 40)),
    () => ({ shards: [] }),
    () => ({ ...membersOf(2), pins: { k: 'z' } }),
    () => ({ ...membersOf(2), epoch: 'late' }),
  ];
  for (const [mode, steps] of [
    ['native', 60],
    ['nginx-consistent', 150],
    ['haproxy-consistent', 150],
  ] as const) {
    const topology = { mode };
    const file = oneFile('');
    const { log } = testContext();
    const table = liveTable({
      topology,
      members: { from: 'file', path: 'a' },
      files: file.files,
      clock: manualClock(),
      random: halves,
      log,
    });
    let expected: ReturnType<typeof weighted> | undefined;
    let fresh: ShardTable | undefined;
    let changes = 0;
    let seen = 0;
    table.onChange((now, before) => {
      seen += 1;
      expect(now).toBe(table.current());
      expect(now).not.toBe(before);
    });
    for (let step = 0; step < steps; step += 1) {
      const isGood = random() < 0.4;
      const next = isGood ? pick([weighted(1 + Math.floor(random() * 5)), expected]) : pick(bad)();
      file.write(next ?? '');
      if (isGood && next && JSON.stringify(next) !== JSON.stringify(expected)) {
        expected = next as ReturnType<typeof weighted>;
        fresh = shardTable({ mode, shards: expected.shards }, { epoch: expected.epoch });
        changes += 1;
      }
      const found = await table.refresh(never).catch(() => undefined);
      expect(found).toBe(table.current());
      expect([found?.digest, found?.epoch]).toEqual([fresh?.digest, fresh?.epoch]);
      expect(found?.shards).toEqual(fresh?.shards);
      for (const key of ['a', 'b', 'user:7']) expect(found?.place(key)).toEqual(fresh?.place(key));
    }
    expect(changes).toBeGreaterThan(10);
    expect(seen).toBe(changes);
  }
});

/** Chance that always says a half. */
const halves = {
  bytes: (count: number) => new Uint8Array(count),
  below: (limit: number) => Math.floor(limit / 2),
  uuid: () => '00000000-0000-4000-8000-000000000000',
};
