/** What a call to a webhook may consist of. Fails closed: what is not known to be harmless is not sent. */

/** http or https, and no credentials, which would go to whoever the URL names and into every log on the way. */
export const isWebhookUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
};

/** What the HTTP client writes itself, and credentials. */
const RESERVED =
  /^(?:host|connection|keep-alive|content-length|transfer-encoding|te|trailer|upgrade|expect|accept-encoding|authorization|proxy-.*|cookie)$/i;
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Visible ASCII, and spaces inside: some clients take a line break out and send what it separated as one value. */
const VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;

export const areWebhookHeaders = (headers: Readonly<Record<string, string>>): boolean =>
  Object.entries(headers).every(
    ([name, value]) => NAME.test(name) && !RESERVED.test(name) && VALUE.test(value),
  );
