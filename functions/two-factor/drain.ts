/**
 * Sends what is in the queue. Each message is taken by one process only: `sending` is written before the provider is
 * called, so no crash and no race sends it twice, and what a crash has left is looked for, never repeated blindly.
 *
 * Fails closed: what cannot be recorded is not sent.
 */
import { Failure } from '../../shared/failure';
import type { Context } from '../../shared/handler';
import { open } from '../../shared/seal';
import { placeOf } from './budget/place';
import { type Challenge, isLive } from './challenge';
import type { SealedMessage } from './compose';
import {
  afterSending,
  nextTask,
  QUEUE,
  type Queued,
  queueKey,
  type Send,
  withoutMessage,
} from './delivery';
import type { Parts } from './parts';
import { createPost } from './post';

/** A message younger than this is left to the request that queued it, ms. */
const HEAD_START = 3_000;

/** Messages that a pass has in hand at once. */
const WIDTH = 8;

/** What an audit line needs of a request. */
type Where = Pick<Context, 'log' | 'waitUntil'>;

export interface Delivery {
  /** One step of one message; resolves when there is nothing more to do for it now. Never rejects. */
  deliver(queued: Pick<Queued, 'challenge' | 'n'>, where: Where): Promise<void>;
  /** All that others have left. Rejects with `store_unavailable`. */
  pass(where: Where, signal: AbortSignal): Promise<void>;
}

export const createDelivery = (parts: Parts): Delivery => {
  const { platform, records, budgets, audit } = parts;
  const { store, clock, keys } = platform;
  const sealKeys = keys('two-factor seal');
  const { call, register, lookUp } = createPost(parts);

  const read = (challenge: string, n: number, { message }: Send): SealedMessage | undefined => {
    const text =
      message === undefined ? undefined : open(sealKeys, message, 'message', challenge, String(n));
    return text === undefined ? undefined : (JSON.parse(text) as SealedMessage);
  };

  /** Writes one message's state; `undefined` when another process has moved it on. */
  const move = async (challenge: string, n: number, from: Send, to: Send) => {
    const written = await records.change(challenge, (latest) =>
      latest.sends[n]?.state === from.state && latest.sends[n]?.tries === from.tries
        ? withSend(latest, n, to)
        : undefined,
    );
    return written?.value.sends[n];
  };

  const settle = async (challenge: string, n: number, send: Send, where: Where) => {
    audit(where, {
      type: 'send_state',
      challenge,
      channel: send.channel,
      state: send.state,
      ...(send.providerCode !== undefined && { providerCode: send.providerCode }),
    });
    const isSettled = send.state !== 'reserved' && !(send.state === 'unknown' && send.message);
    if (isSettled) await store.delete(queueKey({ challenge, n }));
  };

  const step = async (challenge: string, n: number, where: Where): Promise<void> => {
    const entry = await records.get(challenge);
    const send = entry?.value.sends[n];
    // The challenge is written after its place in the queue, and may be on its way.
    if (!entry || !send) return;
    const record = entry.value;
    const isLatest = n === record.sends.length - 1;
    const live = isLatest && isLive(record, clock.now()) && !send.silent;
    const task = nextTask({ send, live, now: clock.now() });
    if (task.task === 'wait') return;
    if (task.task === 'done') return void (await store.delete(queueKey({ challenge, n })));
    const message = read(challenge, n, send);
    if (task.task === 'look_up') {
      const found = await lookUp(task.send, message);
      const moved = await move(challenge, n, send, found);
      if (moved && (moved.state !== send.state || moved.message === undefined))
        await settle(challenge, n, moved, where);
      return;
    }
    if (task.task === 'send' && message) {
      try {
        await register(challenge, n, record, message);
      } catch {
        audit(where, { type: 'registration_failed', challenge, purpose: record.purpose });
        return;
      }
      const taken = await move(challenge, n, send, task.send);
      if (!taken) return;
      const result = await call(challenge, n, taken, message);
      const moved = await move(challenge, n, taken, afterSending(taken, result));
      if (result.outcome === 'refused' || moved?.state === 'failed')
        await budgets.giveBack(
          {
            challenge,
            userDigests: records.userDigests(message.user),
            destinationDigests: records.destinationDigests(send.channel, message.to),
            decoy: false,
            phone: send.channel === 'sms' ? placeOf(message.to) : undefined,
            clientAddress: undefined,
            messages: true,
          },
          send.at,
        );
      if (moved) await settle(challenge, n, moved, where);
      return;
    }
    const moved = await move(challenge, n, send, { ...withoutMessage(send), state: 'suppressed' });
    if (moved) await settle(challenge, n, moved, where);
  };

  const deliver: Delivery['deliver'] = ({ challenge, n }, where) =>
    step(challenge, n, where).catch((thrown: unknown) =>
      where.log.warn('delivery_left', {
        failure: thrown instanceof Failure ? thrown.code : 'internal',
      }),
    );

  return {
    deliver,
    pass: async (where, signal) => {
      const due = clock.now() - HEAD_START;
      let after: string | undefined;
      do {
        const page = await store.list<Queued>(QUEUE, after === undefined ? {} : { after });
        const left = page.entries.map(({ value }) => value).filter(({ at }) => at <= due);
        for (let at = 0; at < left.length && !signal.aborted; at += WIDTH)
          await Promise.all(left.slice(at, at + WIDTH).map((queued) => deliver(queued, where)));
        after = page.next;
      } while (after !== undefined && !signal.aborted);
    },
  };
};

export const withSend = (challenge: Challenge, n: number, send: Send): Challenge => ({
  ...challenge,
  sends: challenge.sends.map((existing, at) => (at === n ? send : existing)),
});
