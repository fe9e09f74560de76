/**
 * The delivery of a code: one message for an idempotency key, however often the request comes.
 * Pure; who calls does the writing.
 */

/** How long a key is remembered, so that a late redelivery sends no second message. ms */
export const REMEMBER = 86_400_000;

/** How long a delivery may take before a redelivery takes it over; longer than `SEND_TIMEOUT`. ms */
export const LEASE = 15_000;

/** How long a sender may take. ms */
export const SEND_TIMEOUT = 10_000;

/** `reserved` before the message is sent, `sent` after: a crash between the two shows as a lease that ended. */
export type Delivery = { readonly fingerprint: string } & (
  | { readonly state: 'reserved'; readonly leaseUntil: number }
  | { readonly state: 'sent'; readonly expiresAt: number }
);

export type Decision =
  | { readonly action: 'send'; readonly delivery: Delivery; readonly leaseUntil: number }
  | { readonly action: 'answer'; readonly expiresAt: number }
  | { readonly action: 'wait'; readonly ms: number }
  | { readonly action: 'refuse' };

export interface DecisionFacts {
  readonly existing: Delivery | undefined;
  /** Whether the existing one was asked for with the same input. */
  readonly isSame: boolean;
  /** Of this request. */
  readonly fingerprint: string;
  /** ms since the epoch */
  readonly now: number;
}

export const decideDelivery = ({ existing, isSame, fingerprint, now }: DecisionFacts): Decision => {
  if (existing && !isSame) return { action: 'refuse' };
  if (existing?.state === 'sent') return { action: 'answer', expiresAt: existing.expiresAt };
  if (existing && now < existing.leaseUntil)
    return { action: 'wait', ms: Math.min(LEASE, existing.leaseUntil - now) };
  const leaseUntil = now + LEASE;
  return { action: 'send', delivery: { fingerprint, state: 'reserved', leaseUntil }, leaseUntil };
};

export const deliveryKey = (challenge: string): string => `two-factor/delivery/${challenge}`;
