/**
 * The address of a mail server: `smtp://user:password@host:port` (587, STARTTLS) or `smtps://` (465, TLS). Fails closed:
 * to another machine a password goes over TLS or not at all.
 */
import { isLoopback } from './loopback';

/** As nodemailer's options name it. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly requireTLS: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
}

/** Throws a TypeError, without the URL, for one that is no address of a mail server. */
export const parseSmtpUrl = (text: string): SmtpServer => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const secure = url?.protocol === 'smtps:';
  const isPlain = url && /^\/?$/.test(url.pathname) && !url.search && !url.hash;
  if (!isPlain || !(secure || url.protocol === 'smtp:') || !url.hostname)
    throw new TypeError('SMTP_URL must be smtp://user:password@host:port or smtps://…');
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const user = decode(url.username);
  const hasLogin = user !== '' || url.password !== '';
  return {
    host,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && hasLogin && !isLoopback(host),
    ...(hasLogin && { auth: { user, pass: decode(url.password) } }),
  };
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('the credentials in SMTP_URL must be percent-encoded');
  }
};
