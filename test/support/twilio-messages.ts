/** The messages of an account of Twilio's: what each becomes, how the API shows it, and which a question is about. */
import type { MessageStatus } from './twilio-schema';

export interface ReceivedSms {
  readonly sid: string;
  readonly to: string;
  readonly from?: string;
  readonly messagingServiceSid?: string;
  readonly body: string;
  readonly statusCallback?: string;
}

export interface KeptSms {
  readonly sms: ReceivedSms;
  status: MessageStatus;
  errorCode: number | undefined;
  /** ms since the epoch */
  readonly at: number;
}

/** The Message resource as the description shows it. */
export const describe = ({ sms, status, errorCode, at }: KeptSms, accountSid: string) => ({
  account_sid: accountSid,
  api_version: '2010-04-01',
  body: sms.body,
  date_created: rfc2822(at),
  date_sent: rfc2822(at),
  date_updated: rfc2822(at),
  direction: 'outbound-api',
  error_code: errorCode ?? null,
  error_message: null,
  from: sms.from ?? null,
  messaging_service_sid: sms.messagingServiceSid ?? null,
  num_media: '0',
  num_segments: '1',
  price: null,
  price_unit: null,
  sid: sms.sid,
  status,
  subresource_uris: { media: `${pathOf(accountSid)}/${sms.sid}/Media.json` },
  to: sms.to,
  uri: `${pathOf(accountSid)}/${sms.sid}.json`,
});

export const pathOf = (accountSid: string): string => `/2010-04-01/Accounts/${accountSid}/Messages`;

/** In whole seconds, as there are no others in it. */
const rfc2822 = (at: number): string => new Date(at).toUTCString().replace('GMT', '+0000');

const DEFAULT_PAGE = 50;

/** One page of the messages that a query is about, newest first. */
export const listPage = (
  messages: readonly KeptSms[],
  query: URLSearchParams,
  accountSid: string,
) => {
  const is = (name: string, holds: (wanted: string) => boolean) => {
    const wanted = query.get(name);
    return wanted === null || holds(wanted);
  };
  const second = (at: number) => Math.floor(at / 1000) * 1000;
  const all = messages
    .filter(
      ({ sms, at }) =>
        is('To', (to) => sms.to === to) &&
        is('From', (from) => sms.from === from) &&
        is(
          'DateSent',
          (day) => rfc2822(at).slice(0, 16) === rfc2822(Date.parse(day)).slice(0, 16),
        ) &&
        is('DateSent>', (from) => second(at) >= Date.parse(from)) &&
        is('DateSent<', (until) => second(at) <= Date.parse(until)),
    )
    .reverse();
  const size = Number(query.get('PageSize') ?? DEFAULT_PAGE);
  const page = Number(query.get('Page') ?? 0);
  const start = page * size;
  const uriOf = (nth: number): string => {
    const next = new URLSearchParams(query);
    next.set('PageSize', `${size}`);
    next.set('Page', `${nth}`);
    if (nth > 0) next.set('PageToken', `PA${all[nth * size - 1]?.sms.sid}`);
    return `${pathOf(accountSid)}.json?${next}`;
  };
  const shown = all.slice(start, start + size);
  return {
    messages: shown.map((one) => describe(one, accountSid)),
    start,
    end: start + Math.max(0, shown.length - 1),
    page,
    page_size: size,
    uri: uriOf(page),
    first_page_uri: uriOf(0),
    previous_page_uri: page > 0 ? uriOf(page - 1) : null,
    next_page_uri: start + size < all.length ? uriOf(page + 1) : null,
  };
};
