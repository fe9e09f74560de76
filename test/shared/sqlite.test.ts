import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Libsql from 'libsql';
import { type Database, type DatabaseOptions, openDatabase, type Param } from '../../shared/sqlite';

const root = mkdtemp(join(tmpdir(), 'sqlite-'));
afterAll(async () => rm(await root, { recursive: true, force: true }));

const SCHEMA = 'CREATE TABLE words (word TEXT PRIMARY KEY, note TEXT) STRICT';
const ADD = 'INSERT INTO words (word) VALUES (?)';
let files = 0;
let path: string;
const opened: Database[] = [];

const open = async (options: Partial<DatabaseOptions> = {}): Promise<Database> => {
  const database = await openDatabase({ path, applicationId: 7, migrations: [SCHEMA], ...options });
  opened.push(database);
  return database;
};
const words = (database: Database): Promise<string[]> =>
  database.read((db) =>
    db.all<{ word: string }>('SELECT word FROM words ORDER BY word').map(({ word }) => word),
  );

beforeEach(async () => {
  files += 1;
  path = join(await root, `${files}.db`);
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
});

const HELD = 'The database is held by another process.';

describe('sqlite: writing', () => {
  test('what is written in one turn shares one commit', async () => {
    const database = await open();
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, index) => database.write((db) => db.run(ADD, `w${index}`))),
    );
    expect(results).toEqual(Array(200).fill(1));
    expect(database.commits).toBe(1);
    await database.write((db) => db.run(ADD, 'x'));
    expect(database.commits).toBe(2);
    expect(await words(database)).toHaveLength(201);
  });

  test('works run in the order of the calls, each on what those before it left', async () => {
    const database = await open();
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((word) =>
        database.write((db) => {
          db.run(ADD, word);
          return db.all<{ word: string }>('SELECT word FROM words ORDER BY word').length;
        }),
      ),
    );
    expect(seen).toEqual([1, 2, 3]);
  });

  test('a work is acknowledged when others can see it, not before', async () => {
    const database = await open();
    const other = await open();
    let ran = false;
    const writing = database.write((db) => {
      db.run(ADD, 'a');
      ran = true;
    });
    expect([ran, await words(other)]).toEqual([false, []]);
    await writing;
    expect(await words(other)).toEqual(['a']);
  });

  test('a work that throws is undone alone', async () => {
    const database = await open();
    const outcomes = await Promise.allSettled([
      database.write((db) => db.run(ADD, 'a')),
      database.write((db) => {
        db.run(ADD, 'b');
        throw new Error('no');
      }),
      database.write((db) => db.run(ADD, 'a')),
      database.write((db) => db.run(ADD, 'c')),
    ]);
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: new Error('no') },
      {
        status: 'rejected',
        reason: expect.objectContaining({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' }),
      },
      { status: 'fulfilled', value: 1 },
    ]);
    expect(await words(database)).toEqual(['a', 'c']);
    expect(database.commits).toBe(1);
  });

  test('a work that waits is refused and undone, for its end would be outside of the transaction', async () => {
    const database = await open();
    const late = database.write(async (db) => db.run(ADD, 'a'));
    await expect(late).rejects.toThrow(TypeError);
    expect(await words(database)).toEqual([]);
  });

  test('long works leave the event loop its turns: they are committed in several parts', async () => {
    const database = await open();
    let turns = 0;
    const counting = setInterval(() => {
      turns += 1;
    }, 1);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        database.write((db) => {
          for (const end = performance.now() + 5; performance.now() < end; );
          db.run(ADD, `w${index}`);
        }),
      ),
    );
    clearInterval(counting);
    expect(database.commits).toBeGreaterThanOrEqual(4);
    expect(turns).toBeGreaterThanOrEqual(3);
  });

  test('every commit is on the disk: WAL with an fsync each', async () => {
    const database = await open();
    const settings = await database.read((db) => [
      db.get('PRAGMA journal_mode'),
      db.get('PRAGMA synchronous'),
    ]);
    expect(settings).toEqual([{ journal_mode: 'wal' }, { synchronous: 2 }]);
  });
});

describe('sqlite: what others have committed', () => {
  test('changes the stamp; own commits and nothing at all do not', async () => {
    const database = await open();
    const other = await open();
    const first = await database.stamp();
    await database.write((db) => db.run(ADD, 'a'));
    expect(await database.stamp()).toBe(first);
    await other.write((db) => db.run(ADD, 'b'));
    const second = await database.stamp();
    expect(second).not.toBe(first);
    expect(await database.stamp()).toBe(second);
    await database.checkpoint();
    await other.read((db) => db.run(ADD, 'c'));
    expect(await database.stamp()).toBe(second);
  });
});

describe('sqlite: what was deleted', () => {
  const traces = async () => {
    const all = [await readFile(path), await readFile(`${path}-wal`)];
    return all.join('').split('personal').length - 1;
  };

  test('is in no file any more after a checkpoint', async () => {
    const database = await open();
    await database.write((db) => db.run(ADD, 'personal'));
    expect(await database.checkpoint()).toBe(true);
    expect(await traces()).toBe(2);
    await database.write((db) => db.run('DELETE FROM words'));
    expect(await traces()).toBeGreaterThan(0);
    expect(await database.checkpoint()).toBe(true);
    expect(await traces()).toBe(0);
    await database.write((db) => db.run(ADD, 'a'));
    expect(await words(database)).toEqual(['a']);
  });

  test('stays until nobody reads an older state; nothing is lost by the try', async () => {
    const database = await open();
    await database.write((db) => db.run(ADD, 'personal'));
    const reader = new Libsql(path);
    reader.exec('BEGIN; SELECT * FROM words');
    await database.write((db) => db.run('DELETE FROM words'));
    expect(await database.checkpoint()).toBe(false);
    expect(await traces()).toBeGreaterThan(0);
    await database.write((db) => db.run(ADD, 'a'));
    reader.exec('ROLLBACK');
    reader.close();
    expect(await database.checkpoint()).toBe(true);
    expect(await traces()).toBe(0);
    expect(await words(database)).toEqual(['a']);
  });
});

describe('sqlite: reading', () => {
  test('sees one snapshot: what others commit meanwhile is not in it', async () => {
    const database = await open();
    const other = new Libsql(path);
    const counts = await database.read((db) => {
      const count = () => db.get<{ n: number }>('SELECT count(*) AS n FROM words')?.n;
      const before = count();
      other.exec("INSERT INTO words (word) VALUES ('a')");
      return [before, count()];
    });
    other.close();
    expect(counts).toEqual([0, 0]);
    expect(await words(database)).toEqual(['a']);
  });

  test('changes nothing, whatever it tries', async () => {
    const database = await open();
    await database.read((db) => db.run(ADD, 'a'));
    expect(await words(database)).toEqual([]);
  });

  test('passes on what the work throws', async () => {
    const database = await open();
    const reading = database.read(() => {
      throw new RangeError('mine');
    });
    await expect(reading).rejects.toThrow(new RangeError('mine'));
  });
});

describe('sqlite: parameters and rows', () => {
  const values: [string, Param][] = [
    ['null', null],
    ['text', 'grüße 😀 \uffff'],
    ['no text', ''],
    ['an instant', Date.UTC(2100, 0, 1)],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER],
    ['a negative integer', -(2 ** 40)],
    ['a fraction', 0.1],
    ['a large number', 1e300],
  ];
  test.each(values)('%s comes back as it went in', async (_, value) => {
    const database = await open();
    const rows = await database.read((db) => [
      db.get('SELECT ? AS v', value),
      ...db.all('SELECT ? AS v', value),
    ]);
    expect(rows).toEqual([{ v: value }, { v: value }]);
  });

  test.each([
    ['none', []],
    ['some', [0, 255, 0, 1]],
  ])('%s bytes come back as they went in', async (_, list) => {
    const database = await open();
    const bytes = Buffer.from(list);
    const rows = await database.read((db) => [
      db.get<{ v: Uint8Array }>('SELECT ? AS v', bytes),
      // A view into a larger buffer gives its own part only.
      ...db.all<{ v: Uint8Array }>(
        'SELECT ? AS v',
        Buffer.concat([Buffer.from('x'), bytes]).subarray(1),
      ),
    ]);
    expect(rows.map((row) => [...(row?.v ?? [])])).toEqual([list, list]);
  });

  test('a whole number is an INTEGER to SQLite, not a REAL', async () => {
    const database = await open();
    expect(await database.read((db) => db.get('SELECT typeof(?) AS t', 5))).toEqual({
      t: 'integer',
    });
  });

  test.each([
    ['text with a NUL, which SQLite would cut', 'a\0b'],
    ['text with a lone surrogate', 'a\ud800'],
    ['NaN', Number.NaN],
    ['a boolean', true],
    ['undefined', undefined],
    ['an object', {}],
  ])('%s is a TypeError, and the database goes on', async (_, value) => {
    const database = await open();
    const reading = database.read((db) => db.get('SELECT ? AS v', value as Param));
    await expect(reading).rejects.toThrow(TypeError);
    expect(await words(database)).toEqual([]);
  });

  test('a statement that gives rows is not for run: it would never be done', async () => {
    const database = await open();
    const add = `${ADD} RETURNING word`;
    const adding = database.write((db) => db.run(add, 'a'));
    await expect(adding).rejects.toThrow(TypeError);
    expect(await database.write((db) => [db.get(add, 'b'), ...db.all(add, 'c')])).toEqual([
      { word: 'b' },
      { word: 'c' },
    ]);
    expect(await words(database)).toEqual(['b', 'c']);
  });

  test('a statement that failed once works the next time', async () => {
    const database = await open();
    const parse = (json: string) =>
      database.read((db) => db.get<{ v: number }>("SELECT json_extract(?, '$.v') AS v", json)?.v);
    await expect(parse('{')).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
    expect(await parse('{"v": 1}')).toBe(1);
  });
});

describe('sqlite: a file that others use', () => {
  test('a write waits for the lock of another, and the event loop goes on meanwhile', async () => {
    const database = await open();
    const other = new Libsql(path);
    other.exec('BEGIN IMMEDIATE');
    const writing = Promise.all(
      ['a', 'b'].map((word) => database.write((db) => db.run(ADD, word))),
    );
    let turns = 0;
    for (const end = performance.now() + 300; performance.now() < end; turns += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    other.exec("INSERT INTO words (word) VALUES ('o'); COMMIT");
    other.close();
    await writing;
    expect(turns).toBeGreaterThan(4);
    expect(await words(database)).toEqual(['a', 'b', 'o']);
  });

  test('reading does not wait for writers', async () => {
    const database = await open();
    const other = new Libsql(path);
    other.exec('BEGIN IMMEDIATE');
    expect(await words(database)).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
  });

  test('a lock held for too long fails the write with the code, and nothing of it is written', async () => {
    const database = await open({ wait: 50, code: 'engine_unavailable' });
    const other = new Libsql(path);
    other.exec('BEGIN IMMEDIATE');
    const writes = ['a', 'b'].map((word) => database.write((db) => db.run(ADD, word)));
    for (const outcome of await Promise.allSettled(writes))
      expect(outcome).toMatchObject({ reason: { code: 'engine_unavailable', message: HELD } });
    other.exec('ROLLBACK');
    other.close();
    await database.write((db) => db.run(ADD, 'c'));
    expect(await words(database)).toEqual(['c']);
  });

  test('an exclusive file is refused to everybody else, until it is closed', async () => {
    for (let round = 0; round < 2; round += 1) {
      const holder = await open({ exclusive: true });
      for (const exclusive of [true, false])
        await expect(open({ exclusive, wait: 30 })).rejects.toMatchObject({
          name: 'Failure',
          code: 'store_unavailable',
          message: HELD,
        });
      await holder.write((db) => db.run(ADD, `w${round}`));
      expect(await words(holder)).toHaveLength(round + 1);
      await holder.close();
    }
    expect(await words(await open())).toHaveLength(2);
  });

  test('a file that others have open is not given exclusively', async () => {
    const other = await open();
    await expect(open({ exclusive: true, wait: 30 })).rejects.toMatchObject({ message: HELD });
    await other.write((db) => db.run(ADD, 'a'));
    await other.close();
  });

  test('opening waits for a lock that another process holds: it is no reason to read only', async () => {
    await (await open()).close();
    const other = new Libsql(path);
    other.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE');
    await expect(open({ wait: 30 })).rejects.toMatchObject({ message: HELD });
    other.exec('ROLLBACK');
    other.close();
    await (await open()).write((db) => db.run(ADD, 'a'));
  });

  test('opening waits for the one before to close', async () => {
    const holder = await open({ exclusive: true });
    const next = open({ exclusive: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await holder.close();
    expect(await words(await next)).toEqual([]);
  });
});

describe('sqlite: a file that refuses', () => {
  /** Room for so many pages and no more: SQLite answers as it does on a full disk. */
  const roomFor = (pages: number) => (db: { get(sql: string): unknown }) =>
    db.get(`PRAGMA max_page_count = ${pages}`);
  const BIG = 'x'.repeat(100_000);
  const note = (word: string, text: string) => (db: { run(sql: string, ...p: Param[]): number }) =>
    db.run('INSERT INTO words VALUES (?, ?)', word, text);

  test('a full disk fails everybody in the commit, keeps what was committed, and can be got over', async () => {
    const database = await open({ code: 'engine_unavailable' });
    await database.write(note('before', BIG));
    await database.read(roomFor(40));
    const outcomes = await Promise.allSettled([
      database.write(note('small', '')),
      database.write(note('big', BIG)),
      database.write(note('after', '')),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'engine_unavailable',
          message: 'The disk is full.',
          cause: { code: 'SQLITE_FULL' },
        },
      });
    expect(await words(database)).toEqual(['before']);
    await database.write(note('small', ''));
    await database.read(roomFor(1_000_000));
    await database.write(note('big', BIG));
    expect(await words(database)).toEqual(['before', 'big', 'small']);
  });

  test('a commit that SQLite refuses is undone, and leaves room for the next', async () => {
    const linked = `${SCHEMA};
      CREATE TABLE links (word TEXT REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED) STRICT`;
    const database = await open({ migrations: [linked] });
    const link = (word: string) =>
      database.write((db) => db.run('INSERT INTO links VALUES (?)', word));
    await expect(link('none')).rejects.toMatchObject({
      code: 'store_unavailable',
      cause: { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' },
    });
    expect(await words(database)).toEqual([]);
    await database.write((db) => db.run(ADD, 'a'));
    expect(await link('a')).toBe(1);
  });

  test('a damaged page fails reading and writing with the code, and says nothing of the inside', async () => {
    const before = await open();
    await before.write((db) => db.run(ADD, 'a'));
    await before.close();
    const bytes = await readFile(path);
    // All but the first page, which holds the schema.
    await writeFile(path, bytes.fill(0xa5, 4096));
    const database = await open({ code: 'engine_unavailable' });
    const refusal = { code: 'engine_unavailable', message: 'The database file is damaged.' };
    await expect(words(database)).rejects.toMatchObject(refusal);
    await expect(database.write((db) => db.run(ADD, 'b'))).rejects.toMatchObject(refusal);
  });

  test('a work that hides the failure of the file is not acknowledged for that', async () => {
    const database = await open();
    await database.read(roomFor(40));
    const hiding = database.write((db) => {
      for (let index = 0; index < 10; index += 1) {
        try {
          note(`w${index}`, BIG)(db);
        } catch {
          return 'fine';
        }
      }
      return 'no failure';
    });
    const outcome = await hiding.catch((error: unknown) => error);
    // Either all of it was undone and it was told so, or what it kept is there.
    expect(outcome).toMatchObject({ code: 'store_unavailable' });
    expect(await words(database)).toEqual([]);
  });
});

describe('sqlite: opening', () => {
  test('the schema is brought up to date one script at a time, once', async () => {
    const second = 'ALTER TABLE words ADD COLUMN size INTEGER';
    await (await open()).close();
    for (let round = 0; round < 2; round += 1) {
      const database = await open({ migrations: [SCHEMA, second] });
      expect(await database.read((db) => db.get('PRAGMA user_version'))).toEqual({
        user_version: 2,
      });
      await database.write((db) =>
        db.run('INSERT INTO words (word, size) VALUES (?, 1)', `w${round}`),
      );
      await database.close();
    }
  });

  test('a script that fails leaves the file as it was', async () => {
    await (await open()).close();
    const broken = [SCHEMA, 'CREATE TABLE half (a); CREATE TABLE words (a)'];
    await expect(open({ migrations: broken })).rejects.toMatchObject({ code: 'store_unavailable' });
    const database = await open();
    expect(
      await database.read((db) => db.all('SELECT name FROM sqlite_schema WHERE name = ?', 'half')),
    ).toEqual([]);
  });

  test.each([
    ['of something else', { applicationId: 8 }, 'The database file belongs to something else.'],
    [
      'of a newer version',
      { migrations: [] },
      'The database file has schema version 1; the last one known here is 0.',
    ],
  ])('a file %s is refused, and not one byte of it changes', async (_, options, message) => {
    await (await open()).close();
    const before = await readFile(path);
    await expect(open(options)).rejects.toMatchObject({ code: 'store_unavailable', message });
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test('tables without our mark are somebody else’s', async () => {
    const other = new Libsql(path);
    other.exec('CREATE TABLE theirs (a)');
    other.close();
    await expect(open()).rejects.toMatchObject({
      message: 'The database file belongs to something else.',
    });
  });

  test.each([[''], ['a\0b']])('the path %j is a TypeError', async (bad) => {
    await expect(open({ path: bad })).rejects.toThrow(TypeError);
  });
});

describe('sqlite: closing', () => {
  test('what was queued is committed, what comes later is refused, and a second close is fine', async () => {
    const database = await open({ code: 'engine_unavailable' });
    const queued = database.write((db) => db.run(ADD, 'a'));
    const closing = database.close();
    const refusal = {
      name: 'Failure',
      code: 'engine_unavailable',
      message: 'The database is closed.',
    };
    await expect(database.write((db) => db.run(ADD, 'b'))).rejects.toMatchObject(refusal);
    await expect(words(database)).rejects.toMatchObject(refusal);
    await expect(database.stamp()).rejects.toMatchObject(refusal);
    await expect(database.checkpoint()).rejects.toMatchObject(refusal);
    expect(await queued).toBe(1);
    await closing;
    await database.close();
    expect(await words(await open())).toEqual(['a']);
  });
});
