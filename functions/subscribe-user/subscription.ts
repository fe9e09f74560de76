/** A subscription, and what becomes of it. Pure: facts in, decision out. */
import { createHash } from 'node:crypto';

/** The record of one address on one list. Instants in ms since the epoch. */
export interface Subscription {
  /** Forgotten with the subscription: from then on the hash in the key is enough. */
  readonly address?: string;
  readonly list: string;
  readonly state: 'pending' | 'confirmed' | 'unsubscribed';
  /** Each time it becomes pending it gets another: a confirmation link is good for its own only. */
  readonly generation: string;
  /** The link in the mail is good for a fixed time from here. */
  readonly requestedAt: number;
  /** Hash of the key of the request that is sending the mail; absent when it had none. */
  readonly requestedBy?: string;
  /** Until then the mail may be under way, and nobody else sends it. */
  readonly attemptUntil: number;
  /** When the mail server took it. */
  readonly mailedAt?: number;
  readonly confirmedAt?: number;
  readonly unsubscribedAt?: number;
}

/** Longer than one mail may take, in ms: a process that died in the middle holds others up for so long. */
export const ATTEMPT_TIMEOUT = 60_000;

/** Lost races before giving up: each was won by somebody who is at the same work. */
export const MAX_ROUNDS = 5;

/** The address is told by its hash, so that keys and links carry none. `addressKey` is already in lower case. */
export const hashAddress = (addressKey: string): string =>
  createHash('sha256').update(addressKey).digest('hex');

export const subscriptionKey = (list: string, addressHash: string): string =>
  `subscribe-user/${list}/${addressHash}`;

/**
 * `mail`: send the confirmation mail. `nothing`: it was sent, or another request is at it. `wait`: this very request
 * is at it already, and only its end can be acknowledged.
 */
export type Decision = 'mail' | 'nothing' | 'wait';

export const decideRequest = (
  known: Subscription | undefined,
  { requestedBy, now }: { readonly requestedBy: string | undefined; readonly now: number },
): Decision => {
  if (!known) return 'mail';
  const repeated = requestedBy !== undefined && requestedBy === known.requestedBy;
  // Delivered once more, it is still the wish that has been taken back.
  if (known.state === 'unsubscribed') return repeated ? 'nothing' : 'mail';
  if (known.state === 'confirmed' || known.mailedAt !== undefined) return 'nothing';
  if (known.attemptUntil <= now) return 'mail';
  return repeated ? 'wait' : 'nothing';
};

/** The record after its confirmation link was followed, the same one if it was before; `undefined`: the link is void. */
export const decideConfirmation = (
  known: Subscription | undefined,
  { generation, now }: { readonly generation: string; readonly now: number },
): Subscription | undefined => {
  if (known?.generation !== generation || known.state === 'unsubscribed') return undefined;
  return known.state === 'confirmed' ? known : { ...known, state: 'confirmed', confirmedAt: now };
};

/** The record after its owner has left, the same one if they had before; `undefined`: there is nothing to leave. */
export const decideUnsubscription = (
  known: Subscription | undefined,
  now: number,
): Subscription | undefined => {
  if (!known || known.state === 'unsubscribed') return known;
  const { address: _, ...rest } = known;
  return { ...rest, state: 'unsubscribed', unsubscribedAt: now };
};
