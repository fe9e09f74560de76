/** The ports for messages to people. Adapters: smtp (nodemailer), twilio, outbox (development). */

export interface Mail {
  /** One address, already checked to be one. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** One-time code in the mail and the origin it is for: becomes the `OTP-Token` field. */
  readonly otp?: { readonly code: string; readonly origin: string };
  /**
   * Where the recipient leaves the list, an http or https URL of at most 900 characters that acts on POST and on
   * nothing else: becomes `List-Unsubscribe` and, with https, `List-Unsubscribe-Post` (RFC 8058). @default neither
   */
  readonly listUnsubscribe?: string;
}

export interface Sms {
  /** E.164. */
  readonly to: string;
  readonly text: string;
}

export interface SendOptions {
  /** The same key is the same message: it gives the Message-ID, so that receivers can drop repeats. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the next hop has taken the message. Rejects with `send_failed` (may succeed later) or
 * `send_refused` (never will). Neither holds the text or the full address.
 */
export type Sender<Message> = (message: Message, options: SendOptions) => Promise<void>;
