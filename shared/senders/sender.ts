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
  /** Where the provider reports what became of the message. @default nowhere */
  readonly statusCallback?: string;
}

/** What the next hop said when it took a message. */
export interface Receipt {
  /** Its own name for the message. @default it gave none */
  readonly id?: string;
}

/** What a provider says of a text message that it has. */
export interface SmsReport {
  /** Its name for the message. */
  readonly id: string;
  readonly state: 'accepted' | 'delivered' | 'failed';
  /** The provider's number for what went wrong. @default nothing did */
  readonly providerCode?: number;
}

/** The provider's reports on text messages: those that it sends, and those that one asks for. */
export interface SmsReports {
  /**
   * The report in a callback; `undefined` when it is not provably the provider's. Throws `invalid_input` for a callback
   * of the provider's with parameters that it does not have.
   */
  read(callback: SmsCallback): SmsReport | undefined;
  /**
   * What the provider has of this message, by recipient, text and time; `undefined` when it knows of none.
   * Rejects with `send_failed` when it cannot be asked.
   */
  find(sms: Sms & { readonly since: number }, signal: AbortSignal): Promise<SmsReport | undefined>;
}

export interface SmsCallback {
  /** As the provider was given it: from PUBLIC_URL, never from a Host field; with its query. */
  readonly url: string;
  readonly signature: string;
  /** `application/x-www-form-urlencoded`, as it came. */
  readonly body: string;
}

export interface SendOptions {
  /** The same key is the same message: it gives the Message-ID, so that receivers can drop repeats. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

/**
 * Resolves when the next hop has taken the message. Rejects with `send_failed` (may succeed later) or
 * `send_refused` (never will); `isUnsent` tells whether a failed one can have been taken all the same. Neither holds
 * the text or the full address.
 */
export type Sender<Message> = (message: Message, options: SendOptions) => Promise<Receipt>;
