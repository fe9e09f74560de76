/**
 * The servers of a table: who is asked, what each has in flight, how well it is. What is decided is decided by rules of
 * facts and the time, in files of their own; here they meet what is kept.
 *
 * A server that nothing is known of is taken for well: it fails open there, and closed where nobody may be asked.
 */
import type { Random } from '../../shared/random';
import type { Flight, OnDown, Servers } from './choice';
import { choose, type Rules } from './choose';
import { type Circuit, checked, isClosed, phaseOf, probing, settled } from './circuit';
import { createLedger, type KeptServer } from './ledger';
import { openForOf } from './refuse';

export { urlsOf } from './urls';

export interface ServersOptions {
  /** What becomes of a request whose owner is down. */
  readonly onDown: OnDown;
  /** How many times its part a shard may have in flight: more than 1. @default as much as comes */
  readonly bound?: number | undefined;
  /** Failures in a row that open the circuit of a server. */
  readonly failures: number;
  /** How long it stays open, ms. With `pin-retry` an eighth of `retryFor` at most. */
  readonly openFor: number;
  /** How long a request waits for its shard with `pin-retry`, ms. @default 2000 */
  readonly retryFor?: number;
  /**
   * The active checks that are made: they decide whether a server is well again. Should they not come, a request does.
   * @default none
   */
  readonly active?: { readonly every: number; readonly timeout: number } | undefined;
  /** A request that decides is given up after this, ms: longer than one may take to fail. @default 60000 */
  readonly probeFor?: number;
  /** Chooses where two will do. */
  readonly random: Pick<Random, 'below'>;
  /** Told of each server that is left alone from now on, or is well again. @default nobody is */
  readonly onTurn?: (url: string, state: 'open' | 'closed') => void;
}

/** Throws a TypeError for options that make no sense. */
export const createServers = (options: ServersOptions): Servers => {
  const rules = rulesOf(options);
  const { limits } = rules;
  const { facts, places, update, listed, turn, add } = createLedger();

  /** What is chosen begins in the same turn. */
  let chosenAt = 0;

  const tell = (server: KeptServer, circuit: Circuit): void => {
    if (!turn(server, circuit)) return;
    options.onTurn?.(server.url, isClosed(circuit) ? 'closed' : 'open');
  };

  return {
    update,

    choose: (wish, now) => {
      chosenAt = now;
      const choice = choose(wish, facts, rules, now);
      if (choice.kind === 'go' && choice.probe) {
        const server = listed(choice.url);
        if (server) turn(server, probing(server.circuit, now));
      }
      return choice;
    },

    begin: (choice): Flight => {
      const { server, remove } = add(choice);
      const { period } = server.circuit;
      const { probe } = choice;
      const began = chosenAt;
      let isSettled = false;
      let isEnded = false;
      const settle: Flight['settle'] = (outcome, now) => {
        if (isSettled) return;
        isSettled = true;
        // One slow request beside others that it answers: that one's own affair, or else a few could close a shard to all.
        const isItsOwn = outcome === 'failed' && !probe && server.answeredAt > began;
        if (outcome === 'answered') server.answeredAt = now;
        if (!isItsOwn)
          tell(server, settled(server.circuit, { outcome, period, probe }, limits, now));
      };
      return {
        settle,
        end: () => {
          if (isEnded) return;
          isEnded = true;
          settle('left', 0);
          remove();
        },
      };
    },

    states: (now) =>
      [...places()].flatMap(({ shard, servers }) =>
        servers.map(({ url, circuit, inFlight }) => ({
          shard: shard.name,
          url,
          state: phaseOf(circuit, limits, now),
          failures: Math.max(circuit.failures, circuit.misses),
          inFlight,
          ...(circuit.retryAt !== undefined && { retryAt: circuit.retryAt }),
        })),
      ),

    checked: (url, healthy, now) => {
      const server = listed(url);
      if (server) tell(server, checked(server.circuit, healthy, limits, now));
    },
  };
};

const rulesOf = (options: ServersOptions): Rules => {
  const { onDown, bound, failures, openFor, retryFor = 2_000, active, probeFor = 60_000 } = options;
  if (bound !== undefined && !(bound > 1 && Number.isFinite(bound)))
    throw new TypeError('bound must be a number above 1');
  if (!Number.isSafeInteger(failures) || failures < 1)
    throw new TypeError('failures must be a whole number from 1 on');
  for (const [name, ms] of Object.entries({ openFor, retryFor, probeFor, ...active }))
    if (typeof ms === 'number' && !(ms > 0 && Number.isFinite(ms)))
      throw new TypeError(`${name} must be above 0 ms`);
  const limits = {
    failures,
    openFor: openForOf({ onDown, openFor, retryFor }),
    checkFor: active === undefined ? 0 : active.every + 2 * active.timeout,
    probeFor,
  };
  return { onDown, bound, limits, retryFor, random: options.random };
};
