/**
 * The guesses of a day, in the store. When a reservation does not fit, what has ended is settled first: a challenge is
 * closed for good, then what it did not use comes back. Fails closed: `store_unavailable`.
 */
import type { Clock } from '../../../shared/clock';
import { combinerOf } from '../../../shared/limits/combine';
import type { Entry, Store } from '../../../shared/store/store';
import { MAX_ATTEMPTS } from '../challenge';
import type { Settled } from './budgets';
import {
  type Ended,
  has,
  heldIn,
  LEDGER_LIFE,
  type Ledger,
  LONGEST_CHALLENGE,
  MAX_GUESSES,
  type Reserved,
  reserve,
  settled,
  unsettledIn,
} from './guesses';

export interface LedgersOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly settle: (challenge: string) => Promise<Settled>;
}

export interface Ledgers {
  /**
   * Reserves the guesses of a challenge. `keys`: the current one, and the former under which reservations may still
   * stand. `settles`: whether to make room; else what does not fit is refused at once.
   */
  reserve(keys: readonly string[], challenge: string, settles: boolean): Promise<Reserved>;
}

const NONE: ReadonlyMap<string, Ended> = new Map();

export const createLedgers = ({ store, clock, settle }: LedgersOptions): Ledgers => {
  const combiner = combinerOf(store);

  const read = (keys: readonly string[]) => Promise.all(keys.map((key) => store.get<Ledger>(key)));

  const stateOf = (entry: Entry<Ledger> | undefined, ended = NONE): Ledger =>
    settled(entry?.value, ended, clock.now());

  const endedOf = async (challenges: readonly string[]): Promise<ReadonlyMap<string, Ended>> => {
    const ends = new Map<string, Ended>();
    await Promise.all(
      challenges.map(async (challenge) => {
        const end = await settle(challenge);
        if (end.state === 'ended')
          ends.set(challenge, {
            wrongGuesses: end.wrongGuesses,
            endedAt: end.endedAt ?? clock.now(),
          });
      }),
    );
    return ends;
  };

  const heldInAll = (ledgers: readonly Ledger[]): number =>
    ledgers.reduce((total, ledger) => total + heldIn(ledger), 0);

  return {
    reserve: async ([key = '', ...formerKeys], challenge, settles) => {
      const [own, ...former] = await read([key, ...formerKeys]);
      const ledgers = [own, ...former].map((entry) => stateOf(entry));
      const isFull = heldInAll(ledgers) + MAX_ATTEMPTS > MAX_GUESSES;
      const ended = settles && isFull ? await endedOf(ledgers.flatMap(unsettledIn)) : NONE;
      // What has ended under a former key is not written there: it will be found to have ended again.
      const besides = heldInAll(former.map((entry) => stateOf(entry, ended)));
      const isKnown = former.some((entry) => has(stateOf(entry), challenge));
      const reserved = await combiner.update<Ledger, Reserved>(
        key,
        LEDGER_LIFE,
        (ledger) => reserve(ledger, { challenge, besides, isKnown, ended, now: clock.now() }),
        { latest: { entry: own } },
      );
      if (!reserved.granted || formerKeys.length === 0) return reserved;
      // While keys change hands, an instance of before may have reserved under a former one at the same moment: both
      // look again after they have written, so one of them sees the other.
      const again = await read([key, ...formerKeys]);
      const held = heldInAll(again.map((entry) => stateOf(entry, ended)));
      return held <= MAX_GUESSES ? reserved : { granted: false, retryAfter: LONGEST_CHALLENGE };
    },
  };
};
