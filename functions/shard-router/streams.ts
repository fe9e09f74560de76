/**
 * Answers that go on for long (event streams, WebSockets), each at the shard that owned its key when it began. When the table
 * says that the key has moved, it is ended with the signal of its protocol, so that its client comes again and finds the new
 * owner: two shards that both serve one key is what a table is there to prevent. All others stay as they are.
 *
 * Moved ones end spread over a window, since whoever is ended comes back at once. Fails closed: one that has no way to say
 * goodbye may end by itself for a while, and then is cut. One timer serves all.
 */
import type { Clock } from '../../shared/clock';
import type { LiveStream } from '../../shared/handler';
import type { Random } from '../../shared/random';
import type { ShardTable } from '../../shared/shard/table';
import type { Placement } from './missing';
import { Moments, type Timed } from './streams-moments';
import { hasMoved, type Placed, whoMoves } from './streams-moved';

/** Durations in ms. */
export interface StreamsOptions {
  /** Over which those that a change moves are ended, each at its own random moment. */
  readonly window: number;
  /** How long one without a goodbye (`http`) may go on before its moment comes. */
  readonly grace: number;
  /** After which the client of an event stream comes again. */
  readonly retry: number;
  /** The age at which any is ended, with its last tenth as jitter. @default none */
  readonly maxAge?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Streams {
  /** Looks after a stream that `table` has placed, until it is over. One that any shard may serve ends for its age alone. */
  watch(stream: LiveStream, placement: Placement, table: ShardTable): void;
  /** Another table holds from now on. A stream that it has brought back home before its moment stays. */
  change(table: ShardTable): void;
  /** How many there are, and how many of them wait for their end. */
  counts(): { readonly open: number; readonly moving: number };
  /** Ends none any more, and no timer is left. */
  stop(): void;
}

interface Watched extends Placed, Timed {
  readonly stream: LiveStream;
  /** When it is too old. */
  readonly oldAt: number;
  /** When it ends because its key has moved. */
  leavesAt: number;
}

const NEVER = Number.POSITIVE_INFINITY;
/** How many are ended in one turn: requests have theirs in between. */
const BATCH = 200;

export const createStreams = (options: StreamsOptions): Streams => {
  const { window, grace, retry, maxAge, clock, random } = options;
  const streams = new Set<Watched>();
  const moments = new Moments<Watched>();
  let table: ShardTable | undefined;
  let isStopped = false;
  let wakesAt = NEVER;
  let alarm = new AbortController();

  const chance = (span: number): number => (span >= 1 ? random.below(Math.floor(span)) : 0);

  const wake = (): void => {
    const at = moments.first?.at ?? NEVER;
    if (at >= wakesAt || isStopped) return;
    alarm.abort();
    alarm = new AbortController();
    wakesAt = at;
    clock
      .sleep(Math.max(1, at - clock.now()), alarm.signal, { ref: false })
      .then(turn, () => undefined);
  };

  const turn = (): void => {
    wakesAt = NEVER;
    const now = clock.now();
    for (let i = 0; i < BATCH; i += 1) {
      const { first } = moments;
      if (!first || first.at > now) break;
      moments.remove(first);
      // Whatever becomes of it, it is told once.
      streams.delete(first);
      first.stream.end({ retry });
    }
    wake();
  };

  const plan = (one: Watched, leavesAt: number): void => {
    one.leavesAt = leavesAt;
    moments.set(one, Math.min(one.oldAt, leavesAt));
  };

  /** The moment at which one that has moved now must go. */
  const soon = ({ stream }: Watched): number =>
    clock.now() + (stream.protocol === 'http' ? grace : 0) + chance(window);

  return {
    watch: (stream, { owner, key }, placedBy) => {
      if (isStopped) return;
      const one: Watched = {
        stream,
        key,
        owner: owner?.name,
        oldAt: maxAge === undefined ? NEVER : clock.now() + maxAge - chance(maxAge / 10),
        leavesAt: NEVER,
        at: NEVER,
        place: -1,
      };
      streams.add(one);
      // The table may have become another while the shard made up its answer.
      const isLate = table !== undefined && table !== placedBy && hasMoved(one, table);
      plan(one, isLate ? soon(one) : NEVER);
      wake();
      void stream.ended.then(() => {
        streams.delete(one);
        moments.remove(one);
      });
    },
    change: (now) => {
      table = now;
      const movers = new Set(whoMoves(streams, now));
      for (const one of streams)
        if (!movers.has(one)) {
          if (one.leavesAt !== NEVER) plan(one, NEVER);
        } else if (one.leavesAt === NEVER) plan(one, soon(one));
      wake();
    },
    counts: () => {
      let moving = 0;
      for (const { leavesAt } of streams) if (leavesAt !== NEVER) moving += 1;
      return { open: streams.size, moving };
    },
    stop: () => {
      isStopped = true;
      alarm.abort();
      streams.clear();
    },
  };
};
