/**
 * How a mail says where one leaves its list: List-Unsubscribe (RFC 2369 section 3.2), and List-Unsubscribe-Post
 * (RFC 8058 section 3.1), by which mail programs may offer a button of their own. Fails closed: what is not exactly
 * one plain URL gives no fields at all.
 *
 * Mailbox providers take the second field only under a DKIM signature over both (RFC 8058 section 4): that is the
 * work of the mail server, which has the key.
 */
import { isLoopback } from './loopback';

/** Characters of RFC 3986, without the comma, which separates the URLs of the field. Neither blank, line end nor bracket. */
const PLAIN_URL = /^https?:\/\/[\w.~:/?#[\]@!$&'()*+;=%-]+$/;

/** A header line holds 998 characters (RFC 5322 section 2.1.1), and a URL cannot be folded. */
const MAX_URL = 900;

/** The fields by name; `undefined` for a URL that must not stand in a header. */
export const listUnsubscribeFields = (
  url: string,
): Readonly<Record<string, string>> | undefined => {
  if (url.length > MAX_URL || !PLAIN_URL.test(url) || !URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  // RFC 8058 section 3.1 asks for https. Loopback is development, where the same mail should be seen.
  const oneClick = protocol === 'https:' || isLoopback(hostname);
  return {
    'List-Unsubscribe': `<${url}>`,
    ...(oneClick && { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
  };
};
