/**
 * Calls of Twilio's REST API: each with a bound of its own in time and bytes, and with errors of ours. The SDK's hold
 * the request, credentials and text and all, and so does its client. The SDK reads HTTP_PROXY of the environment.
 */
import type { Twilio } from 'twilio';
import type { ClientOpts } from 'twilio/lib/base/BaseTwilio';
import { sendFailure } from './send-failure';
import { apiAddress } from './twilio-address';
import { mayHaveLeft } from './twilio-course';

export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
  /** Where the API is, for a proxy or a test. @default https://api.twilio.com */
  readonly baseUrl?: string | undefined;
  /** For one call, in ms. @default 10000 */
  readonly timeout?: number;
}

/** Rejects with `send_failed` or `send_refused`. */
export type TwilioCall = <T>(act: (client: Twilio) => Promise<T>, how: CallOptions) => Promise<T>;

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Of the answer. */
  readonly maxBytes: number;
  /** Whether it sends a message; a failed question says nothing of one that left before. */
  readonly sends: boolean;
}

/** Throws a TypeError, without any value, for an account that cannot be one. */
export const twilioCalls = ({
  accountSid,
  authToken,
  baseUrl,
  timeout = 10_000,
}: TwilioAccount): TwilioCall => {
  if (!/^AC[\da-f]{32}$/i.test(accountSid))
    throw new TypeError('TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits');
  if (authToken.trim() === '') throw new TypeError('TWILIO_AUTH_TOKEN must not be empty');
  if (baseUrl !== undefined && !(URL.canParse(baseUrl) && /^https?:/.test(baseUrl)))
    throw new TypeError('TWILIO_BASE_URL must be an http or https URL');
  if (!(timeout > 0)) throw new TypeError('timeout must be above 0');
  let shared: RequestClient | undefined;

  return async (act, { signal, maxBytes, sends }) => {
    if (signal.aborted)
      throw sendFailure('send_failed', { sender: 'twilio', reason: 'aborted', unsent: sends });
    const { default: twilio } = await import('twilio');
    // Its own timer comes second, so that the deadline gives the reason.
    shared ??= new twilio.RequestClient({ timeout: 2 * timeout });
    const deadline = AbortSignal.timeout(timeout);
    const client = twilio(accountSid, authToken, {
      accountSid,
      httpClient: bounded(shared, {
        baseUrl,
        maxBytes,
        signal: AbortSignal.any([signal, deadline]),
      }),
    });
    if (baseUrl !== undefined) client.api.baseUrl = baseUrl;
    try {
      return await act(client);
    } catch (error) {
      throw failureOf(error, { sends, aborted: signal.aborted, late: deadline.aborted });
    }
  };
};

type RequestClient = NonNullable<ClientOpts['httpClient']>;

interface Bounds {
  readonly baseUrl: string | undefined;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
}

/**
 * The SDK's client for one call: ends with the signal, which its own timeout does not do for a body that drips, reads
 * no more than its bound, goes nowhere else with our credentials, whatever link an answer holds, and keeps the
 * request on an object that is thrown away.
 */
const bounded = (client: RequestClient, { baseUrl, signal, maxBytes }: Bounds): RequestClient =>
  Object.create(client, {
    axios: {
      value: async (config: object & { readonly url?: string }) => {
        const url = apiAddress(config.url ?? '', baseUrl);
        return client.axios({ ...config, url, signal, maxContentLength: maxBytes });
      },
    },
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

interface Course {
  readonly sends: boolean;
  readonly aborted: boolean;
  readonly late: boolean;
}

const failureOf = (error: unknown, { sends, aborted, late }: Course) => {
  const { status, code } = (error ?? {}) as { readonly status?: unknown; readonly code?: unknown };
  const isAnswer =
    typeof status === 'number' && Number.isInteger(status) && typeof code !== 'string';
  const isRefused =
    isAnswer && status >= 400 && status < 500 && status !== 429 && REFUSED.has(code as number);
  return sendFailure(isRefused ? 'send_refused' : 'send_failed', {
    sender: 'twilio',
    reason: aborted ? 'aborted' : late ? 'timeout' : isAnswer ? 'refused' : 'unreachable',
    unsent: sends && !mayHaveLeft(error, isAnswer ? status : undefined),
    ...(isAnswer && { status }),
    ...(isAnswer && Number.isInteger(code) && { providerCode: code as number }),
  });
};
