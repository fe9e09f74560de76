/** A code as the person gets it, bound to the origin that may ask for it. */
import type { Mail, Sms } from '../../shared/senders/sender';
import { LIFETIME } from './challenge';
import { sizeOf } from './segments';
import { TEXTS, textsFor } from './texts';
import type { Texts } from './texts/text';

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
 * so that browsers offer the code on that host only. Always one segment: the fullest text that leaves room for the
 * host, in English when the language has none. Throws a TypeError for a host that `checkMessages` refuses.
 */
export const smsOf = ({ to, code, locale, publicUrl }: MessageOptions): Sms => ({
  to,
  text: boundText(textsFor(locale), code, hostOf(publicUrl)),
});

/**
 * The code also goes into the OTP-Token field with its origin. Not into the subject: that shows on locked screens.
 * Plain text only: there is no link to hide, and nothing to imitate.
 */
export const mailOf = ({ to, code, locale, publicUrl }: MessageOptions): Mail => {
  const { subject, mail } = textsFor(locale);
  return {
    to,
    subject,
    text: mail(code, MINUTES),
    otp: { code, origin: new URL(publicUrl).origin },
  };
};

/**
 * For the start: throws a TypeError when `publicUrl` is no URL, has no host, or one of more than 143 characters, with
 * which no text fits into one segment.
 */
export const checkMessages = (publicUrl: string): void => {
  // All codes are of one length.
  boundText(TEXTS.en, '000000', hostOf(publicUrl));
};

/** Empty when there is none. */
const hostOf = (publicUrl: string): string =>
  URL.canParse(publicUrl) ? new URL(publicUrl).hostname : '';

const boundText = ({ sms }: Texts, code: string, host: string): string => {
  for (const say of [...sms, ...TEXTS.en.sms]) {
    const text = `${say(code, MINUTES)}\n\n@${host} #${code}`;
    if (host !== '' && sizeOf(text).segments === 1) return text;
  }
  throw new TypeError(
    'PUBLIC_URL has no host, or one so long that no code fits beside it into one text message',
  );
};
