import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { canonicalPhone, isPhoneCountry } from '../../shared/phone';

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
    ['a number that only the small metadata takes for valid', '+23222123456'],
  ])('is none for %s: a code must not go there', (_, text) => {
    expect(canonicalPhone(text)).toBeUndefined();
  });

  test('is none outside the allowed countries', () => {
    expect(canonicalPhone('+12025550123', { allowedCountries: ['US'] })).toBe('+12025550123');
    expect(canonicalPhone('+12025550123', { allowedCountries: ['CA', 'DE'] })).toBeUndefined();
    expect(canonicalPhone('+12025550123', { allowedCountries: [] })).toBeUndefined();
  });
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
