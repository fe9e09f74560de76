import { describe, expect, test } from '@jest/globals';
import { checkMessages, mailOf, smsOf } from '../../../functions/two-factor/message';
import { TEXTS } from '../../../functions/two-factor/texts';
import { encoded } from './gsm-alphabet';
import { parseOneTimeCode } from './one-time-code';

type Locale = keyof typeof TEXTS;
const locales = Object.keys(TEXTS) as Locale[];
const codes = ['000000', '012345', '918273', '999999'];

/** The longest host that is taken. */
const MAX_HOST = 143;

/** A host of this many characters, in labels as DNS has them. */
const hostOf = (length: number): string =>
  Array.from({ length }, (_, i) => (i % 60 === 59 && i < length - 1 ? '.' : 'a')).join('');

const hosts = [
  ...Array.from({ length: MAX_HOST }, (_, i) => hostOf(i + 1)),
  'localhost',
  'login.example.com',
  new URL('https://bücher.example').hostname,
  new URL('https://登录.例子.测试').hostname,
  new URL('http://[2001:db8::1]:8080').hostname,
];

/** How each language says to keep the code to oneself. */
const NEVER_SHARE: Readonly<Record<Locale, RegExp>> = {
  en: /never share it/i,
  de: /nie weiter/i,
  fr: /Ne le communiquez jamais/,
  es: /No la comparta con nadie/,
  pt: /Nunca o diga a ninguém/,
  tr: /Kimseye vermeyin/,
  ru: /Никому не сообщайте/,
  'zh-Hans': /请勿告诉他人/,
  ar: /لا تشاركه/,
};

/** What is wrong with a text message that carries this code for this host. */
const mistakes = (text: string, host: string, code: string): string[] => {
  const { segments } = encoded(text);
  const human = text.slice(0, text.lastIndexOf('\n'));
  const parsed = parseOneTimeCode(text);
  return [
    segments === 1 ? '' : `${segments} segments`,
    parsed?.code === code && parsed.topLevelOrigin === `https://${host}` ? '' : 'not bound',
    parsed?.embeddedOrigin === undefined ? '' : 'an embedded origin',
    text.endsWith(` #${code}`) ? '' : 'something after the code',
    human.split(code).length === 2 ? '' : 'not the code once',
    (human.match(/\p{Nd}+/gu) ?? []).every((digits) => /^(?:10|[0-9]{6})$/.test(digits))
      ? ''
      : 'other digits',
    /[/@#]|www|\p{L}\.\p{L}/u.test(human) ? 'a link' : '',
    /[‘’‚“”„«»]/.test(text) ? 'curly quotes' : '',
    /(?!\n)[\p{C}\p{Zl}\p{Zp}]|[^\S \n]/u.test(text) ? 'an invisible character' : '',
    text === text.normalize('NFC') ? '' : 'not composed',
  ].filter((mistake) => mistake !== '');
};

const smsFor = (locale: string | undefined, host: string, code = '012345') =>
  smsOf({ to: '+12025550123', code, locale, publicUrl: `https://${host}/base` }).text;

describe.each(locales)('an SMS in %s', (locale) => {
  test('is one segment, bound to its origin, with the code once, for every host and code', () => {
    const wrong = hosts.flatMap((host) =>
      codes.flatMap((code) => {
        const text = smsFor(locale, host, code);
        return mistakes(text, host, code).map((mistake) => `${mistake}: ${text}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('is the fullest that leaves room for the host, in English when the language has none', () => {
    for (const host of hosts) {
      const lines = [...TEXTS[locale].sms, ...TEXTS.en.sms].map(
        (say) => `${say('012345', 10)}\n\n@${host} #012345`,
      );
      expect(smsFor(locale, host)).toBe(lines.find((text) => encoded(text).segments === 1));
    }
  });

  test('says for how long and never to share it, and later at least that', () => {
    const full = smsFor(locale, 'login.example.com').split('\n')[0];
    expect(full).toContain('10');
    expect(full).toMatch(NEVER_SHARE[locale]);
    expect(smsFor(locale, hostOf(27))).toMatch(NEVER_SHARE[locale]);
  });
});

test.each([
  ['en', 87, 'Your code is 012345. It expires in 10 minutes. Never share it.'],
  ['en', 88, 'Code 012345. Never share it.'],
  ['en', 121, 'Code 012345. Never share it.'],
  ['en', 122, '012345'],
  ['ru', 19, 'Код 012345, 10 мин. Никому не сообщайте.'],
  ['ru', 20, 'Код 012345. Никому не сообщайте.'],
  ['ru', 28, 'Код 012345'],
  ['ru', 49, 'Код 012345'],
  ['ru', 50, 'Your code is 012345. It expires in 10 minutes. Never share it.'],
  ['zh-CN', 32, '验证码 012345，10 分钟内有效，请勿告诉他人。'],
  ['zh-CN', 33, '验证码 012345，请勿告诉他人。'],
  ['ar-EG', 22, 'رمزك 012345 صالح 10 دقائق. لا تشاركه.'],
  ['tr', MAX_HOST, '012345'],
])('in %s with a host of %i characters it says: %s', (locale, length, human) => {
  expect(smsFor(locale, hostOf(length)).split('\n\n')[0]).toBe(human);
});

test('an SMS names the host without port, path and credentials', () => {
  const options = { to: '+12025550123', code: '012345', locale: 'en' };
  const { to, text } = smsOf({ ...options, publicUrl: 'https://u:p@Login.Example.com:8443/a?b#c' });
  expect(to).toBe(options.to);
  expect(text.split('\n').slice(-2)).toEqual(['', '@login.example.com #012345']);
});

describe('a mail', () => {
  test.each(locales)(
    'in %s holds the code in its text and with its origin, not in its subject',
    (locale) => {
      const publicUrl = 'https://login.example.com:8443/base';
      const mail = mailOf({ to: 'user@example.com', code: '012345', locale, publicUrl });
      expect(mail).toEqual({
        to: 'user@example.com',
        subject: TEXTS[locale].subject,
        text: TEXTS[locale].mail('012345', 10),
        otp: { code: '012345', origin: 'https://login.example.com:8443' },
      });
    },
  );
});

describe('at the start', () => {
  test.each([
    'http://localhost:8080',
    'https://login.example.com/base',
    `https://${hostOf(MAX_HOST)}`,
  ])('%s is taken', (publicUrl) => {
    expect(() => checkMessages(publicUrl)).not.toThrow();
  });

  test.each([
    ['a host one character longer than fits', `https://${hostOf(MAX_HOST + 1)}`],
    ['a host that leaves GSM 7-bit', `https://${hostOf(60)}\`.example.com`],
    ['no host', 'file:///srv'],
    ['no URL', 'login.example.com'],
  ])('%s is refused, and no message is made of it', (_, publicUrl) => {
    expect(() => checkMessages(publicUrl)).toThrow(TypeError);
    for (const locale of locales)
      expect(() => smsOf({ to: '+12025550123', code: '012345', locale, publicUrl })).toThrow(
        TypeError,
      );
  });
});

test.each([
  ['2 segments', `${'a'.repeat(150)} 012345\n\n@a.example #012345`],
  ['2 segments', `Seu código é 012345. ${'a'.repeat(30)}\n\n@a.example #012345`],
  ['not bound', '012345\n\n@b.example #012345'],
  ['not bound', '012345\n\nat @a.example #012345'],
  ['not bound', '012345\n\n@a.example  #012345'],
  ['not bound', '012345\n\n@a.example #012345\n'],
  ['an embedded origin', '012345\n\n@a.example #012345 %b.example'],
  ['something after the code', '012345\n\n@a.example #012345 more'],
  ['not the code once', 'Your code\n\n@a.example #012345'],
  ['not the code once', '012345 012345\n\n@a.example #012345'],
  ['other digits', '012345 صالح ١٠ دقائق\n\n@a.example #012345'],
  ['a link', '012345 https://a.example\n\n@a.example #012345'],
  ['a link', '012345 a.example\n\n@a.example #012345'],
  ['curly quotes', 'l’012345\n\n@a.example #012345'],
  ['an invisible character', '012345\u200f\n\n@a.example #012345'],
  ['an invisible character', '012345\u00a0.\n\n@a.example #012345'],
  ['not composed', '012345 e\u0301\n\n@a.example #012345'],
])('the linter finds %s in %j', (mistake, text) => {
  expect(mistakes(text, 'a.example', '012345')).toContain(mistake);
});
