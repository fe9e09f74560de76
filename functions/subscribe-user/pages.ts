/** The pages behind the links: a question with one button, what came of it, and the one for every bad link. */
import { page } from '../../shared/pages/page';
import { chooseLocale } from '../../shared/templates/locale';
import { LOCALES, type Locale, pageWords } from './letters';
import type { LinkKind } from './links';

interface Told {
  readonly locale: Locale;
  readonly list: string;
}

export const askPage = (kind: LinkKind, { locale, list }: Told): Response => {
  const { title, ask, button } = pageWords(kind, locale, list);
  // No action: the form goes back to this address, with its token.
  const body = `<p>${ask}</p>\n<form method="post"><button>${button}</button></form>`;
  return page({ title, body, locale });
};

export const donePage = (kind: LinkKind, { locale, list }: Told): Response => {
  const { title, done } = pageWords(kind, locale, list);
  return page({ title, body: `<p>${done}</p>`, locale });
};

/** Says nothing of what is wrong, in the language of the browser: nothing in the link can be believed. */
export const badLinkPage = (kind: LinkKind, request: Request): Response => {
  const [preferred] = (request.headers.get('accept-language') ?? '').split(/[,;]/);
  const locale = chooseLocale(preferred?.trim(), LOCALES);
  const { badTitle, bad } = pageWords(kind, locale, '');
  return page({ title: badTitle, body: `<p>${bad}</p>`, status: 400, locale });
};
