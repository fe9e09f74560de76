/** A key that was minted: the client is given it as a cookie, and the shard sees it as if it had come with the request. */
import type { Key } from '../../shared/shard/key/key';

/** The same answer, with the cookie. */
export const withCookie = (response: Response, key: Key | undefined): Response => {
  if (key?.setCookie !== undefined) response.headers.append('set-cookie', key.setCookie);
  return response;
};

/** The field that goes on to the shard; `undefined`: as it came. */
export const cookieFor = (request: Request, key: Key | undefined): string | undefined => {
  if (key?.setCookie === undefined) return undefined;
  const [pair = ''] = key.setCookie.split(';');
  const own = request.headers.get('cookie');
  // First: an empty one of the same name may stand among the others, and the first one counts.
  return own ? `${pair}; ${own}` : pair;
};
