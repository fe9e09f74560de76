import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  callbackParameters,
  type DeliverOptions,
  deliverCallback,
  type SignedCallback,
  signCallback,
} from './twilio-callbacks';
import { describe, type KeptSms, listPage, pathOf, type ReceivedSms } from './twilio-messages';
import { checkForm, checkQuery, checkRequest, type Refusal } from './twilio-requests';
import type { MessageStatus } from './twilio-schema';

export type { ReceivedSms } from './twilio-messages';

/**
 * A status with a Twilio error code, or: `hang` never answers, `accept-then-hang`, `-reset` and `-500` take the message
 * and then do that, `reset` breaks the connection, `junk` is a 200 that holds no message, `html` a 500 that is no JSON,
 * `drip` sends the head and then one byte at a time for ever, `flood` a body without end.
 */
export type TwilioFault =
  | { readonly status: number; readonly code: number }
  | 'hang'
  | 'accept-then-hang'
  | 'accept-then-reset'
  | 'accept-then-500'
  | 'reset'
  | 'junk'
  | 'html'
  | 'drip'
  | 'flood';

export interface TwilioPeer {
  /** For TWILIO_BASE_URL. */
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** What was taken. */
  readonly messages: readonly ReceivedSms[];
  /** Requests so far, refused ones too. */
  readonly requests: number;
  fault: TwilioFault | undefined;
  /** What every list says besides its page. @default nothing */
  listExtras: object;
  /** The message becomes this, and nobody is told. */
  become(sid: string, status: MessageStatus, errorCode?: number): void;
  /** The signed callback for a status of a message that was given a StatusCallback; nothing is sent. */
  sign(sid: string, status: MessageStatus, errorCode?: number): SignedCallback;
  /** The message becomes this, and its StatusCallback is told. Resolves with the answer. */
  callback(
    sid: string,
    status: MessageStatus,
    options?: DeliverOptions & { readonly errorCode?: number },
  ): Promise<{ readonly status: number; readonly body: string }>;
  close(): Promise<void>;
}

export interface TwilioPeerOptions {
  readonly accountSid?: string;
  readonly authToken?: string;
  /** ms since the epoch. @default the clock of the machine */
  readonly now?: () => number;
}

/** Speaks the Messages resource of Twilio's 2010-04-01 API over HTTP, after its description and not after our client. */
export const startTwilioPeer = async ({
  accountSid = `AC${'0123456789abcdef'.repeat(2)}`,
  authToken = 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
  now = Date.now,
}: TwilioPeerOptions = {}): Promise<TwilioPeer> => {
  const kept: KeptSms[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;
  let fault: TwilioFault | undefined;
  let listExtras: object = {};

  const take = (form: URLSearchParams): KeptSms => {
    const [from, service, statusCallback] = ['From', 'MessagingServiceSid', 'StatusCallback'].map(
      (name) => form.get(name),
    );
    const sms: ReceivedSms = {
      sid: `SM${(kept.length + 1).toString(16).padStart(32, '0')}`,
      to: form.get('To') as string,
      body: form.get('Body') as string,
      ...(from && { from }),
      ...(service && { messagingServiceSid: service }),
      ...(statusCallback && { statusCallback }),
    };
    const status = service ? 'accepted' : 'queued';
    const one: KeptSms = { sms, status, errorCode: undefined, at: now() };
    kept.push(one);
    return one;
  };

  const misbehave = (response: ServerResponse, form: URLSearchParams): void => {
    const { socket } = response;
    if (String(fault).startsWith('accept-')) take(form);
    if (fault === 'reset' || fault === 'accept-then-reset') socket?.resetAndDestroy();
    else if (fault === 'junk') answer(response, 200, { hello: 'world' });
    else if (fault === 'html' || fault === 'accept-then-500')
      response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oops</h1>');
    else if (fault === 'drip' || fault === 'flood') {
      response.writeHead(201, { 'content-type': 'application/json' });
      const part = fault === 'drip' ? ' ' : ' '.repeat(65_536);
      const timer = setInterval(() => response.write(part), fault === 'drip' ? 50 : 1);
      timers.add(timer);
      response.on('close', () => clearInterval(timer));
    } else if (typeof fault === 'object') {
      // Twilio quotes the number in its message; a client must not pass that on.
      refuse(response, { ...fault, message: `The number ${form.get('To')} cannot be served now` });
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    const body = await readAll(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://peer');
    const isList = request.method === 'GET' && pathname === `${pathOf(accountSid)}.json`;
    const form = isList ? searchParams : new URLSearchParams(body);
    const refusal =
      checkRequest(request, pathname, { accountSid, authToken }) ??
      (isList ? checkQuery(form) : checkForm(form));
    if (refusal) return refuse(response, refusal);
    if (fault !== undefined) return misbehave(response, form);
    if (isList)
      return answer(response, 200, { ...listPage(kept, form, accountSid), ...listExtras });
    answer(response, 201, describe(take(form), accountSid));
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const find = (sid: string): KeptSms => {
    const found = kept.find(({ sms }) => sms.sid === sid);
    if (!found) throw new Error(`there is no message ${sid}`);
    return found;
  };
  const become = (sid: string, status: MessageStatus, errorCode?: number): void =>
    void Object.assign(find(sid), { status, errorCode });
  const sign = (sid: string, status: MessageStatus, errorCode?: number): SignedCallback => {
    const { sms } = find(sid);
    if (!sms.statusCallback) throw new Error('this message was given no StatusCallback');
    const parameters = callbackParameters(sms, status, accountSid, errorCode);
    return signCallback(authToken, sms.statusCallback, parameters);
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accountSid,
    authToken,
    get messages() {
      return kept.map(({ sms }) => sms);
    },
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
    },
    get listExtras() {
      return listExtras;
    },
    set listExtras(next) {
      listExtras = next;
    },
    get requests() {
      return requests;
    },
    become,
    sign,
    callback: (sid, status, { errorCode, ...how } = {}) => {
      become(sid, status, errorCode);
      return deliverCallback(sign(sid, status, errorCode), how);
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const timer of timers) clearInterval(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const readAll = async (request: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
};

const answer = (response: ServerResponse, status: number, body: unknown) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const refuse = (response: ServerResponse, { status, code, message = 'Refused' }: Refusal) =>
  answer(response, status, {
    code,
    message,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
  });
