/** How a sender fails: with a code, and with facts for the log that were picked one by one. */
import { Failure } from '../failure';

/**
 * The only facts that leave a sender. The vendors' own errors hold the request: credentials, the text with its
 * one-time code, the address. None of them is ever a cause, and none of their words is repeated.
 */
export interface SendFacts {
  readonly sender: 'smtp' | 'twilio';
  /** A word of ours or a constant of the vendor's. */
  readonly reason: string;
  /** Whether the message surely did not leave; `false` where the next hop may have taken it. */
  readonly unsent: boolean;
  /** SMTP reply code or HTTP status. */
  readonly status?: number;
  /** The provider's error number. */
  readonly providerCode?: number;
}

export const sendFailure = (code: 'send_failed' | 'send_refused', facts: SendFacts): Failure =>
  new Failure(code, { cause: facts });

/**
 * Whether a message whose sending threw this surely did not leave: refused by the next hop, or never handed over.
 * `false` for all else, errors of unknown origin too: then it may have arrived, and to send it again may be twice.
 */
export const isUnsent = (thrown: unknown): boolean =>
  thrown instanceof Failure && (thrown.cause as Partial<SendFacts> | undefined)?.unsent === true;
