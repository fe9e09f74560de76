import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { canonicalPhone, isPhoneCountry, phoneCountry } from '../../shared/phone';
import { randomOf } from '../support/random';

describe('a phone number', () => {
  test.each([
    ['of the United States', '+12025550123', '+12025550123'],
    ['with brackets and a hyphen', '+1 (202) 555-0123', '+12025550123'],
    ['with dots', '+1.202.555.0123', '+12025550123'],
    ['with blanks', '+49 151 2345 6789', '+4915123456789'],
    ['with the zero people put in brackets', '+44 (0)7911 123456', '+447911123456'],
    ['of France', '+33 6 12 34 56 78', '+33612345678'],
    ['of Spain', '+34612345678', '+34612345678'],
    ['of Japan', '+819012345678', '+819012345678'],
  ])('%s has one spelling', (_, text, canonical) => {
    expect(canonicalPhone(text)).toBe(canonical);
    expect(canonicalPhone(canonical)).toBe(canonical);
  });

  test.each([
    ['nothing', ''],
    ['only a plus', '+'],
    ['no country code', '2025550123'],
    ['two plus signs', '++12025550123'],
    ['words', 'abc'],
    ['an extension', '+12025550123 ext 5'],
    ['an extension parameter', '+12025550123;ext=5'],
    ['a phone context', '+12025550123;phone-context=+1'],
    ['a tel URI', 'tel:+12025550123'],
    ['Arabic digits', '+١٢٠٢٥٥٥٠١٢٣'],
    ['full-width digits', '+１２０２５５５０１２３'],
    ['a full-width plus', '＋12025550123'],
    ['a zero-width space', '+1202555\u200b0123'],
    ['a no-break space', '+1202\u00a05550123'],
    ['a line end', '+12025550123\n'],
    ['a tab', '+1\t2025550123'],
    ['letters for digits', '+1202555CODE'],
    ['too few digits', '+1202555012'],
    ['too many digits', '+120255501234'],
    ['an area that does not exist', '+11112345678'],
    ['more characters than a number can need', `+1 202 555 0123${' '.repeat(20)}`],
  ])('is none with %s', (_, text) => {
    expect(canonicalPhone(text)).toBeUndefined();
  });

  test.each([
    ['a landline', '+442079460958'],
    ['a premium number', '+19005551234'],
    ['a premium number elsewhere', '+33892123456'],
    ['a shared-cost number', '+491801234567'],
    ['a toll-free number', '+18005550199'],
    ['a personal number', '+447012345678'],
    ['a pager', '+447600123456'],
    ['a VoIP number', '+445612345678'],
    ['an international toll-free number', '+80012345678'],
    ['a satellite phone', '+870773111632'],
    ['another satellite phone', '+881612345678'],
    ['an international network', '+882161234567'],
    ['a satellite phone in the plan of Indonesia', '+628681234567'],
    ['a satellite phone in the plan of Russia', '+79541234567'],
    ['a satellite phone in the plan of China', '+8613491234567'],
    ['another one there', '+8617401234567'],
    ['a satellite phone in the plan of Australia', '+61147123456'],
    ['a landline of an island that has nothing else', '+2908999'],
    ['a company number', '+16005551234'],
    ['a mobile number of Mexico in its old form', '+5215512345678'],
    ['a mobile number of Côte d’Ivoire in its old form', '+22507010203'],
    ['a mobile number of Brazil in its old form', '+551187654321'],
    ['a mobile number of Argentina without its nine', '+541123456789'],
    ['a number that only the small metadata takes for valid', '+23222123456'],
  ])('is none for %s: a code must not go there', (_, text) => {
    expect(canonicalPhone(text)).toBeUndefined();
  });

  test('is none outside the allowed countries', () => {
    expect(canonicalPhone('+12025550123', { allowedCountries: ['US'] })).toBe('+12025550123');
    expect(canonicalPhone('+12025550123', { allowedCountries: ['CA', 'DE'] })).toBeUndefined();
    expect(canonicalPhone('+12025550123', { allowedCountries: [] })).toBeUndefined();
  });

  test.each([
    ['+18095551234', 'DO', 'US'],
    ['+18765551234', 'JM', 'US'],
    ['+17875551234', 'PR', 'US'],
    ['+14165550123', 'CA', 'US'],
    ['+77011234567', 'KZ', 'RU'],
    ['+447624123456', 'IM', 'GB'],
    ['+262692123456', 'RE', 'FR'],
    ['+59995181234', 'CW', 'NL'],
    ['+37866661212', 'SM', 'IT'],
  ])('such as %s is of %s, not of %s', (number, country, other) => {
    expect(canonicalPhone(number, { allowedCountries: [country] })).toBe(number);
    expect(canonicalPhone(number, { allowedCountries: [other] })).toBeUndefined();
    expect(phoneCountry(number)).toBe(country);
  });

  test.each([
    ['a number', 12025550123],
    ['nothing', undefined],
    ['null', null],
    ['an array', ['+12025550123']],
    ['an object', { toString: () => '+12025550123', length: 12 }],
  ])('is none as %s', (_, value) => {
    expect(canonicalPhone(value)).toBeUndefined();
  });

  test('of any spelling has one form that gives itself, no longer than E.164 has it', () => {
    const random = randomOf(41);
    const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] as string;
    const digits = [...'0123456789'];
    const marks = [...' -.()'];
    const starts = ['+1 5', '+447', '+49 (0)17', '+393', '+549', '+52', '+55 119', '+79'];
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const start = pick(starts);
      const rest = Array.from({ length: 7 + Math.floor(random() * 5) }, () =>
        random() < 0.2 ? pick(marks) + pick(digits) : pick(digits),
      );
      const number = canonicalPhone(start + rest.join(''));
      if (number === undefined) continue;
      taken += 1;
      expect(number).toMatch(/^\+[1-9][0-9]{6,14}$/);
      expect(canonicalPhone(number)).toBe(number);
      expect(phoneCountry(number)).toMatch(/^[A-Z]{2}$/);
    }
    expect(taken).toBeGreaterThan(1_000);
  });
});

test.each([
  ['another spelling', '+1 202 555 0123'],
  ['a trunk zero', '+4407400123456'],
  ['a landline', '+442079460958'],
  ['a satellite phone', '+870773111632'],
  ['no plus', '12025550123'],
  ['nothing', ''],
])('%s has no country: only a number in its one form has', (_, text) => {
  expect(phoneCountry(text)).toBeUndefined();
});

test('a country that is no more is not known', () => {
  expect(isPhoneCountry('AN')).toBe(false);
});

test('countries are known by their code in upper case', () => {
  expect(['US', 'DE', 'XK'].every(isPhoneCountry)).toBe(true);
  expect(['us', 'ZZ', 'USA', '', 'constructor'].some(isPhoneCountry)).toBe(false);
});

test('only this file knows the library', () => {
  const importers = ['shared', 'functions'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${folder}/${file}`)
      .filter((file) => /(?:from|import\()\s*'libphonenumber-js/.test(readFileSync(file, 'utf8'))),
  );
  expect(importers).toEqual(['shared/phone.ts']);
});
