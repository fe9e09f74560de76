/**
 * Asks the source of the table when a request gives reason to: at once for the first that does, and not again for a
 * second when that was in vain, since a router that is behind, misled or forged would ask without end.
 *
 * Every wait is bounded. Never throws: what the source has not said in time is for the rule to judge.
 */
import type { Clock } from '../../shared/clock';
import type { LiveTable } from '../../shared/shard/members/source';
import type { ShardTable } from '../../shared/shard/table';
import type { Fence } from './ownership';

export interface LookoutOptions {
  readonly table: LiveTable;
  readonly clock: Clock;
  /** How long the source may be silent before its table is not trusted, ms. */
  readonly staleAfter: number;
  /** How long one request waits for the source, ms. */
  readonly patience: number;
  /** Before the same reason makes it ask again, ms. @default 1000 */
  readonly rest?: number;
}

export interface Lookout {
  /** Whether the source has confirmed the table lately. */
  isFresh(): boolean;
  /** Whether the reason that this request gives has been looked into a moment ago, in vain. */
  isVain(fence: Fence | undefined): boolean;
  /** The table of afterwards; `undefined`: there is still none. */
  look(fence: Fence | undefined): Promise<ShardTable | undefined>;
}

/** Reasons kept; above it all are forgotten, which costs a question each. */
const MAX_REASONS = 64;

export const createLookout = (options: LookoutOptions): Lookout => {
  const { table, clock, staleAfter, patience, rest = 1_000 } = options;
  const vain = new Map<string, number>();

  /** Of a clock that was set back nothing is known. */
  const isWithin = (at: number, ms: number): boolean => {
    const age = clock.now() - at;
    return age >= 0 && age < ms;
  };
  const isFresh = (): boolean => {
    const at = table.asOf();
    return at === Number.POSITIVE_INFINITY || isWithin(at, staleAfter);
  };
  /** An old table is one reason for all. */
  const reasonOf = (fence: Fence | undefined): string =>
    fence && isFresh() ? `${fence.epoch} ${fence.digest}` : '';

  const ask = async (): Promise<void> => {
    const enough = new AbortController();
    const asked = table.refresh(enough.signal).catch(() => undefined);
    const late = clock.sleep(patience, enough.signal, { ref: false }).catch(() => undefined);
    await Promise.race([asked, late]);
    enough.abort();
  };

  return {
    isFresh,
    isVain: (fence) => {
      const at = vain.get(reasonOf(fence));
      return at !== undefined && isWithin(at, rest);
    },
    look: async (fence) => {
      await ask();
      const now = table.current();
      const reason = reasonOf(fence);
      if (vain.size >= MAX_REASONS) vain.clear();
      const isVain = !now || !isFresh() || (fence !== undefined && isBehind(now, fence));
      if (isVain) vain.set(reason, clock.now());
      return now;
    },
  };
};

const isBehind = (table: ShardTable, { epoch, digest }: Fence): boolean =>
  table.digest !== digest || table.epoch < epoch;
