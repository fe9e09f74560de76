/**
 * Text messages over Twilio. Fails closed: an answer that does not name the message it took counts as a failure.
 *
 * Twilio's Messages resource knows no idempotency key: after a failure that `isUnsent` does not vouch for the message may
 * have been taken. Whoever must not send twice records the key before the call, and asks `twilioReports` afterwards.
 */
import { sendFailure } from './send-failure';
import type { Sender, Sms } from './sender';
import { type TwilioAccount, twilioCalls } from './twilio-client';

export interface TwilioSenderOptions extends TwilioAccount {
  /** A number in E.164, or the SID of a Messaging Service (`MG…`). */
  readonly from: string;
}

/** More than any Message resource has. */
const MAX_ANSWER = 65_536;

/** Throws a TypeError, without any value, for options that cannot work. */
export const twilioSender = ({ from, ...account }: TwilioSenderOptions): Sender<Sms> => {
  const call = twilioCalls(account);
  const origin = originOf(from);

  return async ({ to, text, statusCallback }, { signal }) => {
    // An array of one would pass for its only item.
    if (typeof to !== 'string' || !E164.test(to))
      throw sendFailure('send_refused', { sender: 'twilio', reason: 'not_e164', unsent: true });
    const { sid } = await call(
      (client) =>
        client.messages.create({
          to,
          body: text,
          ...origin,
          ...(statusCallback !== undefined && { statusCallback }),
        }),
      { signal, maxBytes: MAX_ANSWER, sends: true },
    );
    if (!MESSAGE_SID.test(String(sid)))
      throw sendFailure('send_failed', {
        sender: 'twilio',
        reason: 'invalid_answer',
        unsent: false,
      });
    return { id: sid };
  };
};

/** Who a message comes from, as the API names it. */
export const originOf = (
  from: string,
): { readonly messagingServiceSid: string } | { readonly from: string } => {
  if (/^MG[\da-f]{32}$/i.test(from)) return { messagingServiceSid: from };
  if (E164.test(from)) return { from };
  throw new TypeError('TWILIO_FROM must be a number in E.164 or the SID of a Messaging Service');
};

export const E164 = /^\+[1-9]\d{6,14}$/;

/** Of a text message or one with media. */
export const MESSAGE_SID = /^[SM]M[\da-f]{32}$/i;
