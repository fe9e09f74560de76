/**
 * Mail over SMTP (nodemailer). Fails closed: what is not exactly one plain address or URL is refused before a
 * connection is opened, and credentials go over TLS or not at all.
 *
 * At least once: after a lost answer the same message may arrive twice, with the same Message-ID. It has not left, and
 * `isUnsent` says so, until its last byte is on the way to the server (RFC 5321 section 4.1.1.4: no server may take a
 * message before its end), and after that if the server refuses it.
 */
import { createHash } from 'node:crypto';
import type { Transporter } from 'nodemailer';
import { canonicalAddress, type Mailbox, parseMailbox } from '../mail-address';
import { listUnsubscribeFields } from './list-unsubscribe';
import { sendFailure } from './send-failure';
import type { Mail, Receipt, Sender } from './sender';
import { parseSmtpUrl } from './smtp-url';

export interface SmtpSenderOptions {
  /** `smtp://user:password@host:port` (587, STARTTLS) or `smtps://` (465, TLS), percent-encoded, nothing after the port. */
  readonly url: string;
  /** `address` or `Name <address>`. */
  readonly from: string;
  /** For one message from its first to its last byte, waiting for a connection included; ms. @default 20000 */
  readonly timeout?: number;
  /** @default 5 */
  readonly maxConnections?: number;
}

export type SmtpSender = Sender<Mail> & {
  /** Waits for what is under way, then closes the connections; whatever is sent later fails. */
  close(): Promise<void>;
};

/** Throws a TypeError, without the URL, for options that cannot work. */
export const smtpSender = ({
  url,
  from,
  timeout = 20_000,
  maxConnections = 5,
}: SmtpSenderOptions): SmtpSender => {
  const server = parseSmtpUrl(url);
  const sender = parseMailbox(from);
  if (!sender) throw new TypeError('MAIL_FROM must be one address, or Name <address>');
  if (!(timeout > 0 && maxConnections >= 1))
    throw new TypeError('timeout and maxConnections must be above 0');
  let transport: Promise<Transporter> | undefined;
  let closed = false;
  const underWay = new Set<Promise<Receipt>>();
  /** Messages whose end is on the way, known by the signal that each has to itself. */
  const handedOver = new WeakSet<object>();

  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer');
    const wait = Math.min(10_000, timeout);
    const transport = createTransport({
      ...server,
      pool: true,
      maxConnections,
      // Only for a pooled connection that the server had closed before a byte of the message was sent.
      maxRequeues: 1,
      connectionTimeout: wait,
      greetingTimeout: wait,
      socketTimeout: timeout,
      idleTimeout: wait,
      logger: false,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    transport.use('stream', ({ data, message }, done) => {
      message.processFunc((bytes) => {
        const { signal } = data;
        return bytes.once('end', () => signal && handedOver.add(signal));
      });
      done();
    });
    return transport;
  };

  const send: Sender<Mail> = async (mail, { idempotencyKey, signal }) => {
    if (closed) throw notBegun('send_failed', 'closed');
    const to = canonicalAddress(mail.to);
    if (to === undefined) throw notBegun('send_refused', 'not_one_address');
    const list =
      mail.listUnsubscribe === undefined ? {} : listUnsubscribeFields(mail.listUnsubscribe);
    if (!list) throw notBegun('send_refused', 'not_a_plain_url');
    const deadline = AbortSignal.timeout(timeout);
    const either = AbortSignal.any([signal, deadline]);
    transport ??= open();
    const sending = (await transport).sendMail({
      // Objects and a fixed envelope: no string of ours is ever parsed for recipients.
      from: sender,
      to: { name: '', address: to },
      envelope: { from: sender.address, to: [to] },
      messageId: messageId(idempotencyKey, sender),
      subject: mail.subject,
      text: mail.text,
      ...(mail.html !== undefined && { html: mail.html }),
      ...(mail.otp && { otp: { code: mail.otp.code, origin: mail.otp.origin } }),
      // RFC 3834: vacation responders must not answer.
      headers: { 'Auto-Submitted': 'auto-generated', ...onOneLine(list) },
      signal: either,
    });
    await sending.catch((error: unknown) => {
      throw failureOf(error, {
        aborted: signal.aborted,
        late: deadline.aborted,
        handedOver: handedOver.has(either),
      });
    });
    return {};
  };

  return Object.assign(
    (...args: Parameters<Sender<Mail>>) => {
      const sending = send(...args).finally(() => underWay.delete(sending));
      underWay.add(sending);
      return sending;
    },
    {
      close: async () => {
        closed = true;
        await Promise.allSettled(underWay);
        (await transport)?.close();
      },
    },
  );
};

/** Never folded: there are mail servers that fold anew after they have signed, and then the signature is void. */
const onOneLine = (fields: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, { prepared: true, value }]),
  );

/** Gives nothing of the key away, as it may name a run or a person. */
const messageId = (idempotencyKey: string, { address }: Mailbox): string =>
  `<${createHash('sha256').update(`message-id ${idempotencyKey}`).digest('hex')}${address.slice(address.lastIndexOf('@'))}>`;

/** What nodemailer says of an error, as far as it is a constant or a number. */
interface Said {
  readonly code?: unknown;
  readonly responseCode?: unknown;
  readonly permanent?: unknown;
}

const notBegun = (code: 'send_failed' | 'send_refused', reason: string) =>
  sendFailure(code, { sender: 'smtp', reason, unsent: true });

interface Course {
  readonly aborted: boolean;
  readonly late: boolean;
  readonly handedOver: boolean;
}

const failureOf = (error: unknown, { aborted, late, handedOver }: Course) => {
  const { code, responseCode, permanent } = (error ?? {}) as Said;
  const known = typeof code === 'string' && /^E[A-Z0-9]{2,20}$/.test(code) ? code : 'unknown';
  const status = Number.isInteger(responseCode) ? (responseCode as number) : undefined;
  // A refused login or greeting is a fault of ours that can be mended; the message itself is not to blame.
  const isOfMessage = known === 'EENVELOPE' || known === 'EMESSAGE';
  const isReply = isOfMessage && status !== undefined && status >= 400 && status < 600;
  return sendFailure(
    known === 'EOTP' || (isOfMessage && permanent === true) ? 'send_refused' : 'send_failed',
    {
      sender: 'smtp',
      reason: aborted ? 'aborted' : late ? 'timeout' : known,
      unsent: !handedOver || isReply,
      ...(status !== undefined && { status }),
    },
  );
};
