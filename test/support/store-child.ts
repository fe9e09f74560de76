/** A process that works on a store, told by its arguments what to do. Each line it prints is JSON. */
import { appendFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { openDatabase } from '../../shared/sqlite';
import { redisStore } from '../../shared/store/redis';
import { isRedisUrl } from '../../shared/store/redis-url';
import { sqliteStore } from '../../shared/store/sqlite';
import { ABSENT, type Entry, type Store } from '../../shared/store/store';

const [mode, path, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
const store = isRedisUrl(path) ? redisStore({ url: path }) : sqliteStore({ path });

/** At once, so that a kill right behind it loses nothing. */
const print = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);
let input: AsyncIterator<string> | undefined;
/** The next line of standard input; who never asks is not kept alive by it. */
const told = async (): Promise<string> => {
  input ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  return (await input.next()).value ?? '';
};

const modes: Record<string, () => Promise<void>> = {
  /** For each line `VERSION`: `writers` compare-and-swaps on that version at once; prints how many won. */
  race: async () => {
    const writers = Number(rest[0]);
    await store.get('race');
    print('ready');
    for (let line = await told(); line; line = await told()) {
      const outcomes = await Promise.all(
        Array.from({ length: writers }, (_, writer) =>
          store.compareAndSwap('race', Number(line), `${process.pid}-${writer}`),
        ),
      );
      print(outcomes.filter((entry) => entry !== undefined).length);
    }
  },
  /** Adds 1 to the counter, `times` times, from several loops; prints how often it had to try. */
  count: async () => {
    let left = Number(rest[0]);
    let tries = 0;
    const loop = async () => {
      while (left > 0) {
        left -= 1;
        for (;;) {
          tries += 1;
          const entry = await store.get<number>('counter');
          const next = (entry?.value ?? 0) + 1;
          if (await store.compareAndSwap('counter', entry?.version ?? ABSENT, next)) break;
        }
      }
    };
    await Promise.all([loop(), loop(), loop()]);
    print(tries);
  },
  /** Writes new keys until it is killed or refused; prints each that was acknowledged. */
  write: async () => {
    const [prefix = '', size = '100'] = rest;
    let next = 0;
    const loop = async () => {
      for (;;) {
        next += 1;
        const key = `${prefix}${next}`;
        const entry = await store.compareAndSwap(key, ABSENT, 'x'.repeat(Number(size)));
        print({ key, version: entry?.version });
      }
    };
    await Promise.all([loop(), loop(), loop(), loop()]).catch(refused);
    // What is there can still be read.
    print({ read: (await store.get(`${prefix}1`))?.version });
  },
  /** Takes the file for itself and keeps it, until it is killed. */
  hold: async () => {
    const options = { path, applicationId: 7, migrations: [''], exclusive: true, wait: 50 };
    await openDatabase(options).then(() => print('held'), refused);
    await told();
  },
  /** As a user who may not write to the file: takes it for itself; then, for each line, what it holds and one write. */
  intrude: async () => {
    const own = sqliteStore({ path: rest[0] as string });
    // Loads the library, while all files can be read.
    await own.get('a');
    if (process.getuid?.() === 0) process.setuid?.(65_534);
    const alone = { path, applicationId: 0x66707374, migrations: [''], exclusive: true, wait: 50 };
    await openDatabase(alone).then(() => print('held'), refused);
    do {
      await store.list('').then(({ entries }) => print(entries.map(({ key }) => key)), refused);
      await store.compareAndSwap('a', ABSENT, 1).then(print, refused);
    } while (await told());
  },
  /** Prints each state of a key; ends by itself, at once, although it goes on watching. */
  watch: async () => {
    for await (const entry of store.watch(rest[0] as string, new AbortController().signal))
      print(entry ?? null);
  },
  /** Does as `watch` until it is killed. */
  'watch on': async () => {
    setInterval(() => {}, 1_000);
    await modes.watch?.();
  },
  /** On a disk of its own, where nothing has room but what it makes room for. */
  'fill a disk': async () => {
    const ballast = `${path}.ballast`;
    const put = (key: string) => store.compareAndSwap(key, ABSENT, 'x'.repeat(10_000));
    /** To the last byte. */
    const fill = () => {
      for (const size of [65_536, 512, 1])
        try {
          for (;;) appendFileSync(ballast, Buffer.alloc(size));
        } catch {
          // No room for so much.
        }
    };
    const keys = async (of: Store) => {
      const page = await of.list('', { limit: 1000 });
      return page.entries.map(({ key, version }) => ({ key, version }));
    };
    const acknowledged: object[] = [];
    const one = async (key: string) => {
      const { version } = (await put(key)) as Entry;
      acknowledged.push({ key, version });
    };
    writeFileSync(ballast, Buffer.alloc(1_000_000));
    for (let index = 1_000; ; index += 1)
      try {
        await one(`k${index}`);
      } catch (error) {
        refused(error as Error);
        break;
      }
    print({ kept: isDeepStrictEqual(await keys(store), acknowledged), many: acknowledged.length });
    rmSync(ballast);
    await one('l');
    print({ kept: isDeepStrictEqual(await keys(store), acknowledged) });
    await store.close();
    fill();
    const again = sqliteStore({ path });
    print({ kept: isDeepStrictEqual(await keys(again), acknowledged) });
    for await (const entry of again.watch('l', new AbortController().signal)) {
      print({ watched: entry?.key });
      break;
    }
    await again.compareAndSwap('m', ABSENT, 1).then(print, refused);
    rmSync(ballast);
    print({ written: (await again.compareAndSwap('m', ABSENT, 1))?.value });
    await again.close();
  },
};

const refused = (error: Error & { code?: string }): void =>
  print({ code: error.code, message: error.message });

void modes[mode]?.().then(() => process.exit(0));
