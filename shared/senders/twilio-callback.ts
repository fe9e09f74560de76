/**
 * The parameters of a status callback of Twilio's Programmable Messaging, as published
 * (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status): the names that there are, what each can
 * hold, and nothing besides. Fails closed: the signature does not tell where a name ends, so only these may end it.
 */
import type { SmsReport } from './sender';
import type { Parameters } from './twilio-signature';

/** What becomes of an outbound message, in our words. */
const STATES: ReadonlyMap<unknown, SmsReport['state']> = new Map([
  ['accepted', 'accepted'],
  ['scheduled', 'accepted'],
  ['queued', 'accepted'],
  ['sending', 'accepted'],
  ['sent', 'accepted'],
  ['partially_delivered', 'accepted'],
  ['delivered', 'delivered'],
  ['read', 'delivered'],
  ['undelivered', 'failed'],
  ['failed', 'failed'],
  ['canceled', 'failed'],
]);

const sid = (prefix: string) => new RegExp(`^${prefix}[\\da-fA-F]{32}$`);
const MESSAGE = sid('[SM]M');
const STATUS = new RegExp(`^(?:${[...STATES.keys()].join('|')})$`);
/** A number, a short code or a sender's name; on other channels with a prefix such as `rcs:`. */
const PARTY = /^(?:[a-z]{2,20}:)?[\w+@. -]{1,100}$/;

const SHAPES: ReadonlyMap<string, RegExp> = new Map([
  ['AccountSid', sid('AC')],
  ['ApiVersion', /^\d{4}-\d\d-\d\d$/],
  ['ErrorCode', /^\d{0,6}$/],
  ['ErrorMessage', /^[^\p{Cc}]{0,400}$/u],
  ['From', PARTY],
  ['MessageSid', MESSAGE],
  ['MessageStatus', STATUS],
  ['MessagingServiceSid', /^(?:MG[\da-fA-F]{32})?$/],
  // The date of the carrier's receipt, YYMMDDhhmm, passed through as it came.
  ['RawDlrDoneDate', /^\d{10,14}$/],
  ['SmsSid', MESSAGE],
  ['SmsStatus', STATUS],
  ['To', PARTY],
  // Of channels such as RCS, through which a Messaging Service may send.
  ['ChannelInstallSid', sid('XE')],
  ['ChannelPrefix', /^[a-z]{2,20}$/],
  ['ChannelStatusMessage', /^[^\p{Cc}]{0,400}$/u],
  ['EventType', /^[A-Z_]{2,20}$/],
]);

const REQUIRED = ['AccountSid', 'From', 'MessageSid', 'MessageStatus'] as const;

/** In a sentence one of these is a parameter that was pushed into the one before it. */
const HIDDEN = new RegExp([...SHAPES.keys()].filter((name) => name.length > 4).join('|'));
const SENTENCES = ['ErrorMessage', 'ChannelStatusMessage'] as const;

/** What the callback says of a message of this account; `undefined` when it is not exactly as published. */
export const readParameters = (
  parameters: Parameters,
  accountSid: string,
): SmsReport | undefined => {
  const all = new Map(parameters);
  const { size } = all;
  const isKnown = parameters.every(([name, value]) => SHAPES.get(name)?.test(value));
  if (size !== parameters.length || !isKnown || !REQUIRED.every((name) => all.has(name)))
    return undefined;
  if (SENTENCES.some((name) => HIDDEN.test(all.get(name) ?? ''))) return undefined;
  const id = all.get('MessageSid') as string;
  if (all.get('AccountSid') !== accountSid || (all.get('SmsSid') ?? id) !== id) return undefined;
  return reportOf(id, all.get('MessageStatus'), Number(all.get('ErrorCode') ?? 0));
};

/** `undefined` for a status that no outbound message has. */
export const reportOf = (
  id: string,
  status: unknown,
  errorCode: unknown,
): SmsReport | undefined => {
  const state = STATES.get(status);
  return (
    state && {
      id,
      state,
      ...(Number.isInteger(errorCode) && errorCode !== 0 && { providerCode: errorCode as number }),
    }
  );
};
