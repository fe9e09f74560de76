/**
 * What Twilio says of text messages: in the callbacks that it sends, and when it is asked. Fails closed: a callback that
 * is not provably Twilio's is none, and one whose parameters are not exactly those published is refused.
 *
 * A callback can come again at any time, and before one that was sent earlier: its receiver must bear that.
 */
import { Failure } from '../failure';
import type { SmsReport, SmsReports } from './sender';
import { E164, MESSAGE_SID, originOf } from './twilio';
import { readParameters, reportOf } from './twilio-callback';
import { type TwilioAccount, twilioCalls } from './twilio-client';
import { isSigned, parseForm } from './twilio-signature';

export interface TwilioReportsOptions extends Omit<TwilioAccount, 'authToken'> {
  /** The first asks the API; all of them sign callbacks, for the time in which one takes the place of another. */
  readonly authTokens: readonly string[];
  /** As the sender's. */
  readonly from: string;
}

/** The longest callback that is looked at, in characters; Twilio's have some hundreds. */
const MAX_BODY = 16_384;

/** How many messages to one number are looked through, newest first, and by how many at a time. */
const MAX_MESSAGES = 300;
const PAGE = 100;
const MAX_ANSWER = 1_048_576;

/** How far Twilio's clock may be behind ours, in ms. Its dates hold seconds. */
const SKEW = 60_000;

/** Throws a TypeError, without any value, for options that cannot work. */
export const twilioReports = ({
  authTokens,
  from,
  ...account
}: TwilioReportsOptions): SmsReports => {
  const [authToken = ''] = authTokens;
  const call = twilioCalls({ ...account, authToken });
  if (authTokens.some((token) => token.trim() === ''))
    throw new TypeError('TWILIO_AUTH_TOKEN must not be empty');
  const origin = originOf(from);

  return {
    read: ({ url, signature, body }) => {
      const parameters = body.length > MAX_BODY ? undefined : parseForm(body);
      if (!parameters || !isSigned(authTokens, { url, parameters, signature })) return undefined;
      const report = readParameters(parameters, account.accountSid);
      if (report) return report;
      throw new Failure('invalid_input', { detail: 'The parameters are not those of a status.' });
    },

    find: async ({ to, text, since }, signal) => {
      if (!E164.test(to)) return undefined;
      const earliest = since - SKEW;
      const messages = await call(
        (client) =>
          client.messages.list({
            to,
            dateSentAfter: new Date(earliest),
            pageSize: PAGE,
            limit: MAX_MESSAGES,
          }),
        { signal, maxBytes: MAX_ANSWER, sends: false },
      );
      return messages
        .filter(
          (one) =>
            one.body === text &&
            one.to === to &&
            isFrom(one, origin) &&
            MESSAGE_SID.test(String(one.sid)) &&
            timeOf(one) >= earliest,
        )
        .map(({ sid, status, errorCode }) => reportOf(sid, status, errorCode))
        .find((report): report is SmsReport => report !== undefined);
    },
  };
};

interface Found {
  readonly from: unknown;
  readonly messagingServiceSid: unknown;
  readonly dateCreated: unknown;
}

/** A Messaging Service chooses the number, so only its own name tells. */
const isFrom = (message: Found, origin: ReturnType<typeof originOf>): boolean =>
  'from' in origin
    ? message.from === origin.from
    : message.messagingServiceSid === origin.messagingServiceSid;

/** ms since the epoch; NaN, which is after nothing, when there is none. */
const timeOf = ({ dateCreated }: Found): number =>
  dateCreated instanceof Date ? dateCreated.getTime() : Number.NaN;
