import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedSms {
  readonly sid: string;
  readonly to: string;
  readonly from?: string;
  readonly messagingServiceSid?: string;
  readonly body: string;
}

/**
 * A status with a Twilio error code, or: `hang` never answers, `accept-then-hang` takes the message and never
 * answers, `reset` breaks the connection, `junk` is a 200 that holds no message, `html` a 500 that is no JSON,
 * `drip` sends the head and then one byte at a time for ever, `flood` a body without end.
 */
export type TwilioFault =
  | { readonly status: number; readonly code: number }
  | 'hang'
  | 'accept-then-hang'
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
  close(): Promise<void>;
}

/** Parameters of Messages.json that this peer knows; the real one has more. */
const KNOWN = new Set(['To', 'From', 'MessagingServiceSid', 'Body', 'StatusCallback']);

/** The magic numbers of Twilio's test credentials, with the error each stands for. */
const MAGIC: Readonly<Record<string, number>> = {
  '+15005550001': 21211,
  '+15005550002': 21612,
  '+15005550003': 21408,
  '+15005550004': 21610,
  '+15005550009': 21614,
};

/** Speaks the Messages resource of Twilio's 2010-04-01 API over HTTP, after its reference and not after our client. */
export const startTwilioPeer = async ({
  accountSid = `AC${'0123456789abcdef'.repeat(2)}`,
  authToken = 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
}: {
  readonly accountSid?: string;
  readonly authToken?: string;
} = {}): Promise<TwilioPeer> => {
  const messages: ReceivedSms[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;
  let fault: TwilioFault | undefined;

  const take = (form: URLSearchParams): ReceivedSms => {
    const from = form.get('From');
    const service = form.get('MessagingServiceSid');
    const sms: ReceivedSms = {
      sid: `SM${(messages.length + 1).toString(16).padStart(32, '0')}`,
      to: form.get('To') as string,
      body: form.get('Body') as string,
      ...(from !== null && { from }),
      ...(service !== null && { messagingServiceSid: service }),
    };
    messages.push(sms);
    return sms;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    const body = await readAll(request);
    const form = new URLSearchParams(body);
    const refusal = checkRequest(request, { accountSid, authToken }) ?? checkForm(body, form);
    if (refusal) return refuse(response, refusal);
    if (fault === undefined) return answer(response, 201, describe(take(form), accountSid));
    if (fault === 'hang') return;
    if (fault === 'accept-then-hang') return void take(form);
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    if (fault === 'junk') return answer(response, 200, { hello: 'world' });
    if (fault === 'html')
      return void response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Oops</h1>');
    if (fault === 'drip' || fault === 'flood') {
      response.writeHead(201, { 'content-type': 'application/json' });
      const part = fault === 'drip' ? ' ' : ' '.repeat(65_536);
      const timer = setInterval(() => response.write(part), fault === 'drip' ? 50 : 1);
      timers.add(timer);
      response.on('close', () => clearInterval(timer));
      return;
    }
    // Twilio quotes the number in its message; a client must not pass that on.
    refuse(response, { ...fault, message: `The number ${form.get('To')} cannot be served now` });
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accountSid,
    authToken,
    messages,
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
    },
    get requests() {
      return requests;
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const timer of timers) clearInterval(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message?: string;
}

const checkRequest = (
  { method, url, headers }: IncomingMessage,
  { accountSid, authToken }: { readonly accountSid: string; readonly authToken: string },
): Refusal | undefined => {
  const basic = Buffer.from(`${accountSid}:${authToken}`).toString('base64');
  if (headers.authorization !== `Basic ${basic}`) return { status: 401, code: 20003 };
  if (url !== `/2010-04-01/Accounts/${accountSid}/Messages.json`)
    return { status: 404, code: 20404 };
  if (method !== 'POST') return { status: 405, code: 20004 };
  if (!/^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? ''))
    return { status: 415, code: 20415 };
  return undefined;
};

const checkForm = (body: string, form: URLSearchParams): Refusal | undefined => {
  const names = [...form.keys()];
  const stranger = names.find((name) => !KNOWN.has(name));
  if (stranger || new Set(names).size !== names.length)
    return { status: 400, code: 20001, message: `Unknown or repeated parameter in ${body.length}` };
  const [to, from, service, text] = ['To', 'From', 'MessagingServiceSid', 'Body'].map((name) =>
    form.get(name),
  );
  if (!to) return { status: 400, code: 21604 };
  if (!text) return { status: 400, code: 21602 };
  if (!from && !service) return { status: 400, code: 21603 };
  if (from && !E164.test(from)) return { status: 400, code: 21212 };
  if (service && !/^MG[0-9a-f]{32}$/.test(service)) return { status: 400, code: 21701 };
  const magic = MAGIC[to] ?? (E164.test(to) ? undefined : 21211);
  if (magic) return { status: 400, code: magic, message: `The 'To' number ${to} is not valid` };
  if (text.length > 1600) return { status: 400, code: 21617 };
  return undefined;
};

const E164 = /^\+[1-9]\d{6,14}$/;

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

/** The Message resource as the reference shows it. */
const describe = (sms: ReceivedSms, accountSid: string) => ({
  account_sid: accountSid,
  api_version: '2010-04-01',
  body: sms.body,
  date_created: 'Thu, 01 Jan 2026 00:00:00 +0000',
  date_sent: null,
  date_updated: 'Thu, 01 Jan 2026 00:00:00 +0000',
  direction: 'outbound-api',
  error_code: null,
  error_message: null,
  from: sms.from ?? null,
  messaging_service_sid: sms.messagingServiceSid ?? null,
  num_media: '0',
  num_segments: '1',
  price: null,
  price_unit: null,
  sid: sms.sid,
  status: sms.messagingServiceSid ? 'accepted' : 'queued',
  subresource_uris: {},
  to: sms.to,
  uri: `/2010-04-01/Accounts/${accountSid}/Messages/${sms.sid}.json`,
});
