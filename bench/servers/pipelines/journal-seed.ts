/**
 * A journal with as many runs as are wanted, in a minute: one real run of each kind is made through the engine, and its
 * rows are copied by SQL, each time under another serial number, with another id, and at another time.
 */
import Database from 'libsql';
import { Failure } from '../../../shared/failure';
import type { Attempt, AttemptOutcome } from '../../../shared/pipeline/attempt';
import { begin, ended, openLocal } from './engine';

export interface SeedOptions {
  readonly finished: number;
  /** Of those, the oldest: they were to be kept until yesterday. */
  readonly expired: number;
  /** Begun, and none of their steps delivered. */
  readonly open: number;
}

const DAY = 86_400_000;
/** Over which the others are spread, ms: a day less than they are kept. */
const SPREAD = 29 * DAY;

export const seed = async (file: string, { finished, expired, open }: SeedOptions) => {
  const [succeeded, failed, cancelled, running] = await makeTemplates(file);
  const database = new Database(file);
  database.exec(
    'PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA cache_size = -1000000; BEGIN',
  );
  copyRuns(database, {
    after: running,
    count: finished,
    template: `CASE WHEN n % 100 < 94 THEN ${succeeded} WHEN n % 100 < 99 THEN ${failed} ELSE ${cancelled} END`,
    ago: `CASE WHEN n <= ${expired} THEN ${SPREAD + 2 * DAY} ELSE (${finished} - n) * ${SPREAD} / ${finished - expired} END`,
  });
  copyRuns(database, {
    after: running + finished,
    count: open,
    template: `${running}`,
    ago: '0',
  });
  database.exec('COMMIT; PRAGMA journal_mode = WAL');
  database.close();
};

/** One run of each kind; their serial numbers. */
const makeTemplates = async (file: string): Promise<readonly [number, number, number, number]> => {
  let attempt: Attempt = async () => DELIVERED;
  const { engine } = await openLocal(file, (call) => attempt(call));
  await ended(engine, await begin(engine));
  attempt = async ({ activity: { step } }) => (step.name === 'third' ? REFUSED : DELIVERED);
  await ended(engine, await begin(engine));
  // What is under way may end.
  const release: (() => void)[] = [];
  attempt = () => new Promise((resolve) => release.push(() => resolve(DELIVERED)));
  const cancelled = await begin(engine);
  await engine.cancel('fan-out', cancelled, { by: 'bench', reason: 'to have one' });
  for (const end of release) end();
  await ended(engine, cancelled);
  attempt = ({ signal }) =>
    new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Failure('aborted'))),
    );
  await begin(engine);
  await engine.close(AbortSignal.abort());
  return [1, 2, 3, 4];
};

const DELIVERED: AttemptOutcome = { verdict: 'delivered' };
const REFUSED: AttemptOutcome = { verdict: 'dead', error: { code: 'refused', status: 422 } };

interface CopyOptions {
  /** The last serial number before. */
  readonly after: number;
  readonly count: number;
  /** SQL with `n`, from 1 to `count`: the serial number of the run to copy. */
  readonly template: string;
  /** SQL with `n`: how far back in time, ms. */
  readonly ago: string;
}

/** Of every table that has something of a run, whatever it has. */
const copyRuns = (database: Database.Database, options: CopyOptions): void => {
  const { after, count, template, ago } = options;
  for (const table of names(database, "SELECT name FROM sqlite_schema WHERE type = 'table'")) {
    const columns = names(database, `PRAGMA table_info(${table})`);
    const key = table === 'runs' ? 'serial' : 'run';
    if (!columns.includes(key)) continue;
    const values = columns.map((column) => {
      if (column === key) return `n + ${after}`;
      if (column === 'id') return 'lower(hex(randomblob(11)))';
      return /^(created|ended|deadline|expires)_at$/.test(column) ? `${column} - (${ago})` : column;
    });
    database.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
       INSERT INTO ${table} (${columns.join()}) SELECT ${values.join()}
       FROM numbers CROSS JOIN ${table} WHERE ${key} = ${template}`,
    );
  }
};

const names = (database: Database.Database, sql: string): readonly string[] =>
  (database.prepare(sql).all() as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('sqlite_'));
