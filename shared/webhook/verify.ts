/**
 * For receivers of our webhooks, or of anybody's that follow Standard Webhooks 1.0: the request in, what was signed out.
 *
 * Fails closed: what is not signed with one of the secrets, of now, and whole, is refused, and every reason looks the
 * same. Nothing is inflated or parsed before the signature holds.
 *
 * A signature does not stop a repeat within its tolerance, and senders repeat what they got no answer for: keep `id`,
 * the idempotency key of the delivery, together with its effect, and answer an id that is known with 2xx again.
 */
import { type Clock, systemClock } from '../clock';
import { Failure } from '../failure';
import { MAX_BODY, readRaw } from '../http/body';
import { decodeUtf8 } from '../http/json';
import { parseJson } from '../json';
import { parseWebhookSecrets, verifyWebhookSignature } from './sign';

export interface VerifyWebhookRequestOptions {
  /** Each `whsec_` and base64; as a text separated by commas. Any of them will do, so that secrets can rotate. */
  readonly secrets: string | readonly string[];
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>;
  /** How far the timestamp may be off, to either side. @default 300 */
  readonly toleranceSeconds?: number;
}

/** A delivery whose signature holds. */
export interface VerifiedWebhook {
  /** The same for every attempt: the idempotency key. */
  readonly id: string;
  /** Of this attempt, seconds since the epoch. */
  readonly timestamp: number;
  /** As it came on the wire: the bytes that were signed. */
  readonly body: Uint8Array;
  /** The body as strict JSON, whatever its media type. Throws `invalid_json`. */
  json(): unknown;
}

/**
 * Reads the body, so the request must not have been read before; at most 1 MiB.
 *
 * Rejects with `unauthorized` (401), `body_too_large` (413), `aborted` when the body broke off, and a TypeError for
 * options that cannot work or a body that was read already.
 *
 * @example
 * const { id, json } = await verifyWebhook(request, { secrets: WEBHOOK_SECRET });
 */
export const verifyWebhook = async (
  request: Request,
  { secrets, clock = systemClock, toleranceSeconds = 300 }: VerifyWebhookRequestOptions,
): Promise<VerifiedWebhook> => {
  const keys = [secrets].flat().flatMap(parseWebhookSecrets);
  if (keys.length === 0) throw new TypeError('a webhook needs a secret to verify with');
  // Compared with NaN or infinity no timestamp would be too old.
  if (!Number.isFinite(toleranceSeconds) || toleranceSeconds < 0)
    throw new TypeError('toleranceSeconds must be a number of seconds, at least 0');
  if (request.bodyUsed) throw new TypeError('the body was read already');
  const [id, timestamp, signature] = FIELDS.map((name) => request.headers.get(name) ?? '') as [
    string,
    string,
    string,
  ];
  const body = await readWhole(request);
  if (
    !verifyWebhookSignature({
      id,
      timestamp,
      signature,
      body,
      keys,
      now: clock.now(),
      toleranceSeconds,
    })
  )
    throw new Failure('unauthorized', { detail: 'The signature of this webhook does not hold.' });
  return { id, timestamp: Number(timestamp), body, json: () => parseJson(decodeUtf8(body)) };
};

const FIELDS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

const readWhole = async (request: Request): Promise<Uint8Array> => {
  try {
    return await readRaw(request, MAX_BODY);
  } catch (thrown) {
    throw thrown instanceof Failure ? thrown : new Failure('aborted', { cause: thrown });
  }
};
