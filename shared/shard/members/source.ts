/** Where the members of a table come from, and the table that they make now. */
import type { ShardTable } from '../table';

export type MembersSource =
  /** Those of the configuration. */
  | { readonly from: 'static' }
  /** A file of members, read again whenever `every` has passed. @default every: '2s' */
  | { readonly from: 'file'; readonly path: string; readonly every?: string }
  /**
   * A name of DNS, such as a headless service. SRV: each target is a shard, named by it. A: each address is one, at `port`.
   * @default every: '5s', type: 'SRV' without a port, else 'A'
   */
  | {
      readonly from: 'dns';
      readonly name: string;
      readonly type?: 'A' | 'SRV';
      readonly port?: number;
      readonly every?: string;
    }
  /** An entry of the store, watched. @default key: 'shard-router/members' */
  | { readonly from: 'store'; readonly key?: string };

/** One table after the other, for as long as the process lives. */
export interface LiveTable {
  /** `undefined` until the source has answered once. Never one that a mistake was found in: then the last good one stays. */
  current(): ShardTable | undefined;
  /** The same, waiting for the first. Rejects with `table_unavailable` when the source cannot be read in time. */
  ready(signal: AbortSignal): Promise<ShardTable>;
  /**
   * Asks the source now; one question for all who ask meanwhile. Gives the table of afterwards, which is the one of before
   * when there is nothing newer; rejects as `ready` does only if there is none at all.
   */
  refresh(signal: AbortSignal): Promise<ShardTable>;
  /** Told of each new table, after it is current. Gives what ends it. */
  onChange(listener: (now: ShardTable, before: ShardTable | undefined) => void): () => void;
  /** Follows the source until the signal aborts: for `platform.background`. */
  follow(signal: AbortSignal): Promise<void>;
}
