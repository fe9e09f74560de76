/**
 * Group commit: all that is queued in one turn of the event loop goes into one transaction, so that many writers
 * share one fsync. Fails closed: what was not committed is not acknowledged.
 */
import { systemClock } from '../clock';
import type { Failure } from '../failure';
import { type Connection, isBusy, isOutage, type OwnConnection } from './connection';

/** Reads and changes the database at once, without waiting for anything. */
export type Work<T> = (database: Connection) => T;

export interface GroupCommitOptions {
  readonly connection: OwnConnection;
  /** How long a write waits for a lock that another process holds, in ms. */
  readonly wait: number;
  /** The failure for an outage of the file. */
  readonly unavailable: (cause: unknown) => Failure;
}

export interface WriteOptions {
  /** Whether it may wait a moment for the commit of others, in place of one of its own. @default false */
  readonly patient?: boolean;
}

export interface GroupCommit {
  write<T>(work: Work<T>, options?: WriteOptions): Promise<T>;
  /** What waits for others waits no more. */
  hurry(): void;
  /** COMMITs until now. */
  readonly commits: number;
  /** Resolves when the queue is empty. */
  flush(): Promise<void>;
}

interface Job {
  readonly work: Work<unknown>;
  readonly since: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** How long one transaction may go on taking works, in ms, before others of the event loop get their turn. */
const TURN = 20;
/** How long a patient work waits for company, in ms. */
const PATIENCE = 2;
/** Where the last commit had as many works, the next one waits this long for more, in ms: an fsync costs as much. */
const COMPANY = 4;
const GATHERING = 3;
/** Between two tries for a lock, in ms. */
const MAX_PAUSE = 25;

export const groupCommit = ({ connection, wait, unavailable }: GroupCommitOptions): GroupCommit => {
  const queue: Job[] = [];
  let flushing: Promise<void> | undefined;
  let waiting: NodeJS.Timeout | undefined;
  let urgent = false;
  let commits = 0;
  let company = 0;

  /** The works that fit in one turn, committed; none of them is gone from the queue. */
  const commitSome = (): Outcome[] => {
    try {
      return commitAll(bare);
    } catch (error) {
      if (isOutage(error)) throw error;
      // One of them has failed: once more, each behind a savepoint, so that it alone is undone.
      connection.rollback();
      return commitAll(apart);
    }
  };

  const commitAll = (carryOut: (connection: OwnConnection, work: Work<unknown>) => Outcome) => {
    const end = performance.now() + TURN;
    const outcomes: Outcome[] = [];
    connection.exec('BEGIN IMMEDIATE');
    for (const { work } of queue) {
      outcomes.push(carryOut(connection, work));
      if (performance.now() >= end) break;
    }
    connection.exec('COMMIT');
    return outcomes;
  };

  const flushQueue = async (): Promise<void> => {
    let pause = 1;
    for (await gather(); urgent && queue.length > 0; await gather()) {
      try {
        urgent = false;
        const outcomes = commitSome();
        commits += 1;
        company = outcomes.length;
        pause = 1;
        for (const [index, job] of queue.splice(0, outcomes.length).entries()) {
          const outcome = outcomes[index] as Outcome;
          if ('error' in outcome) job.reject(outcome.error);
          else job.resolve(outcome.value);
        }
        urgent ||= queue.length > 0;
      } catch (error) {
        connection.rollback();
        const late = performance.now() - wait;
        const lost = isBusy(error) ? queue.findIndex(({ since }) => since > late) : queue.length;
        for (const { reject } of queue.splice(0, lost === -1 ? queue.length : lost))
          reject(unavailable(error));
        urgent = true;
        if (queue.length > 0) await systemClock.sleep(pause);
        pause = Math.min(pause * 2, MAX_PAUSE);
      }
    }
    flushing = undefined;
    if (queue.length > 0) beLazy();
  };

  const gather = (): Promise<void> => (company >= COMPANY ? systemClock.sleep(GATHERING) : turn());

  const beLazy = (): void => {
    waiting ??= setTimeout(hurry, PATIENCE);
  };

  const hurry = (): void => {
    clearTimeout(waiting);
    waiting = undefined;
    urgent = true;
    if (queue.length > 0) flushing ??= flushQueue();
  };

  return {
    write: <T>(work: Work<T>, { patient = false }: WriteOptions = {}) =>
      new Promise<T>((resolve, reject) => {
        const since = performance.now();
        queue.push({ work, since, resolve: resolve as Job['resolve'], reject });
        if (!patient) hurry();
        else if (!flushing) beLazy();
      }),
    hurry,
    get commits() {
      return commits;
    },
    flush: async () => {
      hurry();
      await flushing;
    },
  };
};

/** Throws what it throws, and when SQLite gave up the whole transaction, so that nothing more is done outside of one. */
const bare = (connection: OwnConnection, work: Work<unknown>): Outcome => {
  const value = work(connection);
  if (isThenable(value) || !connection.inTransaction) throw new Error('not to be committed');
  return { value };
};

/** One work behind a savepoint: when it throws, what it did is undone and the others stand. */
const apart = (connection: OwnConnection, work: Work<unknown>): Outcome => {
  connection.exec('SAVEPOINT work');
  try {
    const value = work(connection);
    if (isThenable(value)) throw new TypeError('work in a transaction must not wait for anything');
    // Also fails when the work hid an error after which SQLite gave up the whole transaction.
    connection.exec('RELEASE work');
    return { value };
  } catch (error) {
    if (isOutage(error) || !connection.inTransaction) throw error;
    connection.exec('ROLLBACK TO work; RELEASE work');
    return { error };
  }
};

const isThenable = (value: unknown): boolean =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
