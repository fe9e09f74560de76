import { describe, expect, test } from '@jest/globals';
import { drawCode } from '../../../functions/two-factor/code';
import { mailOf, smsOf } from '../../../functions/two-factor/message';
import { TEXTS } from '../../../functions/two-factor/texts';
import { systemRandom } from '../../../shared/random';

/** 3GPP TS 23.038 section 6.2.1: the default alphabet, one septet each, and its extension, two. */
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const EXTENSION = '\f^{}\\[~]|€';

/** Septets of a text in GSM 7-bit; NaN when a letter is not in it. */
const septets = (text: string): number =>
  [...text].reduce(
    (sum, letter) =>
      sum + (BASIC.includes(letter) ? 1 : EXTENSION.includes(letter) ? 2 : Number.NaN),
    0,
  );

const locales = Object.keys(TEXTS);
const HOST = `${'a'.repeat(58)}.example.com`;
const options = { to: '+12025550123', code: '012345', publicUrl: `https://${HOST}:8443/base` };

describe.each(locales)('in %s', (locale) => {
  test('an SMS is one GSM 7-bit segment, for a host of 70 characters too', () => {
    const { text } = smsOf({ ...options, locale });
    expect(HOST).toHaveLength(70);
    expect(septets(text)).toBeLessThanOrEqual(160);
  });

  test('an SMS ends in the origin-bound line: host without port, one space, the code', () => {
    const { text } = smsOf({ ...options, locale });
    expect(text.split('\n').slice(-2)).toEqual(['', `@${HOST} #012345`]);
    expect(text.split('\n')[0]).toContain('012345');
  });

  test('a mail holds the code in its text and with its origin, not in its subject', () => {
    const mail = mailOf({ ...options, to: 'user@example.com', locale });
    expect(mail.text).toContain('012345');
    expect(mail.otp).toEqual({ code: '012345', origin: `https://${HOST}:8443` });
    expect(mail.subject).not.toMatch(/\d/);
    expect(mail.text).toContain('10');
  });
});

test('the language goes by the primary subtag; English stands in for one that is not there', () => {
  const text = (locale: string | undefined) => smsOf({ ...options, locale }).text;
  expect(text('de-AT')).toBe(text('de'));
  expect(text('FR')).toBe(text('fr'));
  for (const other of [undefined, 'tlh', 'constructor', 'en-GB'])
    expect(text(other)).toBe(text('en'));
  expect(new Set(locales.map(text)).size).toBe(locales.length);
});

test('the septet count knows what is not GSM 7-bit', () => {
  expect(septets('código')).toBeNaN();
  expect(septets('l’avez')).toBeNaN();
  expect(septets('[€]')).toBe(6);
});

test('of 20,000 codes each digit is as likely in each place, and one in ten begins with a zero', () => {
  const count = 20_000;
  const codes = Array.from({ length: count }, () => drawCode(systemRandom));
  for (const code of codes) expect(code).toMatch(/^\d{6}$/);
  for (let place = 0; place < 6; place++) {
    const seen = new Array<number>(10).fill(0);
    for (const code of codes) seen[Number(code[place])] = (seen[Number(code[place])] ?? 0) + 1;
    const expected = count / 10;
    const chiSquare = seen.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // 9 degrees of freedom: by chance above 50 once in ten million times, and hardly ever below 0.1.
    expect(chiSquare).toBeLessThan(50);
    expect(chiSquare).toBeGreaterThan(0.1);
  }
});
