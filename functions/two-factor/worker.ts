/**
 * When messages go out. Where the process lives on after an answer, right behind it; where it may be frozen, before the
 * answer, which then comes at the next multiple of a fixed time, so that it does not tell who was sent something.
 * What a crash has left is taken up by a pass every few seconds, and by the next request.
 */
import { asFailure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import type { Platform } from '../../shared/platform';
import { behind } from './behind';
import type { Challenge } from './challenge';
import type { Delivery } from './drain';

/** Between two passes over the queue, ms. */
export const PASS_EVERY = 5_000;

/** Answers come at multiples of this where the process may be frozen after them, ms. */
export const FLOOR = 2_000;

export interface Worker {
  /** Sees to the latest message of a challenge; resolves when the answer may go. */
  send(challenge: string, record: Challenge, context: Context, startedAt: number): Promise<void>;
}

export const createWorker = (
  { clock, freezes, background, log }: Platform,
  delivery: Delivery,
): Worker => {
  let passedAt = Number.NEGATIVE_INFINITY;
  const never = new AbortController().signal;

  const pass = async (where: Pick<Context, 'log' | 'waitUntil'>, signal: AbortSignal) => {
    passedAt = clock.now();
    await delivery.pass(where, signal).catch((thrown: unknown) =>
      // The next pass comes in a moment; those who wait for the store are told by their own requests.
      where.log.warn('queue_pass_failed', { failure: asFailure(thrown).code }),
    );
  };

  if (!freezes)
    background(async (signal) => {
      const work: Promise<unknown>[] = [];
      const where = { log, waitUntil: (one: Promise<unknown>) => void work.push(one) };
      while (!signal.aborted) {
        await pass(where, signal);
        await Promise.allSettled(work.splice(0));
        await clock.sleep(PASS_EVERY, signal, { ref: false }).catch(() => {});
      }
    });

  return {
    send: async (challenge, { sends }, context, startedAt) => {
      const isDue = clock.now() >= passedAt + PASS_EVERY;
      const work = () =>
        Promise.all([
          sends.length > 0 && delivery.deliver({ challenge, n: sends.length - 1 }, context),
          isDue && pass(context, never),
        ]);
      if (!freezes) {
        const { later, begin } = behind(context);
        later(work);
        return begin();
      }
      await work();
      const spent = clock.now() - startedAt;
      await clock.sleep(Math.max(1, Math.ceil(spent / FLOOR)) * FLOOR - spent);
    },
  };
};
