/**
 * Signatures of Standard Webhooks 1.0, scheme v1: HMAC-SHA256 over `id.timestamp.body`, to the byte.
 *
 * Fails closed: what is not exactly of this form verifies with no key.
 */
import { fromBase64, toBase64 } from '../bytes';
import { equalBytes, hmacSha256 } from '../hmac';

/** The bytes of one secret: 24 to 64 of them. */
export type WebhookKey = Uint8Array;

export interface SignWebhookOptions {
  /** The same for every attempt: 1 to 255 visible ASCII characters without a dot. */
  readonly id: string;
  /** Of this attempt, seconds since the epoch. */
  readonly timestamp: number;
  /** The bytes that go on the wire. */
  readonly body: Uint8Array;
  /** Each gives a signature, so that a receiver that knows any of them can verify while secrets rotate. */
  readonly keys: readonly WebhookKey[];
}

export interface VerifyWebhookOptions {
  /** The field `webhook-id`. */
  readonly id: string;
  /** The field `webhook-timestamp`, as it came. */
  readonly timestamp: string;
  /** The field `webhook-signature`: signatures with a space between them, of which one must fit. */
  readonly signature: string;
  readonly body: Uint8Array;
  readonly keys: readonly WebhookKey[];
  /** ms since the epoch */
  readonly now: number;
  /** How far the timestamp may be off, to either side. @default 300 */
  readonly toleranceSeconds?: number;
}

/** A dot in an id would let `a.1` + `2` pass for `a` + `1.2`. */
const ID = /^[\x21-\x2d\x2f-\x7e]{1,255}$/;
const TIMESTAMP = /^(?:0|[1-9]\d{0,11})$/;
/** Bounds the work that one request can ask for. */
const MAX_SIGNATURES = 16;

/** The value of `webhook-signature`. Throws a TypeError for an id, timestamp or keys that no receiver could take. */
export const signWebhook = ({ id, timestamp, body, keys }: SignWebhookOptions): string => {
  if (!ID.test(id)) throw new TypeError('a webhook id is visible ASCII without a dot');
  if (!TIMESTAMP.test(String(timestamp)))
    throw new TypeError('a webhook timestamp is in whole seconds');
  if (keys.length === 0) throw new TypeError('a webhook needs a key to sign with');
  return keys.map((key) => signature(key, id, String(timestamp), body)).join(' ');
};

/** Whether one of the signatures is of one of the keys, and of now. Takes the same time whichever fits. */
export const verifyWebhookSignature = (options: VerifyWebhookOptions): boolean => {
  const { id, timestamp, body, keys, now, toleranceSeconds = 300 } = options;
  if (!ID.test(id) || !TIMESTAMP.test(timestamp)) return false;
  if (Math.abs(now / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const given = options.signature.split(' ', MAX_SIGNATURES).map(toBytes);
  let verified = false;
  for (const key of keys) {
    const expected = toBytes(signature(key, id, timestamp, body));
    for (const candidate of given) verified = equalBytes(expected, candidate) || verified;
  }
  return verified;
};

const signature = (key: WebhookKey, id: string, timestamp: string, body: Uint8Array): string =>
  `v1,${toBase64(hmacSha256(key, `${id}.${timestamp}.`, body))}`;

const encoder = new TextEncoder();
const toBytes = (text: string): Uint8Array => encoder.encode(text);

/**
 * The keys of a comma-separated list of secrets, each `whsec_` and the base64 of 24 to 64 bytes.
 * Throws a TypeError that holds nothing of them.
 */
export const parseWebhookSecrets = (text: string): readonly WebhookKey[] =>
  text.split(',').map((secret) => {
    const [, base64 = ''] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(secret.trim()) ?? [];
    const key = fromBase64(base64);
    // Written back it must be the same text: a decoder that skips what it does not know hides a bad copy.
    if (toBase64(key).replace(/=+$/, '') !== base64.replace(/=+$/, '') || base64 === '')
      throw new TypeError('a webhook secret is whsec_ and base64');
    if (key.length < 24 || key.length > 64)
      throw new TypeError('a webhook secret holds 24 to 64 bytes');
    return key;
  });
