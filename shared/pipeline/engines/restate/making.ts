/**
 * The attempts of one passage that are under way. Those that end at about the same time are one entry of the journal:
 * each entry costs as much as a call.
 *
 * Fails closed: when one was cut, nothing that has not been handed over has become of any.
 */
import type { AttemptOutcome } from '../../attempt';
import type { Activity } from '../../machine/underway';
import type { Progress } from '../../progress';

/** How an attempt ended, and when, ms since the epoch. */
export interface Ended {
  /** Of the activity that was begun; with `inlineWait` the attempt may be a later one. */
  readonly id: string;
  readonly attempt: number;
  readonly outcome: AttemptOutcome;
  readonly at: number;
}

export interface PerformOptions {
  /** When to begin, ms since the epoch. */
  readonly notBefore: number;
  /** How soon an attempt must follow to be made as well, ms. */
  readonly inlineWait: number;
}

/**
 * Makes an attempt when it is due, and those that follow shortly. Rejects when it was cut, and then nothing has become
 * of any.
 */
export type Perform = (
  activity: Activity,
  progress: Progress,
  options: PerformOptions,
) => Promise<readonly Ended[]>;

export interface MakingOptions {
  readonly perform: Perform;
  /** As in `carry`. */
  readonly inlineWait: number;
}

export interface Making {
  readonly size: number;
  get(id: string): Activity | undefined;
  /** What is under way, for people who read the journal. */
  name(): string;
  /**
   * Notes what is under way. It is made as soon as somebody asks how it ended, and not before: what is noted while the
   * journal is gone through again may have ended long ago.
   */
  begin(activity: Activity, known: Progress, notBefore: number): void;
  /** It is known how it ended. */
  end(id: string): void;
  /**
   * Resolves as soon as one has ended, or all when attempts are made inline, with those whose end was not told before.
   * Asked by one at a time. Rejects when one was cut.
   */
  ended(): Promise<readonly Ended[]>;
}

interface One {
  readonly activity: Activity;
  readonly known: Progress;
  readonly notBefore: number;
  isMade: boolean;
}

/** In a name, so that it stays one line. */
const NAMED = 8;

export const createMaking = ({ perform, inlineWait }: MakingOptions): Making => {
  const open = new Map<string, One>();
  let ended: Ended[] = [];
  let inAir = 0;
  let cut: { readonly error: unknown } | undefined;
  let wake = (): void => {};
  /** Whether the journal has been gone through. */
  let isLive = false;

  const make = async (one: One): Promise<void> => {
    if (one.isMade) return;
    one.isMade = true;
    inAir += 1;
    try {
      const { activity, known, notBefore } = one;
      const all = await perform(activity, known, { notBefore, inlineWait });
      // Not before the wait: what was there by then has been told.
      ended.push(...all);
    } catch (error) {
      cut ??= { error };
    }
    inAir -= 1;
    wake();
  };

  return {
    get size() {
      return open.size;
    },
    get: (id) => open.get(id)?.activity,
    name: () => {
      const ids = [...open.keys()];
      return `${ids.slice(0, NAMED).join(' ')}${ids.length > NAMED ? ' …' : ''}`;
    },
    begin: (activity, known, notBefore) => {
      const one = { activity, known, notBefore, isMade: false };
      open.set(activity.id, one);
      if (isLive) void make(one);
    },
    end: (id) => void open.delete(id),
    ended: async () => {
      isLive = true;
      for (const one of open.values()) void make(one);
      const isEnough = () => cut || (inlineWait > 0 ? inAir === 0 : ended.length > 0);
      while (!isEnough())
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      // What comes in the same turn.
      if (inAir > 0 && !cut) await new Promise((resolve) => setImmediate(resolve));
      if (cut) throw cut.error;
      const all = ended;
      ended = [];
      return all;
    },
  };
};
