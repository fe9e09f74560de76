/** Which server a request goes to: the words that the rule, its facts and its caller have in common. */
import type { Shard } from '../../shared/shard/topology';

/** Why a shard is asked: it owns the key, one of its other replicas was tried before, or it stands in for the owner. */
export type Role = 'owner' | 'replica' | 'next' | 'bound' | 'spread';

export type OnDown = 'fail' | 'next' | 'replica' | 'pin-retry';

/** What a request wants. */
export interface Wish {
  /** The owner first, then who comes next, each once; asked for only as far as it is needed. */
  readonly candidates: () => Iterable<Shard>;
  /** The owner; `undefined`: nothing decides, any will do (missing key spread, or a key that the peer would not place). */
  readonly owner: Shard | undefined;
  /** Urls that have failed for this request since it last waited: after a `wait` there are none. */
  readonly tried: ReadonlySet<string>;
  /** When the request came, by the same clock as `now`: from then on `pin-retry` counts. */
  readonly since: number;
}

export type Choice =
  | {
      readonly kind: 'go';
      readonly shard: Shard;
      readonly url: string;
      readonly role: Role;
      /** It decides whether the server is well again, and is the only one until its flight settles. */
      readonly probe: boolean;
    }
  /** `pin-retry`: the same shard again, after this many ms, with an empty `tried`. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** Nobody may be asked; a client may come again after `retryAfter` ms. */
  | { readonly kind: 'refused'; readonly shard: Shard | undefined; readonly retryAfter: number };

/** What became of a request, for the health of its server. `left`: the client did, which says nothing of the server. */
export type Outcome = 'answered' | 'failed' | 'left';

/** All servers of a table: what each has in flight and how well it is. Times are ms of a clock that only goes forward. */
export interface Servers {
  /** Takes note of another table; whoever is in both keeps what is known of it. */
  update(shards: readonly Shard[]): void;
  choose(wish: Wish, now: number): Choice;
  /** A chosen request is on its way; called in the same turn as `choose`, so that nobody is chosen for the same room. */
  begin(choice: Extract<Choice, { kind: 'go' }>): Flight;
  /** For pages, logs and tests. */
  states(now: number): readonly ServerState[];
  /** An active check has ended. */
  checked(url: string, healthy: boolean, now: number): void;
}

export interface Flight {
  /** The head of the answer has come, or it failed: what health is told. Only the first call counts. @default `left`, at `end` */
  settle(outcome: Outcome, now: number): void;
  /** The last byte has gone, or nothing more will: it is no load any more. Only the first call counts. */
  end(): void;
}

export interface ServerState {
  readonly shard: string;
  readonly url: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** Consecutive. */
  readonly failures: number;
  readonly inFlight: number;
  /** When an open one may be tried again. */
  readonly retryAt?: number;
}
