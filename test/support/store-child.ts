/** A process that works on a store file, told by its arguments what to do. Each line it prints is JSON. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openDatabase } from '../../shared/sqlite';
import { sqliteStore } from '../../shared/store/sqlite';
import { ABSENT } from '../../shared/store/store';

const [mode, path, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
const store = sqliteStore({ path });

/** At once, so that a kill right behind it loses nothing. */
const print = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async (): Promise<string> => (await input.next()).value ?? '';

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
  /** As a user who may not write to the file: one write. */
  intrude: async () => {
    const own = sqliteStore({ path: rest[0] as string });
    // Loads the library, while all files can be read.
    await own.get('a');
    if (process.getuid?.() === 0) process.setuid?.(65_534);
    await store.compareAndSwap('a', ABSENT, 1).then(print, refused);
  },
};

const refused = (error: { code?: string; message: string }): void =>
  print({ code: error.code, message: error.message });

void modes[mode]?.().then(() => process.exit(0));
