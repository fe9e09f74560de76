/** Why a key goes where it goes, as one object. */
import { toBytes, toHex } from './bytes';
import type { KeyValue } from './key/key';
import type { Trace } from './placer';
import type { Shard } from './topology';

/** Members that do not apply are null, never absent. */
export interface Explanation {
  /** As it came; null for bytes. */
  readonly key: string | null;
  /** What was hashed, in hex; of several values, one behind the other in the order of their hashing. */
  readonly bytes: string;
  /** As the peer computes it. */
  readonly hash: string;
  /** The point of the ring, or the slot of the table, that was found; null where none was. */
  readonly point: string | null;
  /** Whether the pins have decided, and not the mode. */
  readonly pinned: boolean;
  /** The owner's name; null: the key does not decide it. */
  readonly shard: string | null;
  readonly address: string | null;
  /** Names: the owner first, then who comes next. */
  readonly candidates: readonly string[];
  readonly epoch: number;
  readonly digest: string;
}

export interface ExplanationParts {
  readonly trace: Trace;
  readonly owner: Shard | undefined;
  readonly isPinned: boolean;
  readonly candidates: readonly Shard[];
  readonly epoch: number;
  readonly digest: string;
}

export const explanationOf = (
  key: KeyValue,
  { trace, owner, isPinned, candidates, epoch, digest }: ExplanationParts,
): Explanation => ({
  key: typeof key === 'string' ? key : null,
  bytes: toHex(trace.hashed ?? toBytes(key)),
  hash: trace.hash,
  point: trace.point ?? null,
  pinned: isPinned,
  shard: owner?.name ?? null,
  address: owner?.address ?? null,
  candidates: candidates.map(({ name }) => name),
  epoch,
  digest,
});
