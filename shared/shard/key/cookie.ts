/**
 * A key out of a cookie, and a new one for who has none: 128 random bits. It says whose shard it is and nothing else, so it
 * is no secret; still no script reads it.
 *
 * It is `Secure` where the client came over TLS, as the URL says or, behind a proxy that ends TLS, X-Forwarded-Proto. A
 * client that lies there harms its own cookie only, so that it may be believed.
 */
import { setCookie } from '../../http/cookies';
import { type Random, randomId } from '../../random';
import type { Key } from './key';
import { type ToOctets, toKey } from './octets';
import type { Wire } from './wire';

export interface CookieReaderOptions {
  readonly name: string;
  /** `ttl` in ms; `undefined`: none is made. */
  readonly mint?:
    | { readonly ttl?: number | undefined; readonly path?: string | undefined }
    | undefined;
  readonly random: Random;
  readonly octets: ToOctets;
  readonly cookie: Wire['cookie'];
  /** Names in any case. */
  readonly anyCase: boolean;
}

export const cookieReader = ({
  name,
  mint,
  random,
  octets,
  cookie,
  anyCase,
}: CookieReaderOptions): ((request: Request) => Key | undefined) => {
  const source = `cookie ${name}`;
  const wanted = anyCase ? name.toLowerCase() : name;
  return (request) => {
    const field = request.headers.get('cookie');
    const found = field && cookie(octets(field), wanted);
    if (found) return { value: toKey(found), source };
    if (!mint) return undefined;
    const value = randomId(random);
    const secure = isOverTls(request);
    return {
      value,
      source: `${source}, minted`,
      setCookie: setCookie({ name, value, ...mint, secure }),
    };
  };
};

/** The outermost of several proxies has written the first element. */
const isOverTls = ({ url, headers }: Request): boolean =>
  url.startsWith('https:') || /^\s*https\s*(?:,|$)/i.test(headers.get('x-forwarded-proto') ?? '');
