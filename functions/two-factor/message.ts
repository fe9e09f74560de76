/** A code as the person gets it, bound to the origin that may ask for it. */
import type { Mail, Sms } from '../../shared/senders/sender';
import { LIFETIME } from './challenge';
import { textsFor } from './texts';

const MINUTES = LIFETIME / 60_000;

export interface MessageOptions {
  readonly to: string;
  readonly code: string;
  /** Language tag. @default English */
  readonly locale: string | undefined;
  /** Base URL of what the person signs in to. */
  readonly publicUrl: string;
}

/**
 * Ends in the line of origin-bound one-time codes (WICG sms-one-time-codes): `@host #code`, one space, nothing else,
 * so that browsers offer the code on that host only. One segment (160 septets) for hosts of up to 70 characters.
 */
export const smsOf = ({ to, code, locale, publicUrl }: MessageOptions): Sms => ({
  to,
  text: `${textsFor(locale).sms(code, MINUTES)}\n\n@${new URL(publicUrl).hostname} #${code}`,
});

/** The code also goes into the OTP-Token field with its origin. Not into the subject: that shows on locked screens. */
export const mailOf = ({ to, code, locale, publicUrl }: MessageOptions): Mail => {
  const { subject, mail } = textsFor(locale);
  return {
    to,
    subject,
    text: mail(code, MINUTES),
    otp: { code, origin: new URL(publicUrl).origin },
  };
};
