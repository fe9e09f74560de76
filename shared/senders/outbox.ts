/**
 * The outbox: in development, messages are kept in the store instead of being sent, so that everything runs
 * without an account anywhere. It holds whole messages, codes included, and is never served in production.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../clock';
import { ABSENT, type Entry, type Store } from '../store/store';
import type { Mail, Receipt, Sender, SendOptions, Sms } from './sender';

export interface OutboxMessage {
  readonly channel: 'mail' | 'sms';
  readonly to: string;
  /** Empty for a text message. */
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** Where a mail says that one leaves its list. */
  readonly listUnsubscribe?: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly idempotencyKey: string;
}

/** How many messages are kept. */
export const OUTBOX_SIZE = 200;
/** How long each is kept, in ms. */
export const OUTBOX_TTL = 86_400_000;

const PREFIX = 'outbox/';

/** The same idempotency key on the same channel is one message. Reject with `store_unavailable` as the store does. */
export const outboxSenders = (
  store: Store,
  clock: Clock,
): { readonly mail: Sender<Mail>; readonly sms: Sender<Sms> } => {
  const keep = async (message: Omit<OutboxMessage, 'at'>): Promise<Receipt> => {
    const { channel, idempotencyKey } = message;
    const name = createHash('sha256').update(`${channel} ${idempotencyKey}`).digest('hex');
    const value: OutboxMessage = { ...message, at: new Date(clock.now()).toISOString() };
    const kept = await store.compareAndSwap(PREFIX + name, ABSENT, value, { ttl: OUTBOX_TTL });
    if (kept) await trim(store);
    return {};
  };
  return {
    mail: ({ to, subject, text, html, listUnsubscribe }, { idempotencyKey }: SendOptions) =>
      keep({
        channel: 'mail',
        to,
        subject,
        text,
        ...(html !== undefined && { html }),
        ...(listUnsubscribe !== undefined && { listUnsubscribe }),
        idempotencyKey,
      }),
    sms: ({ to, text }, { idempotencyKey }) =>
      keep({ channel: 'sms', to, subject: '', text, idempotencyKey }),
  };
};

/** Newest last. */
export const listOutbox = async (store: Store): Promise<readonly OutboxMessage[]> =>
  (await readAll(store)).slice(-OUTBOX_SIZE).map(({ value }) => value);

/** In the order of writing: versions grow with every write to the store. */
const readAll = async (store: Store): Promise<readonly Entry<OutboxMessage>[]> => {
  const { entries } = await store.list<OutboxMessage>(PREFIX, { limit: 1000 });
  return [...entries].sort((a, b) => a.version - b.version);
};

const trim = async (store: Store): Promise<void> => {
  const surplus = (await readAll(store)).slice(0, -OUTBOX_SIZE);
  for (const { key, version } of surplus) await store.delete(key, version);
};
