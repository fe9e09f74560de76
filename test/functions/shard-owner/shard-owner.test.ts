import { describe, expect, test } from '@jest/globals';
import { ownerOf } from '../../../functions/shard-owner/owner-of';
import { type ShardOwnerOptions, shardOwner } from '../../../functions/shard-owner/shard-owner';
import { Failure } from '../../../shared/failure';
import type { Handler } from '../../../shared/handler';
import { problem, text } from '../../../shared/http/response';
import { systemRandom } from '../../../shared/random';
import type { KeyReader } from '../../../shared/shard/key/key';
import { liveTable } from '../../../shared/shard/members/live-table';
import { type ShardTable, shardTable } from '../../../shared/shard/table';
import { invoke, testContext } from '../../support/invoke';
import { type StoredTable, storedTable } from '../../support/shard-live-table';

const byHeader: KeyReader = {
  read: ({ headers }) => {
    const value = headers.get('x-key');
    return value === null ? { missing: true } : { value, source: 'header x-key' };
  },
  readsBody: false,
  warnings: [],
};

const tableOf = (...names: readonly string[]): ShardTable =>
  shardTable({ mode: 'native', shards: names.map((address) => ({ address })) });

/** A key that the first of these tables gives to this shard, and so on. */
const keyOf = (...owned: readonly (readonly [ShardTable, string])[]): string => {
  for (let n = 0; n < 100_000; n += 1)
    if (owned.every(([table, name]) => table.place(`key-${n}`)?.name === name)) return `key-${n}`;
  throw new Error('there is no such key');
};

const AB = tableOf('a', 'b');
const ABC = tableOf('a', 'b', 'c');
const BC = tableOf('b', 'c');

interface Seen {
  readonly status: number;
  readonly executed: boolean;
  /** What the handler behind was told, or the sender. */
  readonly fence: readonly [string | null, string | null, string | null];
  readonly code?: string;
  readonly retryAfter: string | null;
}

/** Shard a. */
const shardA = (
  { table, clock }: Pick<StoredTable, 'table' | 'clock'>,
  options: Partial<ShardOwnerOptions> = {},
) => {
  const executed: Request[] = [];
  const app: Handler = (request) => {
    executed.push(request);
    return text('done');
  };
  const handler = shardOwner({ name: 'a', key: byHeader, table, clock, ...options })(app);
  return async (headers: Record<string, string>): Promise<Seen> => {
    const before = executed.length;
    let response: Response;
    try {
      response = await invoke(handler, '/', { headers });
    } catch (thrown) {
      if (!(thrown instanceof Failure)) throw thrown;
      response = problem(thrown, 'request-1');
    }
    const last = executed.length > before ? executed.at(-1) : undefined;
    const { headers: told } = last ?? response;
    const { code } = response.status === 200 ? {} : ((await response.json()) as { code: string });
    return {
      status: response.status,
      executed: last !== undefined,
      fence: [told.get('shard-epoch'), told.get('shard-digest'), told.get('shard-role')],
      ...(code !== undefined && { code }),
      retryAfter: response.headers.get('retry-after'),
    };
  };
};

const fence = (epoch: number, { digest }: ShardTable, role = 'owner') => ({
  'shard-epoch': `${epoch}`,
  'shard-digest': digest,
  'shard-role': role,
});

/** A store with these members, and a table that has read them. */
const following = async (...names: readonly string[]) => {
  const stored = storedTable();
  const epoch = await stored.publish(...names);
  await stored.table.ready(new AbortController().signal);
  return { ...stored, epoch };
};

describe('a shard that owns the key', () => {
  test('executes, and is told by which table, whatever the caller says of it', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored);
    const mine = { 'x-key': keyOf([AB, 'a']) };
    const owned = {
      status: 200,
      executed: true,
      fence: [`${stored.epoch}`, AB.digest, 'owner'],
      retryAfter: null,
    };
    expect(await call(mine)).toEqual(owned);
    expect(await call({ ...mine, ...fence(stored.epoch, AB) })).toEqual(owned);
    expect(await call({ ...mine, ...fence(99, ABC, 'next') })).toEqual(owned);
    expect(await call({ ...mine, 'shard-epoch': 'x', 'shard-role': 'god' })).toEqual(owned);
    expect(await call({ ...mine, ...fence(stored.epoch, AB, 'replica') })).toMatchObject({
      executed: true,
      fence: [`${stored.epoch}`, AB.digest, 'replica'],
    });
  });
});

describe('a shard that does not own the key', () => {
  test('executes nothing, and says by which table: 421', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored);
    const foreign = { 'x-key': keyOf([AB, 'b']) };
    const refused = {
      status: 421,
      code: 'misdirected',
      executed: false,
      fence: [`${stored.epoch}`, AB.digest, null],
      retryAfter: null,
    };
    expect(await call(foreign)).toEqual(refused);
    for (const role of ['owner', 'replica', 'next', 'bound', 'spread', 'god'])
      expect(await call({ ...foreign, ...fence(stored.epoch, AB, role) })).toEqual(refused);
  });

  test('takes it in a role that it was told to take, on the word of a router with the same table', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored, { roles: ['next'] });
    const foreign = { 'x-key': keyOf([AB, 'b']) };
    expect(await call({ ...foreign, ...fence(stored.epoch, AB, 'next') })).toMatchObject({
      status: 200,
      fence: [`${stored.epoch}`, AB.digest, 'next'],
    });
    expect(await call({ ...foreign, ...fence(stored.epoch, AB, 'bound') })).toMatchObject({
      status: 421,
    });
    expect(await call({ ...foreign, ...fence(stored.epoch, ABC, 'next') })).toMatchObject({
      status: 421,
    });
    expect(await call(foreign)).toMatchObject({ status: 421 });
  });

  test('takes nothing at all once it is out of the table, not even what is nobody’s', async () => {
    const stored = await following('b', 'c');
    const call = shardA(stored, { roles: ['next', 'spread'], missing: 'spread' });
    expect(await call({})).toMatchObject({ status: 421, executed: false });
    for (const role of ['owner', 'next', 'spread'])
      expect(
        await call({ 'x-key': keyOf([BC, 'b']), ...fence(stored.epoch, BC, role) }),
      ).toMatchObject({ status: 421, executed: false });
  });
});

test.each([{ down: true }, { ejected: true }])(
  'a shard that is in the table as %j is no member',
  async (how) => {
    const shards = [{ address: 'a', ...how }, { address: 'b' }];
    const members = JSON.stringify({ shards });
    const { clock } = storedTable();
    const table = liveTable({
      topology: { mode: 'native' },
      members: { from: 'file', path: 'members.json' },
      files: { readNow: () => members, read: async () => members },
      clock,
      random: systemRandom,
      log: testContext().log,
    });
    await table.ready(new AbortController().signal);
    const call = shardA({ table, clock }, { missing: 'spread' });
    expect(await call({})).toMatchObject({ status: 421, executed: false });
  },
);

describe('a request from a router with another table', () => {
  test('makes the shard look again, once, before it decides by its own', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored);
    const before = stored.reads();
    const lost = { 'x-key': keyOf([AB, 'a'], [ABC, 'c']) };
    const epoch = await stored.publish('a', 'b', 'c');
    // Nobody tells of it: by its own table it is still the owner.
    expect(await call(lost)).toMatchObject({ status: 200 });
    expect(stored.reads()).toBe(before);
    expect(await call({ ...lost, ...fence(epoch, ABC) })).toMatchObject({
      status: 421,
      fence: [`${epoch}`, ABC.digest, null],
    });
    expect(stored.reads()).toBe(before + 1);
    expect(await call(lost)).toMatchObject({ status: 421 });
  });

  test('is taken at once by a shard that has just become the owner', async () => {
    const stored = await following('b', 'c');
    const epoch = await stored.publish('a', 'b', 'c');
    const won = { 'x-key': keyOf([ABC, 'a']) };
    expect(await shardA(stored)({ ...won, ...fence(epoch, ABC) })).toMatchObject({
      status: 200,
      fence: [`${epoch}`, ABC.digest, 'owner'],
    });
  });

  test('of the same members at a later epoch makes it look too', async () => {
    const stored = await following('a', 'b');
    const later = await stored.publish('a', 'b', 'c').then(() => stored.publish('a', 'b'));
    expect(await shardA(stored)({ 'x-key': keyOf([AB, 'a']), ...fence(later, AB) })).toMatchObject({
      status: 200,
      fence: [`${later}`, AB.digest, 'owner'],
    });
  });

  test('that is behind is judged by the newer one', async () => {
    const stored = await following('a', 'b', 'c');
    const kept = { 'x-key': keyOf([AB, 'a'], [ABC, 'a']) };
    const lost = { 'x-key': keyOf([AB, 'a'], [ABC, 'c']) };
    const call = shardA(stored);
    expect(await call({ ...kept, ...fence(0, AB) })).toMatchObject({ status: 200 });
    expect(await call({ ...lost, ...fence(0, AB) })).toMatchObject({ status: 421 });
  });

  test('makes it ask once in a second at most, since it may be behind, misled or forged', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored);
    const before = stored.reads();
    const forged = { 'x-key': keyOf([AB, 'a']), ...fence(2 ** 40, ABC) };
    for (let i = 0; i < 20; i += 1) expect(await call(forged)).toMatchObject({ status: 200 });
    expect(stored.reads()).toBe(before + 1);
    await stored.clock.advance(1_000);
    await call(forged);
    expect(stored.reads()).toBe(before + 2);
    // Another reason is another question, also a later epoch of the very same table.
    for (let i = 0; i < 5; i += 1) await call({ ...forged, ...fence(2 ** 41, AB) });
    expect(stored.reads()).toBe(before + 3);
    await call({ ...forged, 'shard-epoch': '12345678' });
    expect(stored.reads()).toBe(before + 4);
  });

  test('keeps few of these reasons in mind, whoever makes them up', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored);
    const forged = (epoch: number) =>
      call({ 'x-key': keyOf([AB, 'a']), ...fence(2 ** 40 + epoch, ABC) });
    for (let epoch = 0; epoch < 64; epoch += 1) await forged(epoch);
    const before = stored.reads();
    await forged(0);
    expect(stored.reads()).toBe(before);
    await forged(64);
    await forged(0);
    expect(stored.reads()).toBe(before + 2);
  });

  test('does not wait for long when the source hangs: then the table of before decides', async () => {
    const stored = await following('a', 'b');
    stored.answer('hangs');
    const answer = shardA(stored)({ 'x-key': keyOf([AB, 'a']), ...fence(2 ** 40, ABC) });
    await stored.clock.advance(2_000);
    expect(await answer).toMatchObject({
      status: 200,
      fence: [`${stored.epoch}`, AB.digest, 'owner'],
    });
  });
});

describe('a shard that is cut off from the source of its table', () => {
  const mine = { 'x-key': keyOf([AB, 'a']) };
  const refused = {
    status: 503,
    code: 'table_unavailable',
    executed: false,
    fence: [null, null, null],
    retryAfter: '1',
  };

  test('executes for staleAfter, then nothing more until the source is back', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored, { staleAfter: 10_000 });
    stored.answer('fails');
    await stored.clock.advance(9_999);
    expect(await call(mine)).toMatchObject({ status: 200 });
    await stored.clock.advance(1);
    expect(await call(mine)).toEqual(refused);
    expect(await call({ 'x-key': keyOf([AB, 'b']) })).toEqual(refused);
    stored.answer('well');
    await stored.clock.advance(1_000);
    expect(await call(mine)).toMatchObject({ status: 200 });
  });

  test('is not old as long as it is asked and answers, whether or not anything changes', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored, { staleAfter: 10_000 });
    for (let i = 0; i < 5; i += 1) {
      await stored.clock.advance(9_000);
      expect(await call(mine)).toMatchObject({ status: 200 });
    }
  });

  test('asks the source once in a second, and refuses the rest at once', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored, { staleAfter: 10_000 });
    stored.answer('fails');
    await stored.clock.advance(10_000);
    expect(await call(mine)).toEqual(refused);
    const reads = stored.reads();
    for (let i = 0; i < 20; i += 1)
      expect(await call({ ...mine, ...fence(i, ABC) })).toEqual(refused);
    expect(stored.reads()).toBe(reads);
  });

  test('waits for a source that hangs no longer than its patience', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored, { staleAfter: 10_000, patience: 500 });
    stored.answer('hangs');
    await stored.clock.advance(10_000);
    const answer = call(mine);
    await stored.clock.advance(500);
    expect(await answer).toEqual(refused);
  });

  test('refuses everything before its first table, and takes its own with it', async () => {
    const stored = storedTable();
    const call = shardA(stored);
    expect(await call(mine)).toEqual(refused);
    await stored.publish('a', 'b');
    expect(await call(mine)).toEqual(refused);
    await stored.clock.advance(1_000);
    expect(await call(mine)).toMatchObject({ status: 200 });
  });

  test('asks again when the clock was put back, since nobody knows how old the table is', async () => {
    const stored = await following('a', 'b');
    stored.answer('fails');
    const past = { ...stored.clock, now: () => stored.clock.now() - 60_000 };
    expect(await shardA({ table: stored.table, clock: past })(mine)).toEqual(refused);
  });

  test('needs a time above 0 for that', async () => {
    const { table, clock } = storedTable();
    for (const staleAfter of [0, -1, Number.NaN])
      expect(() => shardOwner({ name: 'a', key: byHeader, table, clock, staleAfter })).toThrow(
        TypeError,
      );
  });
});

describe('a request without a key', () => {
  test('is refused as the routers refuse it: 400', async () => {
    const call = shardA(await following('a', 'b'));
    expect(await call({})).toMatchObject({ status: 400, code: 'key_missing', executed: false });
  });

  test('is any member’s where such requests are spread, in any role and by any table', async () => {
    const stored = await following('a', 'b');
    const call = shardA(stored, { missing: 'spread' });
    expect(await call({})).toMatchObject({
      status: 200,
      fence: [`${stored.epoch}`, AB.digest, 'spread'],
    });
    expect(await call(fence(0, ABC, 'spread'))).toMatchObject({ status: 200 });
  });

  test('is the shard’s that the settings name, and nobody else’s', async () => {
    const stored = await following('a', 'b');
    expect(await shardA(stored, { missing: { fixed: 'a' } })({})).toMatchObject({ status: 200 });
    expect(await shardA(stored, { missing: { fixed: 'b' } })({})).toMatchObject({ status: 421 });
  });

  test('is the owner’s of the key that the settings name instead', async () => {
    const stored = await following('a', 'b');
    const by = (fallback: string) => shardA(stored, { missing: { fallback } })({});
    expect(await by(keyOf([AB, 'a']))).toMatchObject({ status: 200 });
    expect(await by(keyOf([AB, 'b']))).toMatchObject({ status: 421 });
  });
});

test('a key that is in no table is nobody’s, and one that the peer leaves to chance any member’s', async () => {
  const kept = storedTable({ mode: 'lookup', table: { known: 'b' } });
  await kept.publish('a', 'b');
  const call = shardA(kept);
  expect(await call({ 'x-key': 'unknown' })).toMatchObject({ status: 421, executed: false });
  expect(await call({ 'x-key': 'known' })).toMatchObject({ status: 421 });

  const found = { value: 'k', source: 'header x-key' };
  const place = () => undefined;
  expect(ownerOf(found, 'reject', { mode: 'nginx-hash', place })).toEqual({ kind: 'anyone' });
  expect(ownerOf(found, 'reject', { mode: 'range', place })).toEqual({ kind: 'nobody' });
});
