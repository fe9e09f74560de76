/**
 * The last good table, and what is told of it. Fails closed: what makes no table changes nothing. Each mistake is told
 * once in the log, until the source is good again.
 */

import { canonicalJson } from '../../canonical';
import type { InputError } from '../../failure';
import type { Log } from '../../handler';
import { compareKeys } from '../bytes';
import { type ShardTable, shardTable } from '../table';
import type { TopologyInput } from '../topology';
import { type CheckShards, checked } from './document';
import type { Found, Reader } from './reader';
import type { LiveTable } from './source';

export interface KeptTable {
  now(): ShardTable | undefined;
  /** The source has said this when it was asked, ms of the clock. */
  take(found: Found, at: number): void;
  /** The source has said nothing. */
  miss(error: unknown): void;
  readonly onChange: LiveTable['onChange'];
}

export interface KeptTableOptions {
  readonly reader: Pick<Reader, 'name' | 'onlyNewer'>;
  readonly topology: TopologyInput;
  /** @default what makes a table will do */
  readonly check?: CheckShards | undefined;
  readonly log: Log;
}

type Listener = Parameters<LiveTable['onChange']>[0];

/** Of one kind of trouble after the other, so many are remembered; of a list of mistakes, so many are told. */
const REMEMBERED = 100;
const TOLD = 10;

/** So long an older epoch must be all that there is before it is taken, ms: time to publish again what was lost. */
const DOUBT = 10_000;

export const keptTable = ({ reader, topology, check, log }: KeptTableOptions): KeptTable => {
  const source = reader.name;
  const listeners = new Set<{ readonly tell: Listener }>();
  const told = new Set<string>();
  let table: ShardTable | undefined;
  let good: Found['mark'] | undefined;
  let older: { readonly mark: Found['mark']; readonly since: number } | undefined;

  const complain = (message: string, reason: string, fields: object): void => {
    if (told.has(reason)) return;
    if (told.size === REMEMBERED) told.clear();
    told.add(reason);
    log.warn(message, { source, ...fields });
  };
  const recover = (): void => {
    older = undefined;
    if (told.size > 0) log.info('shard_members_good_again', { source });
    told.clear();
  };
  const refuse = (mistakes: readonly InputError[]): void => {
    const lines = mistakes
      .slice(0, TOLD)
      .map(({ pointer, message }) => `${pointer || '/'} ${message}`);
    const reason = [mistakes.length, ...lines].join('\n');
    complain('shard_members_unusable', reason, { mistakes: lines, of: mistakes.length });
  };

  /** Whether it is older than what is in use, and has not stayed for long. */
  const isDoubtful = (mark: Found['mark'], epoch: number, at: number): boolean => {
    if (!reader.onlyNewer || !table || epoch >= table.epoch) return false;
    if (older?.mark !== mark) older = { mark, since: at };
    return Math.abs(at - older.since) < DOUBT;
  };
  const become = (next: ShardTable): void => {
    const before = table;
    if (before && isSameTable(next, before)) return;
    table = next;
    const { epoch, digest, shards } = next;
    log.info('shard_table_changed', { source, epoch, digest, shards: shards.length });
    for (const { tell } of [...listeners])
      try {
        tell(next, before);
      } catch (error) {
        log.error('shard_table_listener_failed', { source, error });
      }
  };

  return {
    now: () => table,
    take: (found, at) => {
      if (found.mark === good) return recover();
      const read = checked(found.read(topology), check);
      if ('mistakes' in read) return refuse(read.mistakes);
      const { epoch } = read;
      if (isDoubtful(found.mark, epoch, at))
        return refuse([
          { pointer: '', message: `is older (${epoch}) than what is in use (${table?.epoch})` },
        ]);
      const next = table?.change(read.topology, { epoch }) ?? shardTable(read.topology, { epoch });
      good = found.mark;
      recover();
      become(next);
    },
    miss: (error) =>
      complain('shard_members_unreachable', `${(error as Error | undefined)?.message}`, { error }),
    onChange: (listener) => {
      const entry = { tell: listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
};

/** Whether nobody could tell one from the other: the digest leaves out where the shards are. */
export const isSameTable = (a: ShardTable, b: ShardTable): boolean =>
  a.digest === b.digest && a.epoch === b.epoch && shardsOf(a) === shardsOf(b);

/** Where the order decides, it is in the digest. */
const shardsOf = ({ shards }: ShardTable): string =>
  canonicalJson([...shards].sort((a, b) => compareKeys(a.name, b.name)));
