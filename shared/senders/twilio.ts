/**
 * Text messages over Twilio. Fails closed: an answer that does not name the message it took counts as a failure.
 *
 * Twilio's Messages resource knows no idempotency key: after `timeout` or `aborted` the message may have been taken.
 * Whoever must not send twice records the key before the call. The SDK reads HTTP_PROXY of the environment.
 */
import type { ClientOpts } from 'twilio/lib/base/BaseTwilio';
import { sendFailure } from './send-failure';
import type { Sender, Sms } from './sender';

export interface TwilioSenderOptions {
  readonly accountSid: string;
  readonly authToken: string;
  /** A number in E.164, or the SID of a Messaging Service (`MG…`). */
  readonly from: string;
  /** Where the API is, for a proxy or a test. @default https://api.twilio.com */
  readonly baseUrl?: string | undefined;
  /** For one message, in ms. @default 10000 */
  readonly timeout?: number;
}

type RequestClient = NonNullable<ClientOpts['httpClient']>;

/** Throws a TypeError, without any value, for options that cannot work. */
export const twilioSender = ({
  accountSid,
  authToken,
  from,
  baseUrl,
  timeout = 10_000,
}: TwilioSenderOptions): Sender<Sms> => {
  if (!/^AC[\da-f]{32}$/i.test(accountSid))
    throw new TypeError('TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits');
  if (authToken.trim() === '') throw new TypeError('TWILIO_AUTH_TOKEN must not be empty');
  const isService = /^MG[\da-f]{32}$/i.test(from);
  if (!isService && !E164.test(from))
    throw new TypeError('TWILIO_FROM must be a number in E.164 or the SID of a Messaging Service');
  if (baseUrl !== undefined && !(URL.canParse(baseUrl) && /^https?:/.test(baseUrl)))
    throw new TypeError('TWILIO_BASE_URL must be an http or https URL');
  if (!(timeout > 0)) throw new TypeError('timeout must be above 0');
  const origin = isService ? { messagingServiceSid: from } : { from };
  let shared: RequestClient | undefined;

  return async ({ to, text }, { signal }) => {
    if (!E164.test(to)) throw sendFailure('send_refused', { sender: 'twilio', reason: 'not_e164' });
    const { default: twilio } = await import('twilio');
    // Its own timer comes second, so that the deadline gives the reason.
    shared ??= new twilio.RequestClient({ timeout: 2 * timeout });
    const deadline = AbortSignal.timeout(timeout);
    const client = twilio(accountSid, authToken, {
      accountSid,
      httpClient: bounded(shared, AbortSignal.any([signal, deadline])),
    });
    if (baseUrl !== undefined) client.api.baseUrl = baseUrl;
    let sid: unknown;
    try {
      ({ sid } = await client.messages.create({ to, body: text, ...origin }));
    } catch (error) {
      throw failureOf(error, { aborted: signal.aborted, late: deadline.aborted });
    }
    if (!/^[SM]M[\da-f]{32}$/i.test(String(sid)))
      throw sendFailure('send_failed', { sender: 'twilio', reason: 'invalid_answer' });
  };
};

const E164 = /^\+[1-9]\d{6,14}$/;

/**
 * The SDK's client for one request: ends with the signal, which its own timeout does not do for a body that
 * drips, reads at most 64 KiB, and keeps the request, credentials and all, on an object that is thrown away.
 */
const bounded = (client: RequestClient, signal: AbortSignal): RequestClient =>
  Object.create(client, {
    axios: {
      value: (config: object) => client.axios({ ...config, signal, maxContentLength: 65_536 }),
    },
    lastRequest: { value: undefined, writable: true },
    lastResponse: { value: undefined, writable: true },
  });

/**
 * Twilio's error numbers that blame this message and this recipient; the same message will be refused again.
 * All others (credentials, sender, account, rate) are for us to mend, and then it may go through.
 */
const REFUSED = new Set([
  21211, // To is not a valid number
  21214, // To cannot be reached
  21217, // To does not appear to be valid
  21219, // To is not verified (trial account)
  21408, // the account does not send to this region
  21421, // number is invalid
  21602, // no text
  21604, // no To
  21605, // text too long
  21608, // To is not verified (trial account)
  21610, // the recipient said STOP
  21612, // no route from From to To
  21614, // To is not a mobile number
  21617, // text too long when concatenated
]);

const failureOf = (
  error: unknown,
  { aborted, late }: { readonly aborted: boolean; readonly late: boolean },
) => {
  const { status, code } = (error ?? {}) as { readonly status?: unknown; readonly code?: unknown };
  const isAnswer =
    typeof status === 'number' && Number.isInteger(status) && typeof code !== 'string';
  const isRefused =
    isAnswer && status >= 400 && status < 500 && status !== 429 && REFUSED.has(code as number);
  return sendFailure(isRefused ? 'send_refused' : 'send_failed', {
    sender: 'twilio',
    reason: aborted ? 'aborted' : late ? 'timeout' : isAnswer ? 'refused' : 'unreachable',
    ...(isAnswer && { status }),
    ...(isAnswer && Number.isInteger(code) && { providerCode: code as number }),
  });
};
