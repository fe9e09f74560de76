/** Which requests Twilio's API refuses, and with which of its error numbers (https://www.twilio.com/docs/api/errors). */
import type { IncomingMessage } from 'node:http';
import { pathOf } from './twilio-messages';
import { mistakeInList, mistakeInMessage } from './twilio-schema';

export interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message?: string;
}

/** The magic numbers of Twilio's test credentials, with the error each stands for. */
const MAGIC: Readonly<Record<string, number>> = {
  '+15005550001': 21211,
  '+15005550002': 21612,
  '+15005550003': 21408,
  '+15005550004': 21610,
  '+15005550009': 21614,
};

/** Twilio's error numbers for a parameter that is missing, and for one that is wrong. */
const MISSING: Readonly<Record<string, number>> = { To: 21604 };
const WRONG: Readonly<Record<string, number>> = {
  To: 21211,
  From: 21212,
  MessagingServiceSid: 21701,
  StatusCallback: 21609,
};

export const checkRequest = (
  { method, headers }: IncomingMessage,
  pathname: string,
  { accountSid, authToken }: { readonly accountSid: string; readonly authToken: string },
): Refusal | undefined => {
  const basic = Buffer.from(`${accountSid}:${authToken}`).toString('base64');
  if (headers.authorization !== `Basic ${basic}`) return { status: 401, code: 20003 };
  if (pathname !== `${pathOf(accountSid)}.json`) return { status: 404, code: 20404 };
  if (method === 'GET') return undefined;
  if (method !== 'POST') return { status: 405, code: 20004 };
  if (!/^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? ''))
    return { status: 415, code: 20415 };
  return undefined;
};

export const checkQuery = (query: URLSearchParams): Refusal | undefined =>
  mistakeInList(query) && { status: 400, code: 20001 };

export const checkForm = (form: URLSearchParams): Refusal | undefined => {
  const [to, from, service, text] = ['To', 'From', 'MessagingServiceSid', 'Body'].map((name) =>
    form.get(name),
  );
  const magic = MAGIC[to ?? ''];
  if (magic) return { status: 400, code: magic, message: `The 'To' number ${to} is not valid` };
  const mistake = mistakeInMessage(form);
  if (mistake) {
    const codes = mistake.isMissing || form.get(mistake.parameter) === '' ? MISSING : WRONG;
    const code = codes[mistake.parameter] ?? 20001;
    return { status: 400, code, message: `${mistake.parameter} ${to} is not valid` };
  }
  if (!text) return { status: 400, code: 21602 };
  if (!from && !service) return { status: 400, code: 21603 };
  return text.length > 1600 ? { status: 400, code: 21617 } : undefined;
};
