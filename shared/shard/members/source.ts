/** Where the members of a table come from, and the table that they make now. */
import type { ShardTable } from '../table';

export type MembersSource =
  /** Those of the configuration. */
  | { readonly from: 'static' }
  /** A file of members (`MembersFile`), read again whenever `every` has passed. @default every: '2s' */
  | { readonly from: 'file'; readonly path: string; readonly every?: string }
  /**
   * A whole name of DNS, such as a headless service. SRV: each target of the lowest priority is a shard, named by it, with
   * its weight. A: each address is one, at `port`, and its name.
   * @default every: '5s', type: 'A' with a port, else 'SRV'
   */
  | {
      readonly from: 'dns';
      readonly name: string;
      readonly type?: 'A' | 'SRV';
      readonly port?: number;
      readonly every?: string;
    }
  /** An entry of the store (`MembersInput`), watched; its version is the epoch. @default key: 'shard-router/members' */
  | { readonly from: 'store'; readonly key?: string };

/** One table after the other, for as long as the process lives. */
export interface LiveTable {
  /** `undefined` until the source has answered once. Never one that a mistake was found in: then the last good one stays. */
  current(): ShardTable | undefined;
  /**
   * The same, waiting for the first. Rejects with `table_unavailable` when the source cannot be read in time, and with
   * `aborted` when the signal aborts.
   */
  ready(signal: AbortSignal): Promise<ShardTable>;
  /**
   * Asks the source now; one question for all who ask meanwhile. Gives the table of afterwards, which is the one of before
   * when there is nothing newer; rejects as `ready` does only if there is none at all.
   */
  refresh(signal: AbortSignal): Promise<ShardTable>;
  /**
   * Until when nothing newer than `current()` can have been there: the instant at which the latest question that the
   * source has answered was put, ms of the clock. `Infinity` for members that never change, `-Infinity` before the first
   * answer. An answer with a mistake counts too: nobody can make a table of it, so that the last one goes on everywhere.
   */
  asOf(): number;
  /** Told of each new table, after it is current. Gives what ends it. */
  onChange(listener: (now: ShardTable, before: ShardTable | undefined) => void): () => void;
  /** Follows the source until the signal aborts: for `platform.background`. */
  follow(signal: AbortSignal): Promise<void>;
}
