/** What every mode offers: where a key goes, who comes next, and why. */
import type { Policies } from './key/key';
import type { Topology } from './topology';

export interface Warning {
  /** Stable, snake_case. */
  readonly code: string;
  /** One sentence for whoever wrote the topology. */
  readonly message: string;
}

/** What `explain` shows. */
export interface Trace {
  /** The hash of the key as the peer computes it: decimal, or hex behind `0x`. */
  readonly hash: string;
  /** The point of the ring, or the slot of the table, that was found. */
  readonly point?: string;
  /** What was hashed, one value behind the other. @default the whole key */
  readonly hashed?: Uint8Array;
}

/** Shards are told by their index in `topology.shards`. Pure: the same key, the same answer, in every process and runtime. */
export interface Placer {
  /** The owner; `undefined` where the peer itself would fall back to something that the key does not determine. */
  pick(key: Uint8Array): number | undefined;
  /** The same of a text, for modes that are faster without its bytes. @default its UTF-8 bytes go to `pick` */
  readonly pickText?: (key: string) => number | undefined;
  /** The owner first, then who comes next, each shard once, as the peer would try them. */
  candidates(key: Uint8Array): Iterable<number>;
  trace(key: Uint8Array): Trace;
  /** The same of a key that is of several values, for modes that hash each. @default what is shown of the key is hashed */
  readonly combine?: (policies: Policies) => Combined;
  /** What is odd about this topology in this mode. */
  readonly warnings: readonly Warning[];
  /** The placer of another topology of the same mode, for modes that are faster with what is there. @default made anew */
  readonly change?: MakePlacer;
}

/** What a `Placer` says of one key. */
export interface Combined {
  pick(): number | undefined;
  candidates(): Iterable<number>;
  trace(): Trace;
}

/** Of a topology that has been checked. Never throws for one of those. */
export type MakePlacer = (topology: Topology) => Placer;
