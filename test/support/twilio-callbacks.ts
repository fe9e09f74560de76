/** Status callbacks as Twilio sends them, signed by its own function, and what others make of them. */
import { request } from 'node:http';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { ReceivedSms } from './twilio-messages';
import type { MessageStatus } from './twilio-schema';

export interface SignedCallback {
  /** What was signed: the StatusCallback of the message. */
  readonly url: string;
  readonly signature: string;
  readonly body: string;
}

export interface Account {
  readonly accountSid: string;
  readonly authToken: string;
}

/** The number that a Messaging Service would have chosen. */
const CHOSEN = '+14155550199';

export const callbackParameters = (
  sms: ReceivedSms,
  status: MessageStatus,
  accountSid: string,
  errorCode?: number,
): Readonly<Record<string, string>> => ({
  SmsSid: sms.sid,
  SmsStatus: status,
  MessageStatus: status,
  To: sms.to,
  MessageSid: sms.sid,
  AccountSid: accountSid,
  From: sms.from ?? CHOSEN,
  ApiVersion: '2010-04-01',
  ...(sms.messagingServiceSid && { MessagingServiceSid: sms.messagingServiceSid }),
  ...(errorCode !== undefined && {
    ErrorCode: `${errorCode}`,
    ErrorMessage: 'Unreachable destination handset',
  }),
  ...((status === 'delivered' || status === 'undelivered') && { RawDlrDoneDate: '2601010000' }),
});

export const signCallback = (
  authToken: string,
  url: string,
  parameters: Readonly<Record<string, string>>,
): SignedCallback => ({
  url,
  signature: getExpectedTwilioSignature(authToken, url, { ...parameters }),
  body: new URLSearchParams(parameters).toString(),
});

export interface DeliverOptions {
  /** Where the bytes go, an origin; the URL itself names who the proxy in front stands for. @default the URL's origin */
  readonly via?: string;
  /** @default the URL's host */
  readonly host?: string;
  /** More fields, such as `x-forwarded-proto`. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Posts a callback, or one that somebody has made of it, and resolves with the answer. */
export const deliverCallback = (
  { url, signature, body }: SignedCallback,
  { via, host, headers = {} }: DeliverOptions = {},
): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const { origin, host: own, pathname, search } = new URL(url);
    const posting = request(
      `${via ?? origin}${pathname}${search}`,
      {
        method: 'POST',
        timeout: 10_000,
        headers: {
          host: host ?? own,
          'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
          'content-length': Buffer.byteLength(body),
          'x-twilio-signature': signature,
          'i-twilio-idempotency-token': '1f0d4b0a-0000-4000-8000-000000000000',
          'user-agent': 'TwilioProxy/1.1',
          ...headers,
        },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
        );
      },
    );
    posting.on('timeout', () => posting.destroy(new Error('no answer to the callback')));
    posting.on('error', reject).end(body);
  });

/**
 * The same signed text with its boundaries elsewhere: every way to move the end of the URL, a name or a value by up to
 * `reach` characters, and to join two neighbours. The signature is right for all of them.
 */
export const shiftedCallbacks = (callback: SignedCallback, reach = 40): SignedCallback[] => {
  const pairs = [...new URLSearchParams(callback.body)].sort(([a], [b]) => (a < b ? -1 : 1));
  const found = new Map<string, SignedCallback>();
  const keep = (changed: Pairs, url = callback.url) => {
    const names = changed.map(([name]) => name);
    const text = url + changed.flat().join('');
    // Sorted as before, or else the signature would be another.
    const isSame =
      text === callback.url + pairs.flat().join('') &&
      names.join('\0') === [...names].sort().join('\0');
    const body = formOf(changed);
    if (isSame) found.set(`${url} ${body}`, { ...callback, url, body });
  };
  const [[first = '', value = ''] = [], ...others] = pairs;
  for (let by = 1; by <= reach; by++) {
    const at = callback.url.length - by;
    if (at > new URL(callback.url).origin.length)
      keep([[callback.url.slice(at) + first, value], ...others], callback.url.slice(0, at));
    keep([[first.slice(by), value], ...others], callback.url + first.slice(0, by));
  }
  keep(others, callback.url + first + value);
  pairs.forEach(([name, value], at) => {
    const text = name + value;
    const before = pairs.slice(0, at);
    for (let end = 0; end <= text.length; end++)
      keep(pairs.with(at, [text.slice(0, end), text.slice(end)]));
    const [next, ...rest] = pairs.slice(at + 1);
    if (!next) return;
    const [nextName, nextValue] = next;
    keep([...before, [name, value + nextName + nextValue], ...rest]);
    for (let by = 1; by <= reach; by++) {
      const tail = value.slice(-by) + nextName;
      if (by <= value.length)
        keep([...before, [name, value.slice(0, -by)], [tail, nextValue], ...rest]);
      const longer = value + nextName.slice(0, by);
      keep([...before, [name, longer], [nextName.slice(by), nextValue], ...rest]);
    }
  });
  found.delete(`${callback.url} ${formOf(pairs)}`);
  return [...found.values()];
};

type Pairs = readonly (readonly [name: string, value: string])[];

export const formOf = (pairs: Pairs): string =>
  new URLSearchParams(pairs.map(([name, value]) => [name, value] as [string, string])).toString();
