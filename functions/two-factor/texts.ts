/** The words of a message, by language tag. */
import { de, en, es, fr, pt, tr } from './texts/gsm-7';
import type { Texts } from './texts/text';
import { ar, ru, zhHans } from './texts/ucs-2';

export const TEXTS = {
  en,
  de,
  fr,
  es,
  pt,
  tr,
  ru,
  'zh-Hans': zhHans,
  ar,
} as const satisfies Record<string, Texts>;

/**
 * By language and script, what a tag leaves out supplied (RFC 5646; Unicode TS 35, likely subtags): `pt-BR` is `pt`,
 * `zh` and `zh-SG` are `zh-Hans`, `zh-TW` is not. English for what is not here, in another script, or no tag at all:
 * a second language is easier to read than the first in a script that one never learnt.
 */
export const textsFor = (locale: string | undefined): Texts =>
  (locale === undefined ? undefined : TEXTS_BY_WRITING.get(writing(locale) ?? '')) ?? TEXTS.en;

/** Language and script, such as `pt-Latn`; `undefined` for what is no tag. */
const writing = (tag: string): string | undefined => {
  if (tag.length > MAX_TAG) return undefined;
  try {
    const { language, script } = new Intl.Locale(tag.replaceAll('_', '-')).maximize();
    return `${language}-${script}`;
  } catch {
    return undefined;
  }
};

/** RFC 5646 section 4.4.1 asks for room for 35 characters. */
const MAX_TAG = 35;

const TEXTS_BY_WRITING: ReadonlyMap<string, Texts> = new Map(
  Object.entries(TEXTS).map(([tag, texts]) => [writing(tag) ?? tag, texts]),
);
