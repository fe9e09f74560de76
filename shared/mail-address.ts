/**
 * Mail addresses. Whoever sends mail to what a stranger typed must know that it is one address and nothing more:
 * SMTP libraries take lists, groups, names and comments, and then the stranger chooses who else gets the mail.
 */
import { Failure } from './failure';

/**
 * One addr-spec in the plain form of HTML's email input, with the lengths of RFC 5321 section 4.5.3.1:
 * local part up to 64, 254 in all, a domain of two labels or more, ASCII only (an IDN as its A-labels). Never with the
 * beginning of an encoded word (RFC 2047): there are mail servers that decode it, and then it is another address.
 */
export const MAIL_ADDRESS =
  /^(?=.{3,254}$)(?!.*=\?)[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)+$/i;

/**
 * The address to send to: trimmed, domain in lower case, local part as typed, because only its host may say
 * what case means there (RFC 5321 section 2.4). `undefined` for anything that is not exactly one plain address.
 */
export const canonicalAddress = (text: unknown): string | undefined => {
  if (typeof text !== 'string' || text.length > MAX_TYPED) return undefined;
  // Blanks only: a line end is no accident but the beginning of a header or command.
  const address = text.replace(/^[ \t]+|[ \t]+$/g, '');
  if (!MAIL_ADDRESS.test(address)) return undefined;
  const at = address.lastIndexOf('@');
  return address.slice(0, at) + address.slice(at).toLowerCase();
};

/** Room for an address with blanks around it. */
const MAX_TYPED = 320;

/**
 * What two spellings of one mailbox have in common: the address in lower case. Hosts that tell cases apart are
 * all but extinct, people who type their own address in another case are not. Dots and plus signs stay: what
 * they mean is a rule of single providers, and to guess it would hand one person's account to another.
 */
export const addressKey = (text: unknown): string | undefined =>
  canonicalAddress(text)?.toLowerCase();

export interface Mailbox {
  /** Empty when there is none. */
  readonly name: string;
  readonly address: string;
}

/** `address` or `Name <address>`, for settings. The name holds none of the characters that mean something in a header. */
export const parseMailbox = (text: string): Mailbox | undefined => {
  const [, name = '', inner = text] =
    /^([^\p{Cc}<>()[\]\\,;:@"]{0,100}?) *<([^<>]+)>$/u.exec(text) ?? [];
  const address = canonicalAddress(inner);
  return address === undefined ? undefined : { name: name.trim(), address };
};

/** The canonical form of the address that an input has at `/email`. Throws `invalid_input` when it is not one. */
export const requireAddress = (email: unknown): string => {
  const address = canonicalAddress(email);
  if (address !== undefined) return address;
  throw new Failure('invalid_input', {
    errors: [{ pointer: '/email', message: 'must be one plain mail address' }],
  });
};
