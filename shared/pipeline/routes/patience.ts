/**
 * How long requests wait for what they asked for. One sleep serves all of them: nearly every wait is over before its
 * time, and a timer for each, set and called off, would cost more than most of what is done meanwhile.
 */
import type { Clock } from '../../clock';

export interface Wait {
  /** Aborts after the time, or with the signal that was given. */
  readonly signal: AbortSignal;
  /** Nobody waits any more. */
  release(): void;
}

/** `ms`: at least that long, and at most `GRAIN` longer. */
export type Patience = (ms: number, signal: AbortSignal) => Wait;

/** Waits that end in the same ms-span end together, however many there are. */
const GRAIN = 50;

export const createPatience = (clock: Clock): Patience => {
  const waits = new Map<() => void, number>();
  let alarm: { readonly at: number; readonly stop: AbortController } | undefined;

  const look = (): void => {
    const now = clock.now();
    let first = Number.POSITIVE_INFINITY;
    for (const [end, at] of waits)
      if (at <= now) end();
      else first = Math.min(first, at);
    if (first < Number.POSITIVE_INFINITY) sleepUntil(first);
  };

  const sleepUntil = (at: number): void => {
    if (alarm && alarm.at <= at) return;
    alarm?.stop.abort();
    const stop = new AbortController();
    alarm = { at, stop };
    clock.sleep(Math.max(0, at - clock.now()), stop.signal, { ref: false }).then(
      () => {
        alarm = undefined;
        look();
      },
      () => undefined,
    );
  };

  return (ms, signal) => {
    const patience = new AbortController();
    const release = () => {
      waits.delete(end);
      signal.removeEventListener('abort', end);
    };
    const end = () => {
      release();
      // Without a reason of its own an error with a stack would be made for it.
      patience.abort('waited');
    };
    if (signal.aborted || ms === 0) patience.abort('waited');
    else {
      signal.addEventListener('abort', end, { once: true });
      const at = Math.ceil((clock.now() + ms) / GRAIN) * GRAIN;
      waits.set(end, at);
      sleepUntil(at);
    }
    return { signal: patience.signal, release };
  };
};
