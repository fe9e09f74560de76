import { describe, expect, test } from '@jest/globals';
import { LIFETIME } from '../../../functions/two-factor/challenge';
import { TEXTS, textsFor } from '../../../functions/two-factor/texts';
import { encoded } from './gsm-alphabet';

type Locale = keyof typeof TEXTS;
const locales = Object.keys(TEXTS) as Locale[];

const SCRIPTS: Readonly<Partial<Record<Locale, RegExp>>> = {
  ru: /^\p{Script=Cyrillic}$/u,
  'zh-Hans': /^\p{Script=Han}$/u,
  ar: /^\p{Script=Arabic}$/u,
};

/** How each language says what to do without having asked for a code. */
const NOT_ASKED: Readonly<Record<Locale, RegExp>> = {
  en: /If you did not ask for it, you can ignore/,
  de: /Wenn Sie ihn nicht angefordert haben, können Sie .* ignorieren/,
  fr: /Si vous ne l’avez pas demandé, vous pouvez ignorer/,
  es: /Si no lo ha pedido, puede ignorar/,
  pt: /Se não o pediu, pode ignorar/,
  tr: /siz istemediyseniz .* dikkate almayın/,
  ru: /Если вы его не запрашивали, .*не обращайте внимания/,
  'zh-Hans': /如果您没有申请验证码，请忽略/,
  ar: /إذا لم تطلبه، يمكنك تجاهل/,
};

const NEVER_SHARE: Readonly<Record<Locale, RegExp>> = {
  en: /Never share it/,
  de: /Geben Sie ihn nie weiter/,
  fr: /Ne le communiquez jamais/,
  es: /No lo comparta con nadie/,
  pt: /Nunca o diga a ninguém/,
  tr: /Kimseyle paylaşmayın/,
  ru: /Никому его не сообщайте/,
  'zh-Hans': /请勿告诉他人/,
  ar: /لا تشاركه مع أحد/,
};

/** The same in a text message. */
const KEEP_IT: Readonly<Record<Locale, RegExp>> = {
  ...NEVER_SHARE,
  de: /(?:Geben Sie ihn nie weiter|Nie weitergeben)\./,
  es: /No la comparta con nadie\./,
  tr: /Kimseye vermeyin\./,
  ru: /Никому не сообщайте\./,
  ar: /لا تشاركه/,
};

describe.each(locales)('a mail in %s', (locale) => {
  const { subject, mail } = TEXTS[locale];
  const text = mail('012345', 10);

  test('says the code once, for how long, never to share it, and what to do unasked', () => {
    expect(text.split('012345')).toHaveLength(2);
    expect(text.match(/\p{Nd}+/gu)).toEqual(['012345', '10']);
    expect(text).toMatch(NEVER_SHARE[locale]);
    expect(text).toMatch(NOT_ASKED[locale]);
  });

  test('has one line of subject without the code', () => {
    expect(subject).toMatch(/^[\p{L}\p{M} ]{3,40}$/u);
  });

  test('is written in the letters of its language, without links and hidden characters', () => {
    for (const letter of (subject + text).match(/\p{L}/gu) ?? [])
      expect(letter).toMatch(SCRIPTS[locale] ?? /^\p{Script=Latin}$/u);
    expect(subject + text).not.toMatch(/(?!\n)\p{C}|\p{Zl}|\p{Zp}|[^\S \n]|[/@]|www/u);
    expect(text).toBe(text.normalize('NFC'));
    expect(text.endsWith('\n')).toBe(true);
  });
});

describe.each(locales)('the text messages in %s', (locale) => {
  const texts = TEXTS[locale].sms.map((say) => say('012345', 10));

  test('are written in the letters of their language, GSM 7-bit where those are Latin', () => {
    const script = SCRIPTS[locale] ?? /^\p{Script=Latin}$/u;
    for (const text of texts) {
      for (const letter of text.match(/\p{L}/gu) ?? []) expect(letter).toMatch(script);
      expect({ text, ...encoded(text) }).toMatchObject({
        encoding: locale in SCRIPTS ? 'ucs-2' : 'gsm-7',
      });
    }
  });

  test('say for how long, then never to share it, then the code, in fewer and fewer letters', () => {
    const units = texts.map((text) => encoded(text).units);
    expect(units).toEqual([...new Set(units)].sort((a, b) => b - a));
    expect(texts[0]).toContain('10');
    for (const text of texts.slice(0, -1)) expect(text).toMatch(KEEP_IT[locale]);
    for (const text of texts) expect(text.split('012345')).toHaveLength(2);
    expect(texts.at(-1)).toMatch(/^(?:\p{L}+ )?012345$/u);
  });
});

test('no two languages say the same', () => {
  for (const say of [
    ({ sms }: (typeof TEXTS)[Locale]) => sms[0]('012345', 10),
    ({ mail }: (typeof TEXTS)[Locale]) => mail('012345', 10),
  ])
    expect(new Set(locales.map((locale) => say(TEXTS[locale]))).size).toBe(9);
});

test('a code lives as many minutes as the forms of words are for', () => {
  expect(LIFETIME % 60_000).toBe(0);
  expect(LIFETIME / 60_000).toBeGreaterThanOrEqual(5);
  expect(LIFETIME / 60_000).toBeLessThanOrEqual(10);
});

describe('the language', () => {
  test.each<[string | undefined, Locale]>([
    ['en', 'en'],
    ['en-GB', 'en'],
    ['de-AT', 'de'],
    ['de-CH-1996', 'de'],
    ['FR', 'fr'],
    ['fr-u-ca-gregory', 'fr'],
    ['es-419', 'es'],
    ['pt', 'pt'],
    ['pt-BR', 'pt'],
    ['pt_PT', 'pt'],
    ['tr-CY', 'tr'],
    ['ru-KZ', 'ru'],
    ['zh', 'zh-Hans'],
    ['zh-CN', 'zh-Hans'],
    ['ZH-cn', 'zh-Hans'],
    ['zh-SG', 'zh-Hans'],
    ['zh-Hans', 'zh-Hans'],
    ['zh-Hans-HK', 'zh-Hans'],
    ['cmn', 'zh-Hans'],
    ['ar', 'ar'],
    ['ar-EG', 'ar'],
  ])('of %s is %s', (tag, locale) => {
    expect(textsFor(tag)).toBe(TEXTS[locale]);
  });

  test.each([
    undefined,
    '',
    'zh-TW',
    'zh-HK',
    'zh-Hant',
    'zh-Hant-CN',
    'yue',
    'ru-Latn',
    'ar-Latn',
    'tlh',
    'it',
    'constructor',
    '__proto__',
    'not a tag',
    `de-${'x'.repeat(40)}`,
    'de-a-twelve-thirteen-fourteen-fifteen',
  ])('of %s is English: not here, in another script, too long, or no tag', (tag) => {
    expect(textsFor(tag)).toBe(TEXTS.en);
  });
});
