/**
 * A signed POST to a service of the operator's own: few tries within a few seconds, and no answer but 2xx counts.
 *
 * Its address comes from the environment, so it may be inside of the network; it is the only one that passes. Redirects
 * are not followed: they would name another. Fails closed: what nobody took is told, without a word of what it held.
 */
import type { Clock } from '../../shared/clock';
import type { Retry } from '../../shared/pipeline/pipeline';
import type { Random } from '../../shared/random';
import { NO_ANSWER, nextAttemptAt, verdict } from '../../shared/retry';
import { parseAllow } from '../../shared/webhook/allow';
import { type Delivery, type DeliveryError, deliver } from '../../shared/webhook/deliver';
import { createGuard, type Guard } from '../../shared/webhook/guard';
import { isWebhookUrl } from '../../shared/webhook/request';
import { signWebhook, type WebhookKey } from '../../shared/webhook/sign';

export interface SignedPost {
  readonly url: string;
  readonly guard: Guard;
  /** The same for every try: by it the receiver knows a repeat. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Each signs; without one the post goes out unsigned. */
  readonly keys: readonly WebhookKey[];
  readonly retry: Retry;
  /** Of one try, ms. */
  readonly timeout: number;
  /** No try begins after it, and none lasts longer, ms since the first began. */
  readonly total: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
}

/** What became of a post; safe to log. */
export type PostOutcome =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly error?: DeliveryError; readonly status?: number };

/** Rejects with `aborted` when the signal aborts between two tries; otherwise never. */
export const postSigned = async (post: SignedPost): Promise<PostOutcome> => {
  const { retry, timeout, total, signal, clock, random } = post;
  const deadline = clock.now() + total;
  for (let attempt = 1; ; attempt += 1) {
    const left = Math.min(timeout, deadline - clock.now());
    const delivery = await tryOnce(post, left);
    const outcome = 'error' in delivery ? delivery : { status: delivery.status };
    const judged = judge(delivery);
    if (judged === 'delivered') return { delivered: true };
    const now = clock.now();
    const retryAfter = 'error' in delivery ? undefined : delivery.headers['retry-after'];
    const random01 = random.below(1_000) / 1_000;
    const at =
      judged === 'again'
        ? nextAttemptAt({ attempt, retry, now, random01, retryAfter, deadline })
        : undefined;
    if (at === undefined) return { delivered: false, ...outcome };
    await clock.sleep(at - now, signal);
  }
};

const tryOnce = (
  { url, guard, id, headers, body, keys, signal, clock }: SignedPost,
  timeout: number,
): Promise<Delivery> => {
  const timestamp = Math.floor(clock.now() / 1_000);
  const signed = keys.length > 0 && {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signWebhook({ id, timestamp, body, keys }),
  };
  return deliver({ url, guard, body, timeout, signal, headers: { ...headers, ...signed } });
};

/** Of these no repeat can succeed. */
const FOR_GOOD: ReadonlySet<DeliveryError> = new Set([
  'aborted',
  'too_large',
  'invalid_request',
  'forbidden_target',
]);

const judge = (delivery: Delivery): ReturnType<typeof verdict> => {
  if (!('error' in delivery)) return verdict(delivery.status);
  return FOR_GOOD.has(delivery.error) ? 'failed' : verdict(NO_ANSWER);
};

/**
 * Lets through the host and port of this URL and nothing else.
 * Throws a TypeError for a URL that is not http or https, or holds credentials, which would go into logs on the way.
 */
export const ownTarget = (name: string, url: string): Guard => {
  if (!isWebhookUrl(url))
    throw new TypeError(`${name} must be an http or https URL without credentials`);
  const { hostname, port, protocol } = new URL(url);
  const where = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  return createGuard({ allow: parseAllow(where), ports: [] });
};
