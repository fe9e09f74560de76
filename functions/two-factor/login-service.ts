/**
 * Tells the operator's login service of each code, so that it can verify by itself, without us.
 *
 * What it gets is no code but a salted hash under a key that only the two know: HMAC-SHA256 over the netstrings
 * (`<bytes>:<text>,`) of salt, challenge, user, purpose and code, so no two lists of parts give the same bytes. The key
 * is derived from LOGIN_SERVICE_SECRET, which itself signs the request (Standard Webhooks 1.0): a signature is never
 * the hash of a code. Six digits are guessed in a second by whoever has the key, so the service keeps it as it keeps
 * passwords, and counts attempts.
 *
 * A repeat is the same to the byte, under the same `webhook-id`. Of two registrations for one challenge the one that
 * expires later counts: a code sent again voids the one before it.
 *
 * Fails closed: where the service has not said 2xx, the code is not sent.
 */
import { createHmac } from 'node:crypto';
import type { ConfigOf, Settings } from '../../shared/config';
import { Failure } from '../../shared/failure';
import { MIN_SECRET, mac } from '../../shared/keys';
import type { Platform } from '../../shared/platform';
import { parseWebhookSecrets } from '../../shared/webhook/sign';
import { ownTarget, postSigned } from './signed-post';

export const LOGIN_SETTINGS = {
  LOGIN_SERVICE_URL: {
    type: 'string',
    format: 'uri',
    shared: true,
    example: 'https://login.example.com/codes',
    description:
      'Learns of each code, as a hash, before it is sent, to verify it by itself: https, or http on this machine. Default: codes are verified here only.',
  },
  LOGIN_SERVICE_SECRET: {
    type: 'string',
    secret: true,
    shared: true,
    description:
      'Known to the login service and nobody else: whsec_ and base64, or at least 32 characters. Of several, comma-separated, the first is used here; the service takes any, so that both sides can have the same list.',
  },
} as const satisfies Settings;

export interface Registration {
  readonly challenge: string;
  /** Which of the challenge's messages, from 0. */
  readonly n: number;
  /** As the caller named them. */
  readonly user: string;
  readonly purpose: string;
  readonly code: string;
  /** ms since the epoch */
  readonly expiresAt: number;
}

export interface LoginService {
  /**
   * Resolves once the service has taken it. Rejects with `registration_failed`, which holds a status or a word, and
   * with `aborted` when the signal does.
   */
  register(registration: Registration, signal: AbortSignal): Promise<void>;
}

/** Three tries, the first repeat after a fifth of a second. */
const RETRY = { attempts: 3, backoff: 200, maxBackoff: 1_000, jitter: 0.5 } as const;
/** Of one try, ms. */
const TIMEOUT = 2_000;
/** Of all, ms: somebody waits for the code. */
const TOTAL = 5_000;

/** `undefined` without LOGIN_SERVICE_URL. Throws a TypeError for an address or a secret that cannot be used. */
export const createLoginService = (
  { clock, random }: Pick<Platform, 'clock' | 'random'>,
  { LOGIN_SERVICE_URL: url, LOGIN_SERVICE_SECRET: secrets }: ConfigOf<typeof LOGIN_SETTINGS>,
): LoginService | undefined => {
  if ((url === undefined) !== (secrets === undefined))
    throw new TypeError('LOGIN_SERVICE_URL and LOGIN_SERVICE_SECRET need each other');
  if (url === undefined || secrets === undefined) return undefined;
  const guard = ownTarget('LOGIN_SERVICE_URL', url);
  if (!isConfidential(url))
    throw new TypeError('LOGIN_SERVICE_URL must be https, or http on this machine');
  const [secret] = parseSecrets(secrets) as [Uint8Array];
  const keys = {
    code: deriveKey(secret, 'two-factor code'),
    salt: deriveKey(secret, 'two-factor salt'),
    id: deriveKey(secret, 'two-factor registration'),
  };

  return {
    register: async ({ challenge, n, user, purpose, code, expiresAt }, signal) => {
      // Drawn from the key, so that a repeat by another process has the same; nobody without it foresees them.
      const salt = mac(keys.salt, challenge, String(n)).subarray(0, 16).toString('base64url');
      const id = mac(keys.id, challenge, String(n)).toString('base64url');
      const body = JSON.stringify({
        challenge,
        user,
        purpose,
        salt,
        hash: mac(keys.code, salt, challenge, user, purpose, code).toString('hex'),
        algorithm: 'hmac-sha256',
        expiresAt: new Date(expiresAt).toISOString(),
      });
      const outcome = await postSigned({
        url,
        guard,
        id,
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body: Buffer.from(body),
        keys: [secret],
        retry: RETRY,
        timeout: TIMEOUT,
        total: TOTAL,
        signal,
        clock,
        random,
      });
      if (outcome.delivered) return;
      if (outcome.error === 'aborted') throw new Failure('aborted');
      const { delivered, ...cause } = outcome;
      throw new Failure('registration_failed', { cause });
    },
  };
};

/** Bodies name users and their challenges: they cross no network in the clear. */
const isConfidential = (url: string): boolean => {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
};

const parseSecrets = (text: string): readonly Uint8Array[] =>
  text.split(',').map((part) => {
    const secret = part.trim();
    if (secret.startsWith('whsec_')) return parseWebhookSecrets(secret)[0] as Uint8Array;
    if (secret.length < MIN_SECRET)
      throw new TypeError(
        `LOGIN_SERVICE_SECRET must be whsec_ and base64, or at least ${MIN_SECRET} characters`,
      );
    return Buffer.from(secret);
  });

/** One secret, several uses: none of what is made for one can stand for another. */
const deriveKey = (secret: Uint8Array, label: string) => ({
  id: '',
  bytes: createHmac('sha256', secret).update(label).digest(),
});
