/**
 * Twilio's signature of a callback: HMAC-SHA1, in base64, over the URL as Twilio was given it and then each parameter's
 * name and value, sorted by name (https://www.twilio.com/docs/usage/webhooks/webhooks-security). Fails closed.
 *
 * It has no delimiters: `ab` = `c` and `a` = `bc` are signed alike, so a right signature does not prove where a name
 * ends. Nor has it a time: what was signed once is signed for ever.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type Parameters = readonly (readonly [name: string, value: string])[];

export interface Signed {
  readonly url: string;
  readonly parameters: Parameters;
  readonly signature: string;
}

/** Whether one of these auth tokens signed this. */
export const isSigned = (
  authTokens: readonly string[],
  { url, parameters, signature }: Signed,
): boolean => {
  const given = Buffer.from(signature);
  const text = canonicalText(parameters);
  return authTokens.some((token) =>
    spellings(url).some((spelling) => {
      const right = createHmac('sha1', token)
        .update(spelling + text)
        .digest('base64');
      return given.length === right.length && timingSafeEqual(given, Buffer.from(right));
    }),
  );
};

/** By code units, names and then values; the same name with the same value counts once. */
const canonicalText = (parameters: Parameters): string =>
  [...parameters]
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .filter(([name, value], at, all) => name !== all[at - 1]?.[0] || value !== all[at - 1]?.[1])
    .map((pair) => pair.join(''))
    .join('');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** As it is, without its port, and with the port that goes without saying: Twilio's servers are of two minds about it. */
const spellings = (url: string): readonly string[] => {
  const [, scheme = '', host = '', port = '', rest = ''] =
    /^(https?:\/\/)(\[[^\]]*\]|[^:/?#]*)(:\d+)?(.*)$/s.exec(url) ?? [];
  if (host === '') return [];
  const usual = scheme === 'https://' ? ':443' : ':80';
  return [`${scheme}${host}${rest}`, `${scheme}${host}${port || usual}${rest}`];
};

/** Of a body of `application/x-www-form-urlencoded`, in order; `undefined` when it is not well-formed. */
export const parseForm = (body: string): Parameters | undefined => {
  try {
    return body.split('&').map((part) => {
      const [name = '', ...value] = part.split('=');
      return [decode(name), decode(value.join('='))] as const;
    });
  } catch {
    return undefined;
  }
};

const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
