/**
 * The link in the mail. GET only shows a button, since mail scanners follow every link; POST acts.
 * Fails closed, and all bad links look the same.
 */
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { readBytes } from '../../shared/http/body';
import { page } from '../../shared/pages/page';
import type { Platform } from '../../shared/platform';
import { chooseLocale } from '../../shared/templates/locale';
import { verifyToken } from '../../shared/token';
import { LOCALES, type Locale, pageWords } from './letters';
import { CONFIRM_KEYS } from './subscribe';
import { MAX_ROUNDS, type Subscription, subscriptionKey } from './subscription';

interface Claims {
  readonly list: string;
  readonly addressHash: string;
  readonly locale: Locale;
}

/** `GET /confirm` */
export const showConfirm =
  (platform: Platform): Handler =>
  (request) => {
    const claims = readClaims(platform, tokenOfQuery(request));
    if (!claims) return badLink(request);
    const words = pageWords(claims.locale, claims.list);
    // No action: the form goes back to this address, with its token.
    const body = `<p>${words.ask}</p>\n<form method="post"><button>${words.button}</button></form>`;
    return page({ title: words.title, body, locale: claims.locale });
  };

/** `POST /confirm`, the token in the query or in a form. As often as one likes: confirmed stays confirmed. */
export const confirm =
  (platform: Platform): Handler =>
  async (request) => {
    const token = tokenOfQuery(request) ?? (await tokenOfForm(request));
    const claims = readClaims(platform, token);
    if (!claims || !(await confirmRecord(platform, claims))) return badLink(request);
    const words = pageWords(claims.locale, claims.list);
    return page({ title: words.title, body: `<p>${words.done}</p>`, locale: claims.locale });
  };

/** Whether the subscription is confirmed now; not when there is none any more. */
const confirmRecord = async (
  { store, clock }: Platform,
  { list, addressHash }: Claims,
): Promise<boolean> => {
  const key = subscriptionKey(list, addressHash);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const known = await store.get<Subscription>(key);
    if (!known) return false;
    if (known.value.state === 'confirmed') return true;
    const confirmed: Subscription = {
      ...known.value,
      state: 'confirmed',
      confirmedAt: clock.now(),
    };
    // Without a ttl: from now on it stays.
    if (await store.compareAndSwap(key, known.version, confirmed)) return true;
  }
  throw new Failure('in_progress');
};

const readClaims = ({ keys, clock }: Platform, token: string | null): Claims | undefined => {
  const claims = token === null ? undefined : verifyToken(keys(CONFIRM_KEYS), token, clock.now());
  if (!claims) return undefined;
  const [list = '', addressHash = '', locale] = claims;
  return { list, addressHash, locale: chooseLocale(locale, LOCALES) };
};

const tokenOfQuery = (request: Request): string | null =>
  new URL(request.url).searchParams.get('token');

const tokenOfForm = async (request: Request): Promise<string | null> => {
  const media = request.headers.get('content-type') ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(media)) return null;
  const form = new TextDecoder().decode(await readBytes(request, MAX_FORM));
  return new URLSearchParams(form).get('token');
};

/** Bytes of a form with a token. */
const MAX_FORM = 4096;

const badLink = (request: Request): Response => {
  const [preferred] = (request.headers.get('accept-language') ?? '').split(/[,;]/);
  const locale = chooseLocale(preferred?.trim(), LOCALES);
  const { badTitle, bad } = pageWords(locale, '');
  return page({ title: badTitle, body: `<p>${bad}</p>`, status: 400, locale });
};
