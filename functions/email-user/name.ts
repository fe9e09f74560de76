/**
 * The name a mail greets. Whoever signs up a stranger's address chooses it, so a mail of ours must not carry
 * their advertisement: mail programs turn anything like an address into a link, with no markup needed.
 */

/** How many characters of a name a greeting holds. */
export const MAX_NAME = 100;

/**
 * `undefined`: greet without a name. A name that could be read as a link is dropped whole rather than refused,
 * because the account is real and its owner should get the mail.
 */
export const greetableName = (text: string | undefined): string | undefined => {
  const name = (text ?? '')
    .slice(0, 10 * MAX_NAME)
    .normalize('NFKC')
    // Format characters hide a dot or turn the direction of the line; unpaired surrogates are no text.
    .replace(/[\p{Cf}\p{Cs}\p{Co}]/gu, '')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .trim();
  if (name === '' || LINK.test(name)) return undefined;
  return [...name].slice(0, MAX_NAME).join('').trim();
};

/** `a.b` of any script's dot, and the signs of URLs, paths, addresses and markup. */
const LINK = /\S[.\u3002]\S|[:/\\@<>[\]]/u;
