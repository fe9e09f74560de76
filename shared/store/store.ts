/**
 * The store: compare-and-swap with versions and time to live ("Designing Distributed Systems", ownership election).
 *
 * Every adapter passes the whole of test/contracts/store.ts; what it cannot promise is in its `capabilities`.
 */

/**
 * Grows with every write to the store and is never used again for a key, not even after a delete:
 * a version is therefore a fencing token as well.
 */
export type Version = number;

/** The version of a key that does not exist. */
export const ABSENT: Version = 0;

export interface Entry<T = unknown> {
  readonly key: string;
  readonly value: T;
  readonly version: Version;
  /** By the store's clock, ms since the epoch; absent when the entry lives until deleted. */
  readonly expiresAt?: number;
}

export interface WriteOptions {
  /** How long the entry lives, in ms by the store's clock; above 0, parts are rounded up. @default for ever */
  readonly ttl?: number;
}

export interface ListOptions {
  /** Only keys behind this one, whether it exists or not. @default from the start */
  readonly after?: string;
  /** From 1 to 1000. @default 100 */
  readonly limit?: number;
}

export interface Page<T = unknown> {
  readonly entries: readonly Entry<T>[];
  /** Give it as `after` for the next page; absent on the last one. */
  readonly next?: string;
}

export interface Capabilities {
  /** What is written is still there after the process was killed. */
  readonly survivesCrash: boolean;
  /** Processes that see the same entries. */
  readonly sharedBy: 'process' | 'machine' | 'network';
  /** ms */
  readonly minTtl: number;
  /** ms */
  readonly ttlGranularity: number;
  readonly clock: 'monotonic' | 'wall';
  /** Versions grow over restarts and crashes too. */
  readonly monotoneVersions: boolean;
  /** Bytes of the value as JSON. */
  readonly maxValue: number;
}

/**
 * A key is any well-formed string of 1 to 1024 bytes of UTF-8, NUL included; keys are ordered by those bytes.
 * A value is anything that JSON can hold; it is copied on its way in and out.
 * All methods reject with `store_unavailable` when the store cannot be reached or written (whether a write has
 * happened all the same is unknown then: read before you write again), and with a TypeError that names the part
 * for a key, value or option that no store could take.
 */
export interface Store {
  readonly capabilities: Capabilities;
  /** Never an expired entry. */
  get<T>(key: string): Promise<Entry<T> | undefined>;
  /**
   * Writes if the key is still at `expected` (`ABSENT`: if it does not exist).
   * `undefined`: somebody else was first.
   */
  compareAndSwap<T>(
    key: string,
    expected: Version,
    value: T,
    options?: WriteOptions,
  ): Promise<Entry<T> | undefined>;
  /** Whether something was deleted; with `expected` only that version. */
  delete(key: string, expected?: Version): Promise<boolean>;
  /** The entries whose keys begin with `prefix`, in the order of their keys. */
  list<T>(prefix: string, options?: ListOptions): Promise<Page<T>>;
  /**
   * The present state first, then each later one; `undefined` when the key is absent, deleted or expired (which is
   * noticed in time, without anybody reading). May skip states, never the latest.
   *
   * It is over, without an error, when the signal aborts or the store is closed; a loop that is left releases
   * everything. When reading fails it rejects as `get` does and is over: watch again. For one loop only.
   */
  watch<T>(key: string, signal: AbortSignal): AsyncIterable<Entry<T> | undefined>;
  /** Releases what the store holds and ends who watches; nothing may be called after it. */
  close(): Promise<void>;
}
