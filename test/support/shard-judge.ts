/** What a run of routers and shards has to be measured by: what was executed, where, and by which table. */
import type { ShardTable } from '../../shared/shard/table';

/** One that an application has executed, and what its shard-owner has told it. */
export interface Execution {
  readonly shard: string;
  readonly call: string;
  readonly key: string;
  readonly epoch: string;
  readonly digest: string;
}

export interface ClientAnswer {
  readonly call: string;
  readonly key: string;
  readonly router: number;
  readonly status: number;
  readonly retryAfter: string;
}

export interface Evidence {
  /** Every table that was ever published, by its epoch. */
  readonly history: ReadonlyMap<string, Pick<ShardTable, 'place' | 'digest'>>;
  readonly executions: readonly Execution[];
  /** The calls that reached a shard-owner, once for each time. */
  readonly arrivals: readonly string[];
  readonly answers: readonly ClientAnswer[];
}

/** Each list is empty when all went well. */
export interface Verdict {
  /** By a table that was never published. */
  readonly byNoTable: readonly Execution[];
  /** By a shard that did not own the key by the table that it had. */
  readonly byNonOwner: readonly Execution[];
  /** Keys with the epoch under which two shards have executed for them. */
  readonly byTwo: readonly string[];
  /** Calls that were executed more than once. */
  readonly twice: readonly string[];
  /** Answered 200 and not executed. */
  readonly notExecuted: readonly ClientAnswer[];
  /** Neither 200 nor 503 with Retry-After. */
  readonly errors: readonly ClientAnswer[];
  /** Calls that reached more than two shards. */
  readonly detours: readonly string[];
}

export const judge = ({ history, executions, arrivals, answers }: Evidence): Verdict => {
  const counts = countOf(executions.map(({ call }) => call));
  const under = new Map<string, Set<string>>();
  for (const { key, epoch, shard } of executions) {
    const place = `${key} at ${epoch}`;
    const shards = under.get(place) ?? new Set();
    under.set(place, shards.add(shard));
  }
  return {
    byNoTable: executions.filter(({ epoch, digest }) => history.get(epoch)?.digest !== digest),
    byNonOwner: executions.filter(
      ({ epoch, key, shard }) => history.get(epoch)?.place(key)?.name !== shard,
    ),
    byTwo: [...under].filter(([, shards]) => shards.size > 1).map(([place]) => place),
    twice: [...counts].filter(([, count]) => count > 1).map(([call]) => call),
    notExecuted: answers.filter(({ status, call }) => status === 200 && !counts.has(call)),
    errors: answers.filter(
      ({ status, retryAfter }) => status !== 200 && !(status === 503 && /^\d+$/.test(retryAfter)),
    ),
    detours: [...countOf(arrivals)].filter(([, count]) => count > 2).map(([call]) => call),
  };
};

export const CLEAN: Verdict = {
  byNoTable: [],
  byNonOwner: [],
  byTwo: [],
  twice: [],
  notExecuted: [],
  errors: [],
  detours: [],
};

const countOf = (calls: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const call of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
  return counts;
};

export const readExecutions = (text: string): readonly Execution[] =>
  linesOf(text).map(([shard = '', call = '', key = '', epoch = '', digest = '']) => ({
    shard,
    call,
    key,
    epoch,
    digest,
  }));

export const readAnswers = (text: string): readonly ClientAnswer[] =>
  linesOf(text).map(([call = '', key = '', router, status, retryAfter = '']) => ({
    call,
    key,
    router: Number(router),
    status: Number(status),
    retryAfter,
  }));

const linesOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'));
