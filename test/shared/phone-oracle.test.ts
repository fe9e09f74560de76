/** Phone numbers of every country, beside Google's library. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { canonicalPhone, phoneCountry } from '../../shared/phone';
import { PEERS_TIMEOUT } from '../support/peers';
import { REFUSED, TAKEN } from './phone-found';
import { type Answer, NONE, neighboursOf, provideGoogle } from './phone-peer';

let google: Awaited<ReturnType<typeof provideGoogle>>;

beforeAll(async () => {
  google = await provideGoogle();
}, PEERS_TIMEOUT);

/** Ranges in which the two differ, a number of each, and why. Our data is the younger. */
const DIFFERENCES: readonly (readonly [prefix: string, number: string, reason: string])[] = [
  ['+1472', '+14726648685', 'an area code of North Carolina that came later'],
  ['+238', '+2385743409', 'a mobile range of Cape Verde that was opened later'],
  ['+25413', '+254138662779', 'a mobile range of Kenya that was opened later'],
  ['+26375', '+263751357746', 'a mobile range of Zimbabwe that was opened later'],
  ['+26779', '+26779101234', 'a range of Botswana that was for VoIP before'],
  ['+2909', '+29098793', 'a mobile range of Saint Helena that was opened later'],
  ['+406', '+40623112488', 'a mobile range of Romania that was closed later'],
  ['+4537', '+4537600535', 'a range of Denmark that was closed later'],
  ['+62868', '+628681234567', 'a satellite network of Indonesia, which theirs takes for mobile'],
  ['+7954', '+79541234567', 'a satellite network of Russia, which theirs takes for mobile'],
  ['+861349', '+8613491234567', 'a satellite network of China, which theirs takes for mobile'],
  ['+861740', '+8617401234567', 'a satellite network of China, which theirs takes for mobile'],
];

const ours = (text: string): Answer => {
  const number = canonicalPhone(text);
  return number === undefined ? NONE : [number, phoneCountry(number)];
};

const differs = (text: string): boolean => String(ours(text)) !== String(google.answer(text));

const isExplained = (text: string): boolean =>
  DIFFERENCES.some(([prefix]) => text.replace(/[^+\d]/g, '').startsWith(prefix));

const unexplained = (texts: readonly string[]): string[] =>
  texts
    .filter((text) => differs(text) && !isExplained(text))
    .map((text) => `${text}: ours ${ours(text)}, theirs ${google.answer(text)}`);

test('over a thousand examples of all countries and kinds are what Google’s library says', () => {
  const all = google.examples;
  expect(all.length).toBeGreaterThan(1_000);
  expect(new Set(all.map(({ region }) => region)).size).toBeGreaterThan(200);
  expect(unexplained(all.map(({ written }) => written))).toEqual([]);
  const taken = all.filter(({ written }) => canonicalPhone(written) !== undefined);
  expect(new Set(taken.map(({ canonical }) => phoneCountry(canonical))).size).toBeGreaterThan(200);
});

test('twenty thousand numbers near them are what Google’s library says', () => {
  const all = neighboursOf(google.examples);
  expect(all.length).toBeGreaterThan(20_000);
  expect(unexplained(all)).toEqual([]);
});

test.each(DIFFERENCES)('in %s the two differ about %s: %s', (prefix, number) => {
  expect(number.startsWith(prefix)).toBe(true);
  expect(differs(number)).toBe(true);
});

test.each(TAKEN)('%s is %s of %s, for Google’s library too', (text, number, country) => {
  expect(ours(text)).toEqual([number, country]);
  expect(google.answer(text)).toEqual([number, country]);
});

test.each(REFUSED)('%s takes no code, for Google’s library too', (text) => {
  expect(ours(text)).toEqual(NONE);
  expect(google.answer(text)).toEqual(NONE);
});

test.each([
  'FIXED_LINE',
  'TOLL_FREE',
  'PREMIUM_RATE',
  'SHARED_COST',
  'VOIP',
  'PERSONAL_NUMBER',
  'PAGER',
  'UAN',
  'VOICEMAIL',
])('no example that Google’s library has for %s takes a code', (type) => {
  const kinds = google.examples.filter(
    (example) => example.type === type && google.typeOf(example.written) === type,
  );
  expect(kinds.length).toBeGreaterThan(5);
  expect(
    kinds.filter(({ canonical }) => canonicalPhone(canonical) && !isExplained(canonical)),
  ).toEqual([]);
});

test('no number of the nine international codes takes a code', () => {
  expect(google.international).toHaveLength(9);
  for (const { written } of google.international) {
    expect(google.typeOf(written)).not.toBe('UNKNOWN');
    expect(ours(written)).toEqual(NONE);
  }
});

describe('in every country', () => {
  const mobiles = () =>
    google.examples.filter(
      ({ type, canonical }) => type === 'MOBILE' && canonicalPhone(canonical) !== undefined,
    );

  test('all spellings that are taken give one number', () => {
    const wrong = mobiles().flatMap(({ callingCode, canonical, written }) => {
      const rest = canonical.slice(callingCode.length);
      const spellings = [
        written,
        written.replaceAll(' ', '-'),
        written.replaceAll(' ', '.'),
        `${callingCode} (${rest.slice(0, 2)}) ${rest.slice(2)}`,
        `${callingCode}${rest.replace(/\d/g, '$& ')}`.trim(),
      ];
      return spellings.filter((spelling) => canonicalPhone(spelling) !== canonical);
    });
    expect(wrong).toEqual([]);
  });

  test('no disguise of a number is taken, whatever other libraries make of it', () => {
    const taken = mobiles().flatMap(({ callingCode, canonical }) => {
      const rest = canonical.slice(callingCode.length);
      const disguises = [
        canonical.slice(1),
        `00${canonical.slice(1)}`,
        `011${canonical.slice(1)}`,
        `++${canonical.slice(1)}`,
        `＋${canonical.slice(1)}`,
        `tel:${canonical}`,
        `sms:${canonical}`,
        `${canonical};ext=5`,
        `${canonical} ext. 5`,
        `${canonical} x12`,
        `${canonical}#12`,
        `${canonical},12`,
        `${canonical};phone-context=${callingCode}`,
        `${rest};phone-context=${callingCode}`,
        `${canonical};isub=1`,
        `${canonical}/${rest}`,
        `${canonical}\n`,
        `${canonical}\0`,
        ...[...'\u200b\u200e\u202a\u2060\ufeff\u00ad\u00a0\u3000\u2011\uff0d\t'].map(
          (hidden) => `${callingCode}${hidden}${rest}`,
        ),
        ...[0x0660, 0x06f0, 0x0966, 0xff10].map((zero) =>
          canonical.replace(/\d/g, (digit) => String.fromCharCode(zero + Number(digit))),
        ),
      ];
      return disguises.filter((disguise) => canonicalPhone(disguise) !== undefined);
    });
    expect(taken).toEqual([]);
  });
});
