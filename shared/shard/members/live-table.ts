/**
 * The table of now. Fails closed and stays useful: what cannot be read, or makes no table, is told once in the log and
 * changes nothing, so that the last good table goes on; before the first one nobody is told where a key belongs.
 *
 * Somebody runs `follow` where the process lives on between requests. Where it is frozen, and at any time when nobody
 * follows, `current` and `ready` look whether the table is older than the source's `every`, and if so begin a look without
 * waiting for it: the request at hand goes by the old table, as after any change that is on its way. Fences tell when it
 * went wrong, and `refresh` waits.
 */

import type { Clock } from '../../clock';
import type { Log } from '../../handler';
import type { Files, Names } from '../../platform';
import type { Random } from '../../random';
import { delayBefore } from '../../retry';
import type { Store } from '../../store/store';
import { type ShardTable, shardTable } from '../table';
import type { TopologyInput } from '../topology';
import { unsure } from '../unsure';
import { checkMembersSource } from './check';
import type { CheckShards } from './document';
import { keptTable } from './kept';
import { createLooks } from './looks';
import { type Reader, readerOf } from './reader';
import type { LiveTable, MembersSource } from './source';
import { within } from './within';

export interface LiveTableOptions {
  /** With live members its `shards` are not used; its `pins` and `table` are, unless the members bring some. */
  readonly topology: TopologyInput;
  /** @default { from: 'static' } */
  readonly members?: MembersSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** @default none, and then members from a file are refused */
  readonly files?: Files | undefined;
  /** @default none, and then members from DNS are refused */
  readonly names?: Names | undefined;
  /** @default none, and then members from the store are refused */
  readonly store?: Store | undefined;
  /** Of members that change: what it finds makes no table. @default what makes a table will do */
  readonly check?: CheckShards | undefined;
  /** How long `ready`, `refresh` and a single look wait, ms. @default 5000 */
  readonly timeout?: number;
}

/** Between two looks while somebody waits for the first table, and before the store is watched again. */
const RETRY = { backoff: 200, maxBackoff: 2_000, jitter: 0.5 };

/** Throws an InvalidTopology for static members with a mistake, and a TypeError for a source that cannot be here. */
export const liveTable = (options: LiveTableOptions): LiveTable => {
  const { members = { from: 'static' }, topology } = options;
  const [mistake] = checkMembersSource(members, 'members');
  if (mistake) throw new TypeError(`${mistake.pointer} ${mistake.message}`);
  return members.from === 'static'
    ? staticTable(shardTable(topology))
    : changingTable(members, options);
};

const staticTable = (table: ShardTable): LiveTable => ({
  current: () => table,
  ready: async () => table,
  refresh: async () => table,
  asOf: () => Number.POSITIVE_INFINITY,
  onChange: () => () => undefined,
  follow: async () => undefined,
});

const changingTable = (
  members: Exclude<MembersSource, { from: 'static' }>,
  { topology, check, clock, random, log, timeout = 5_000, ...parts }: LiveTableOptions,
): LiveTable => {
  const sleep = (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal, { ref: false });
  const chance = () => random.below(2 ** 20) / 2 ** 20;
  const pause = (failures: number, signal?: AbortSignal) =>
    sleep(delayBefore(failures + 1, RETRY, chance()), signal);
  const reader: Reader = readerOf(members, { ...parts, pause });
  const kept = keptTable({ reader, topology, check, log });
  let askedAt = Number.NEGATIVE_INFINITY;
  let answeredAsOf = Number.NEGATIVE_INFINITY;
  let followers = 0;
  /** Those who wait for the first table; somebody looks for it as long as there are any. */
  const waiting = new Set<() => void>();
  let isSeeking = false;

  const looks = createLooks(async () => {
    const at = clock.now();
    askedAt = at;
    const over = new AbortController();
    try {
      const found = await within(reader.look(over.signal), { clock, timeout });
      if (!found) throw new Error('there is no answer in time');
      answeredAsOf = at;
      kept.take(found, at);
    } catch (error) {
      kept.miss(error);
    }
    // What has no answer by now is given up.
    over.abort();
    if (kept.now()) for (const arrive of waiting) arrive();
  });

  const tableNow = (): ShardTable => {
    const table = kept.now();
    if (table) return table;
    throw unsure();
  };
  /** A clock that was put back is no reason to wait. */
  const isOld = (): boolean => Math.abs(clock.now() - askedAt) >= reader.every;
  const current = (): ShardTable | undefined => {
    if (followers === 0 && !looks.isUnderWay && isOld()) void looks.any();
    return kept.now();
  };
  const seek = async (): Promise<void> => {
    if (isSeeking) return;
    isSeeking = true;
    for (let failures = 1; ; failures += 1) {
      await looks.any();
      if (kept.now() || waiting.size === 0) break;
      await pause(failures);
    }
    isSeeking = false;
  };
  const poll = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await within(looks.any(), { clock, timeout, signal });
      // Routers that were begun at once do not ask at once for ever.
      await sleep(reader.every * (0.9 + 0.2 * chance()), signal);
    }
  };

  return {
    current,
    ready: async (signal) => {
      const table = current();
      if (table) return table;
      let arrive = (): void => undefined;
      const arrival = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      waiting.add(arrive);
      void seek();
      try {
        await within(arrival, { clock, timeout, signal });
      } finally {
        waiting.delete(arrive);
      }
      return tableNow();
    },
    refresh: async (signal) => {
      await within(looks.fresh(), { clock, timeout, signal });
      return tableNow();
    },
    asOf: () => answeredAsOf,
    onChange: kept.onChange,
    follow: async (signal) => {
      if (signal.aborted) return;
      followers += 1;
      try {
        await Promise.all([poll(signal), reader.listen?.(signal, () => void looks.fresh())]);
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      } finally {
        followers -= 1;
      }
    },
  };
};
