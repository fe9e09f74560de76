/**
 * What becomes of one message. It is sent at most once: `sending` is recorded before the provider is called, so what a
 * crash or a time-out leaves behind is `unknown` and is never repeated blindly. Pure; who calls does the writing.
 */
import type { SmsReport } from '../../shared/senders/sender';

/** How long a sender may take. ms */
export const SEND_TIMEOUT = 10_000;

/** How long `sending` is believed before the sender is taken for dead; longer than `SEND_TIMEOUT`. ms */
export const SEND_LEASE = 15_000;

/** How often a message that surely did not leave is tried again. */
export const MAX_TRIES = 3;

/** How long a provider is asked for a message. ms */
export const LOOK_UP_FOR = 120_000;

/** `suppressed`: decided not to be sent, or overtaken before it was. */
export type SendState =
  | 'reserved'
  | 'sending'
  | 'unknown'
  | 'accepted'
  | 'failed'
  | 'delivered'
  | 'suppressed';

export interface Send {
  readonly state: SendState;
  readonly channel: 'sms' | 'mail';
  /** When it was asked for, ms since the epoch. */
  readonly at: number;
  /** There is nobody to send it to; it goes through the queue like others. @default false */
  readonly silent?: true;
  /** Times that the provider was called. */
  readonly tries: number;
  /** Digest of the idempotency key that asked for it; of resends only. */
  readonly key?: string;
  /** The message, sealed; gone as soon as nobody needs it. */
  readonly message?: string;
  /** When `sending` began, ms since the epoch. */
  readonly sendingAt?: number;
  /** The provider's. */
  readonly messageId?: string;
  /** The provider's number for what went wrong. */
  readonly providerCode?: number;
}

/** States never go back: a report that comes late or twice changes nothing. */
const RANK: Readonly<Record<SendState, number>> = {
  reserved: 0,
  sending: 1,
  unknown: 2,
  accepted: 3,
  failed: 4,
  // Networks correct themselves: what is said to have failed may arrive.
  delivered: 5,
  suppressed: 6,
};

export const withoutMessage = ({ message, ...send }: Send): Omit<Send, 'message'> => send;

/** What is to be done with a message that is found in the queue. */
export type Task =
  | { readonly task: 'send'; readonly send: Send }
  | { readonly task: 'suppress'; readonly send: Send }
  | { readonly task: 'look_up'; readonly send: Send }
  | { readonly task: 'wait' }
  | { readonly task: 'done' };

export interface TaskFacts {
  readonly send: Send;
  /** Whether its code can still be used. */
  readonly live: boolean;
  /** ms since the epoch */
  readonly now: number;
}

export const nextTask = ({ send, live, now }: TaskFacts): Task => {
  const { state, tries, sendingAt = send.at } = send;
  if (state === 'reserved')
    return live
      ? { task: 'send', send: { ...send, state: 'sending', tries: tries + 1, sendingAt: now } }
      : { task: 'suppress', send: { ...withoutMessage(send), state: 'suppressed' } };
  if (state === 'sending')
    return now < sendingAt + SEND_LEASE
      ? { task: 'wait' }
      : { task: 'look_up', send: { ...send, state: 'unknown' } };
  return state === 'unknown' ? { task: 'look_up', send } : { task: 'done' };
};

/** How a call of the provider ended. */
export type SendOutcome =
  | { readonly outcome: 'accepted'; readonly messageId: string | undefined }
  | { readonly outcome: 'refused' | 'unsent' | 'unknown' };

export const afterSending = (send: Send, result: SendOutcome): Send => {
  if (result.outcome === 'accepted')
    return {
      ...withoutMessage(send),
      state: 'accepted',
      ...(result.messageId !== undefined && { messageId: result.messageId }),
    };
  if (result.outcome === 'unknown') return { ...send, state: 'unknown' };
  return result.outcome === 'unsent' && send.tries < MAX_TRIES
    ? { ...send, state: 'reserved' }
    : { ...withoutMessage(send), state: 'failed' };
};

/** With what the provider says; `undefined` when that is nothing new, or of another message. */
export const afterReport = (send: Send, report: SmsReport): Send | undefined => {
  if (send.messageId !== undefined && send.messageId !== report.id) return undefined;
  if (send.channel !== 'sms' || RANK[report.state] <= RANK[send.state]) return undefined;
  return {
    ...withoutMessage(send),
    state: report.state,
    messageId: report.id,
    ...(report.providerCode !== undefined && { providerCode: report.providerCode }),
  };
};

/** Looked for and not found: given up in time, and never sent again, as no list proves that a message was not taken. */
export const afterLookUp = (send: Send, now: number): Send =>
  now < (send.sendingAt ?? send.at) + LOOK_UP_FOR ? send : withoutMessage(send);

/** The queue: one small record for each message that is not settled. */
export interface Queued {
  readonly challenge: string;
  /** Its place among the messages of the challenge, from 0. */
  readonly n: number;
  /** ms since the epoch */
  readonly at: number;
}

export const QUEUE = 'two-factor/queue/';

export const queueKey = ({ challenge, n }: Pick<Queued, 'challenge' | 'n'>): string =>
  `${QUEUE}${challenge}.${n}`;
