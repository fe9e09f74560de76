/** The time of a Redis server, as told by its last answer: late by the way of that answer, never early. */
import { type Clock, systemClock } from '../clock';

export interface RedisClock {
  readonly clock: Clock;
  /** What goes to the server as the time: '' asks for its own. */
  told(): string;
  /** The server's time, in ms. */
  hear(now: number): void;
}

/** `given` takes the place of the server's. */
export const redisClock = (given: Clock | undefined): RedisClock => {
  if (given) return { clock: given, told: () => `${given.now()}`, hear: () => undefined };
  let ahead = systemClock.now() - performance.now();
  return {
    clock: { now: () => performance.now() + ahead, sleep: systemClock.sleep },
    told: () => '',
    hear: (now) => {
      ahead = now - performance.now();
    },
  };
};
