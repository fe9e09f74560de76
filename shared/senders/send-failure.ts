/** How a sender fails: with a code, and with facts for the log that were picked one by one. */
import { Failure } from '../failure';

/**
 * The only facts that leave a sender. The vendors' own errors hold the request: credentials, the text with its
 * one-time code, the address. None of them is ever a cause, and none of their words is repeated.
 */
export interface SendFacts {
  readonly sender: 'smtp' | 'twilio';
  /** A word of ours or a constant of the vendor's. After `timeout` and `aborted` the message may still have arrived. */
  readonly reason: string;
  /** SMTP reply code or HTTP status. */
  readonly status?: number;
  /** The provider's error number. */
  readonly providerCode?: number;
}

export const sendFailure = (code: 'send_failed' | 'send_refused', facts: SendFacts): Failure =>
  new Failure(code, { cause: facts });
