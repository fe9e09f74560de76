/** What every store does, whatever it is made of. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_VALUE } from '../../shared/store/limits';
import { ABSENT, type Entry, type ListOptions, type Store } from '../../shared/store/store';
import { type ManualClock, manualClock } from '../support/manual-clock';
import { watchContract } from './store-watch';

const START = Date.UTC(2026, 0, 1);

/** Runs the whole contract; `open` gives an empty store each time. */
export const storeContract = (
  name: string,
  open: (clock: ManualClock) => Store | Promise<Store>,
): void => {
  watchContract(name, open);

  let clock: ManualClock;
  let store: Store;

  beforeEach(async () => {
    clock = manualClock(START);
    store = await open(clock);
  });
  afterEach(() => store.close());

  /** Writes what must be written. */
  const put = async <T>(key: string, value: T, ttl?: number): Promise<Entry<T>> => {
    const version = (await store.get(key))?.version ?? ABSENT;
    const entry = await store.compareAndSwap(key, version, value, ttl === undefined ? {} : { ttl });
    if (!entry) throw new Error(`${key} was not written`);
    return entry;
  };
  const keysOf = async (prefix: string, options?: ListOptions) =>
    (await store.list(prefix, options)).entries.map(({ key }) => key);

  describe(`${name}: compare and swap`, () => {
    test('a key that was never written is absent', async () => {
      expect(await store.get('a')).toBeUndefined();
      expect(await store.delete('a')).toBe(false);
      expect(await store.list('')).toEqual({ entries: [] });
    });

    test('what was written is read, with its version', async () => {
      const written = await store.compareAndSwap('a', ABSENT, { n: 1 });
      expect(written).toEqual({ key: 'a', value: { n: 1 }, version: expect.any(Number) });
      expect(written?.version).toBeGreaterThan(ABSENT);
      expect(await store.get('a')).toEqual(written);
    });

    test('ABSENT loses against a key that exists', async () => {
      const first = await put('a', 1);
      expect(await store.compareAndSwap('a', ABSENT, 2)).toBeUndefined();
      expect(await store.get('a')).toEqual(first);
    });

    test('a version loses against a key that does not exist', async () => {
      expect(await store.compareAndSwap('a', 1, 2)).toBeUndefined();
      expect(await store.get('a')).toBeUndefined();
    });

    test('the right version writes, and is wrong from then on', async () => {
      const first = await put('a', 1);
      const second = await store.compareAndSwap('a', first.version, 2);
      expect(second?.version).toBeGreaterThan(first.version);
      expect(await store.compareAndSwap('a', first.version, 3)).toBeUndefined();
      expect((await store.get('a'))?.value).toBe(2);
    });

    test('a version of the future loses', async () => {
      const { version } = await put('a', 1);
      expect(await store.compareAndSwap('a', version + 1, 2)).toBeUndefined();
    });

    test('versions grow over all keys, and no key sees one twice, not even after a delete', async () => {
      const versions: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        for (const key of ['a', 'b']) versions.push((await put(key, round)).version);
        await store.delete('a');
        if (round % 2) await store.delete('b');
      }
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    });

    test('of 1,000 writers of one version exactly one wins', async () => {
      for (let version: number = ABSENT, round = 0; round < 3; round += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: 1_000 }, (_, writer) =>
            store.compareAndSwap('a', version, `${round}-${writer}`),
          ),
        );
        const winners = outcomes.filter((entry) => entry !== undefined);
        expect(winners).toHaveLength(1);
        expect(await store.get('a')).toEqual(winners[0]);
        version = winners[0]?.version as number;
      }
    });
  });

  describe(`${name}: delete`, () => {
    test('removes, and says whether there was something', async () => {
      await put('a', 1);
      expect(await store.delete('a')).toBe(true);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.delete('a')).toBe(false);
    });

    test('with a version removes that version only', async () => {
      const first = await put('a', 1);
      const second = await put('a', 2);
      expect(await store.delete('a', first.version)).toBe(false);
      expect(await store.delete('a', ABSENT)).toBe(false);
      expect((await store.get('a'))?.value).toBe(2);
      expect(await store.delete('a', second.version)).toBe(true);
      expect(await store.get('a')).toBeUndefined();
    });

    test('leaves other keys alone', async () => {
      await put('a', 1);
      await put('ab', 2);
      await store.delete('a');
      expect(await keysOf('')).toEqual(['ab']);
    });

    test('of 100 that delete one version exactly one did it', async () => {
      const { version } = await put('a', 1);
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, () => store.delete('a', version)),
      );
      expect(outcomes.filter(Boolean)).toHaveLength(1);
    });
  });

  describe(`${name}: time to live`, () => {
    test('an entry lives until its expiry and is gone at that very instant', async () => {
      const entry = await put('a', 1, 1_000);
      expect(entry.expiresAt).toBe(START + 1_000);
      await clock.advance(999);
      expect(await store.get('a')).toEqual(entry);
      expect(await keysOf('')).toEqual(['a']);
      await clock.advance(1);
      expect(await store.get('a')).toBeUndefined();
      expect(await keysOf('')).toEqual([]);
    });

    test('an expired entry counts as absent: it is won with ABSENT, not with its version', async () => {
      const { version } = await put('a', 1, 1_000);
      await clock.advance(1_000);
      expect(await store.compareAndSwap('a', version, 2)).toBeUndefined();
      const next = await store.compareAndSwap('a', ABSENT, 2);
      expect(next?.version).toBeGreaterThan(version);
      expect(await store.get('a')).toEqual(next);
    });

    test('an expired entry is not there to be deleted', async () => {
      const { version } = await put('a', 1, 1_000);
      await clock.advance(1_000);
      expect(await store.delete('a')).toBe(false);
      expect(await store.delete('a', version)).toBe(false);
    });

    test('each write sets the life anew, and one without ttl takes the expiry away', async () => {
      await put('a', 1, 1_000);
      await put('b', 1, 1_000);
      await clock.advance(600);
      expect((await put('a', 2, 1_000)).expiresAt).toBe(START + 1_600);
      expect(await put('b', 2)).not.toHaveProperty('expiresAt');
      await clock.advance(600);
      expect((await store.get('a'))?.value).toBe(2);
      await clock.advance(1e12);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.get('b')).toEqual({ key: 'b', value: 2, version: expect.any(Number) });
    });

    test('a part of a millisecond is rounded up: an entry never dies before its time', async () => {
      expect((await put('a', 1, 0.2)).expiresAt).toBe(START + 1);
      expect((await put('b', 1, 10.5)).expiresAt).toBe(START + 11);
    });

    test('an expiry far behind 2^31 stays what it is', async () => {
      const century = 100 * 365 * 86_400_000;
      const { expiresAt } = await put('a', 1, century);
      expect(expiresAt).toBe(START + century);
      expect((await store.get('a'))?.expiresAt).toBe(START + century);
    });

    test('many that expire leave the living alone', async () => {
      for (let index = 0; index < 50; index += 1)
        await put(`k${index}`, index, index % 2 ? 10 : 1_000);
      await clock.advance(10);
      for (let index = 0; index < 50; index += 1) await put(`l${index}`, index);
      expect(await keysOf('k')).toHaveLength(25);
    });
  });

  describe(`${name}: list`, () => {
    test('gives the entries whose keys begin with the prefix', async () => {
      const entries = [];
      for (const key of ['user/', 'user/1', 'user/2']) entries.push(await put(key, { key }));
      for (const key of ['user', 'user0', 'use', 'users/1', 'USER/1', 'v']) await put(key, 0);
      expect(await store.list('user/')).toEqual({ entries });
    });

    test('gives each key once, however often it was written and deleted', async () => {
      for (const key of ['a', 'b', 'a', 'a', 'b']) await put(key, 0);
      await store.delete('b');
      await put('b', 0);
      expect(await keysOf('')).toEqual(['a', 'b']);
    });

    test('orders keys by their bytes of UTF-8', async () => {
      const sorted = [
        '\0',
        '\0\0',
        'A',
        'Z',
        'a',
        'a\0',
        'aa',
        'é',
        '\ud7ff',
        '\ue000',
        '\uffff',
        '\u{10000}',
        '\u{10ffff}',
      ];
      for (const key of [...sorted].reverse()) await put(key, 0);
      expect(await keysOf('')).toEqual(sorted);
      for (const [index, key] of sorted.entries())
        expect(await keysOf('', { after: key })).toEqual(sorted.slice(index + 1));
    });

    test('takes every character of a prefix as it is', async () => {
      const keys = [
        '%',
        '%a',
        '_',
        '_a',
        '*',
        '*a',
        '[',
        '[a',
        '\\',
        '\\a',
        "'",
        "'a",
        '\uffff',
        '\uffffa',
        '\u{10ffff}',
        '\u{10ffff}a',
        '\x7f',
        '\x7fa',
      ];
      for (const key of keys) await put(key, 0);
      for (const key of keys.filter((_, index) => index % 2 === 0))
        expect(await keysOf(key)).toEqual([key, `${key}a`]);
    });

    test('pages through 250 keys with none lost and none twice', async () => {
      const all = Array.from({ length: 250 }, (_, index) => `k/${String(index).padStart(3, '0')}`);
      await put('j', 0);
      await put('k0', 0);
      for (const key of [...all].reverse()) await put(key, key);
      for (const limit of [undefined, 1, 7, 125, 249, 250, 251, 1000]) {
        const seen: string[] = [];
        let pages = 0;
        for (let after: string | undefined; ; ) {
          const page: Awaited<ReturnType<Store['list']>> = await store.list('k/', {
            ...(limit !== undefined && { limit }),
            ...(after !== undefined && { after }),
          });
          pages += 1;
          seen.push(...page.entries.map(({ key }) => key));
          expect(page.entries.length).toBeLessThanOrEqual(limit ?? 100);
          if (page.next === undefined) break;
          after = page.next;
        }
        expect(seen).toEqual(all);
        expect(pages).toBe(Math.ceil(250 / (limit ?? 100)));
      }
    });

    test('goes on behind a key that is gone, before the prefix, or behind it', async () => {
      for (const key of ['az', 'b1', 'b2', 'b3', 'c1']) await put(key, 0);
      await store.delete('b2');
      expect(await keysOf('b', { after: 'b2' })).toEqual(['b3']);
      expect(await keysOf('b', { after: 'a' })).toEqual(['b1', 'b3']);
      expect(await keysOf('b', { after: 'c' })).toEqual([]);
    });

    test('a page is full of what lives, however much has expired before it', async () => {
      for (let index = 0; index < 30; index += 1) await put(`k${10 + index}`, 0, 10);
      await put('k50', 0);
      await put('k51', 0);
      await clock.advance(10);
      const page = await store.list('k', { limit: 1 });
      expect(page.entries.map(({ key }) => key)).toEqual(['k50']);
      expect(page.next).toBe('k50');
    });
  });

  describe(`${name}: keys and values`, () => {
    const keys = [
      '\0',
      'a\0b',
      'a',
      'a\0',
      '%',
      '_',
      "'",
      '"',
      '`',
      '\\',
      ' ',
      '\n',
      '😀',
      'é',
      'e\u0301',
      '\ufeff',
      '\uffff',
      '__proto__',
      'constructor',
      '../x',
      'k'.repeat(1024),
      '😀'.repeat(256),
    ];

    test('any well-formed key of 1 to 1024 bytes is a key of its own', async () => {
      for (const key of keys) await put(key, { key });
      for (const key of keys) expect(await store.get(key)).toMatchObject({ key, value: { key } });
      expect(await keysOf('', { limit: 1000 })).toHaveLength(keys.length);
      for (const key of keys) expect(await store.delete(key)).toBe(true);
    });

    test.each([
      ['empty', ''],
      ['of 1025 bytes', 'k'.repeat(1025)],
      ['of 1025 bytes in fewer characters', `a${'😀'.repeat(256)}`],
      ['with a lone surrogate', 'a\ud800b'],
      ['with surrogates in the wrong order', '\udc00\ud800'],
      ['that is no string', 1 as unknown as string],
      ['that is missing', undefined as unknown as string],
    ])('a key %s is refused by all methods', async (_, key) => {
      const refusal = { name: 'TypeError', message: expect.stringMatching(/^key must /) };
      await expect(store.get(key)).rejects.toMatchObject(refusal);
      await expect(store.compareAndSwap(key, ABSENT, 1)).rejects.toMatchObject(refusal);
      await expect(store.delete(key)).rejects.toMatchObject(refusal);
    });

    const refusals: [string, string, () => Promise<unknown>][] = [
      ['expected', 'below 0', () => store.compareAndSwap('a', -1, 1)],
      ['expected', 'with a fraction', () => store.compareAndSwap('a', 0.5, 1)],
      ['expected', 'not a number', () => store.compareAndSwap('a', '0' as never, 1)],
      ['expected', 'not a number, of delete', () => store.delete('a', Number.NaN)],
      ['ttl', 'zero', () => store.compareAndSwap('a', ABSENT, 1, { ttl: 0 })],
      ['ttl', 'below 0', () => store.compareAndSwap('a', ABSENT, 1, { ttl: -1 })],
      ['ttl', 'NaN', () => store.compareAndSwap('a', ABSENT, 1, { ttl: Number.NaN })],
      [
        'ttl',
        'endless',
        () => store.compareAndSwap('a', ABSENT, 1, { ttl: Number.POSITIVE_INFINITY }),
      ],
      ['ttl', 'text', () => store.compareAndSwap('a', ABSENT, 1, { ttl: '1' as never })],
      ['limit', 'zero', () => store.list('', { limit: 0 })],
      ['limit', 'above 1000', () => store.list('', { limit: 1001 })],
      ['limit', 'with a fraction', () => store.list('', { limit: 1.5 })],
      ['after', 'empty', () => store.list('', { after: '' })],
      ['after', 'not well formed', () => store.list('', { after: '\ud800' })],
      ['prefix', 'not well formed', () => store.list('\ud800')],
      ['prefix', 'too long', () => store.list('k'.repeat(1025))],
      ['value', 'undefined', () => store.compareAndSwap('a', ABSENT, undefined)],
      ['value', 'a function', () => store.compareAndSwap('a', ABSENT, () => 1)],
      ['value', 'a bigint', () => store.compareAndSwap('a', ABSENT, 1n)],
      ['value', 'a circle', () => store.compareAndSwap('a', ABSENT, circle())],
      ['value', 'too large', () => store.compareAndSwap('a', ABSENT, 'x'.repeat(MAX_VALUE - 1))],
      [
        'value',
        'too large in bytes only',
        () => store.compareAndSwap('a', ABSENT, 'é'.repeat(MAX_VALUE / 2)),
      ],
    ];
    test.each(refusals)('%s is refused by its name when it is %s', async (part, _, act) => {
      await expect(act()).rejects.toMatchObject({
        name: 'TypeError',
        message: expect.stringMatching(new RegExp(`^${part} must `)),
      });
      expect(await store.get('a')).toBeUndefined();
    });

    test.each([
      [null],
      [false],
      [0],
      [-1.5],
      [1e300],
      [''],
      ['\0'],
      ['\ud800'],
      ['😀'],
      [[]],
      [[1, [null]]],
      [{}],
      [{ '': { a: [{ b: null }] } }],
      [JSON.parse('{"__proto__": {"a": 1}}')],
    ])('the value %j comes back as it was', async (value) => {
      const written = await put('a', value);
      expect(written.value).toStrictEqual(value);
      expect(JSON.stringify((await store.get('a'))?.value)).toBe(JSON.stringify(value));
    });

    test('a text of 1 MiB fits, and so does a value of exactly the limit', async () => {
      const mebibyte = 'x'.repeat(1024 * 1024);
      await put('a', { text: mebibyte });
      expect((await store.get<{ text: string }>('a'))?.value.text === mebibyte).toBe(true);
      const largest = 'y'.repeat(MAX_VALUE - 2);
      await put('b', largest);
      expect((await store.get('b'))?.value === largest).toBe(true);
      expect(store.capabilities.maxValue).toBe(MAX_VALUE);
    });

    test('values are copied on their way in and out', async () => {
      const value = { list: [1] };
      const written = await put('a', value);
      value.list.push(2);
      written.value.list.push(3);
      const read = await store.get<{ list: number[] }>('a');
      expect(read?.value).toEqual({ list: [1] });
      read?.value.list.push(4);
      const [listed] = (await store.list<{ list: number[] }>('a')).entries;
      expect(listed?.value).toEqual({ list: [1] });
      listed?.value.list.push(5);
      expect((await store.get('a'))?.value).toEqual({ list: [1] });
    });

    test('what is returned is what is kept: a property without value is neither', async () => {
      expect(Object.keys((await put('a', { a: undefined, b: 1 })).value)).toEqual(['b']);
    });
  });

  describe(`${name}: as a whole`, () => {
    test('any sequence of calls has the outcome of a plain map with a counter', async () => {
      const key = fc.constantFrom('a', 'a\0', 'b', 'ba', '\uffff', '\u{10000}');
      const step = fc.oneof(
        fc.record({
          act: fc.constant('swap' as const),
          key,
          stale: fc.boolean(),
          ttl: fc.option(fc.integer({ min: 1, max: 30 })),
        }),
        fc.record({ act: fc.constant('delete' as const), key, stale: fc.boolean() }),
        fc.record({
          act: fc.constant('list' as const),
          prefix: fc.constantFrom('', 'a', 'b', '\u{10000}'),
          limit: fc.integer({ min: 1, max: 4 }),
        }),
        fc.record({ act: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20 }) }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          for (const { key } of (await store.list('', { limit: 1000 })).entries)
            await store.delete(key);
          const model = new Map<string, Entry<number>>();
          let highest = 0;
          for (const [index, it] of steps.entries()) {
            for (const [key, { expiresAt = Number.POSITIVE_INFINITY }] of model)
              if (expiresAt <= clock.now()) model.delete(key);
            if (it.act === 'advance') await clock.advance(it.ms);
            else if (it.act === 'list') {
              const found = [...model.values()]
                .filter(({ key }) => key.startsWith(it.prefix))
                .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
              expect(await store.list(it.prefix, { limit: it.limit })).toEqual({
                entries: found.slice(0, it.limit),
                ...(found.length > it.limit && { next: found[it.limit - 1]?.key }),
              });
            } else {
              const known = model.get(it.key);
              const current = known?.version ?? ABSENT;
              const expected = it.stale ? current + 1 : current;
              if (it.act === 'delete') {
                const deleted = await store.delete(it.key, expected);
                expect(deleted).toBe(known !== undefined && !it.stale);
                if (deleted) model.delete(it.key);
              } else {
                const ttl = it.ttl ?? undefined;
                const entry = await store.compareAndSwap(
                  it.key,
                  expected,
                  index,
                  ttl ? { ttl } : {},
                );
                expect(entry !== undefined).toBe(!it.stale);
                if (entry) {
                  expect(entry.version).toBeGreaterThan(highest);
                  highest = entry.version;
                  model.set(it.key, entry);
                }
              }
              const now = model.get(it.key);
              expect(await store.get(it.key)).toEqual(now);
            }
          }
        }),
        { numRuns: 100 },
      );
    });

    test.each([
      ['opened by it', async () => {}],
      ['used before', async () => void (await put('b', 1))],
    ])(
      'what was called before close is done, after it every call is refused: a store %s',
      async (_, prepare) => {
        await prepare();
        const early = store.compareAndSwap('a', ABSENT, 1);
        const closing = store.close();
        expect(await early).toMatchObject({ value: 1 });
        await closing;
        await store.close();
        const refusal = { name: 'Failure', code: 'store_unavailable', retryable: true };
        await expect(store.get('a')).rejects.toMatchObject(refusal);
        await expect(store.compareAndSwap('a', ABSENT, 1)).rejects.toMatchObject(refusal);
        await expect(store.delete('a')).rejects.toMatchObject(refusal);
        await expect(store.list('')).rejects.toMatchObject(refusal);
      },
    );
  });
};

const circle = (): unknown => {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
};
