/**
 * Active checks: each server is asked for a path again and again, and what comes of it decides, with what requests find,
 * whether it is well. One that is open is left alone until its time is over, and then asked at once.
 *
 * Fails open: a check that cannot be made leaves its server to the requests. Every check has an end, also one whose
 * connection never says anything, and whoever is told to stop does.
 */
import type { Clock } from '../../shared/clock';
import type { Random } from '../../shared/random';
import type { ServerState, Servers } from './choice';

export interface ActiveChecksOptions {
  readonly servers: Pick<Servers, 'states' | 'checked'>;
  /** What each server is asked for, such as `/health`. */
  readonly path: string;
  /** Between two checks of one server, ms, give or take a tenth. */
  readonly every: number;
  /** How long the head of an answer may take, ms. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly random: Pick<Random, 'below'>;
  /** The status of the answer to a GET. Rejects when none comes within `timeout` ms, or when the signal aborts. */
  readonly ask: (
    url: string,
    path: string,
    timeout: number,
    signal: AbortSignal,
  ) => Promise<number>;
  /** How many are under way at once. @default 32 */
  readonly width?: number;
}

/** The longest between two looks at who is due, ms, and the shortest. */
const LONGEST_BEAT = 250;
const SHORTEST_BEAT = 20;

/** What `ask` is given beyond its own time before nothing more is expected of it, ms. */
const GRACE = 500;

/** Anything but an error, as a kubelet takes it: 200 to 399. */
export const isHealthy = (status: number): boolean => status >= 200 && status < 400;

/** Whether a server is to be asked now: one that is closed in its turn, one that is half-open at once. */
export const isDue = (
  state: ServerState['state'],
  nextAt: number,
  now: number,
  every: number,
): boolean => {
  if (state === 'open') return false;
  // A clock that was set back puts nobody off for long.
  return state === 'half-open' || now >= nextAt || nextAt - now > 2 * every;
};

/** For `platform.background`: resolves soon after the signal aborts, and never rejects. */
export const activeChecks = (options: ActiveChecksOptions) => {
  const { servers, path, every, timeout, clock, random, ask, width = 32 } = options;
  for (const [name, value] of Object.entries({ every, timeout, width }))
    if (!(value > 0 && Number.isFinite(value))) throw new TypeError(`${name} must be above 0`);
  const beat = Math.min(Math.max(every / 10, SHORTEST_BEAT), LONGEST_BEAT);
  const chance = () => random.below(1_000) / 1_000;

  /** Whether a server answers in time, and well. */
  const isWell = async (url: string, signal: AbortSignal): Promise<boolean> => {
    const status = await Promise.race([
      ask(url, path, timeout, signal),
      clock.sleep(timeout + GRACE, signal, { ref: false }).then(() => undefined),
    ]);
    return status !== undefined && isHealthy(status);
  };

  const check = async (url: string, signal: AbortSignal): Promise<void> => {
    const own = new AbortController();
    const stop = () => own.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const healthy = await isWell(url, own.signal).catch(() => false);
    signal.removeEventListener('abort', stop);
    own.abort();
    if (!signal.aborted) servers.checked(url, healthy, clock.now());
  };

  return async (signal: AbortSignal): Promise<void> => {
    const running = new Set<string>();
    let turns = new Map<string, number>();
    while (!signal.aborted) {
      const now = clock.now();
      const before = turns;
      turns = new Map();
      for (const { url, state } of servers.states(now)) {
        // The first of each at any moment of its time, so that not all are asked together.
        const turn = turns.get(url) ?? before.get(url) ?? now + chance() * every;
        turns.set(url, turn);
        if (running.has(url) || running.size >= width || !isDue(state, turn, now, every)) continue;
        turns.set(url, now + every * (0.9 + 0.2 * chance()));
        running.add(url);
        void check(url, signal).finally(() => running.delete(url));
      }
      await clock.sleep(beat, signal, { ref: false }).catch(() => {});
    }
  };
};
