import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { drawCode, readCode } from '../../../functions/two-factor/code';
import { checkVerify } from '../../../functions/two-factor/input';
import { type Random, systemRandom } from '../../../shared/random';
import { randomOf } from '../../support/random';

const CHALLENGE = 'abcdefghijklmnopqrstuv';

describe('a code as people type it', () => {
  test.each([
    ['as it is', '012345'],
    ['in two groups', '012 345'],
    ['with a hyphen', '012-345'],
    ['with blanks around it', '  012345 '],
    ['with a line end, as pasted', '012345\r\n'],
    ['with a no-break space before it', '\u00a0012 345'],
  ])('%s is six digits', (_, typed) => {
    expect(readCode(typed)).toBe('012345');
    expect(checkVerify({ challenge: CHALLENGE, code: typed })).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['blanks', '      '],
    ['five digits', '01234'],
    ['seven digits', '0123456'],
    ['twelve digits', '012345012345'],
    ['two codes', '012345 012345'],
    ['a sign', '+12345'],
    ['a minus', '-012345'],
    ['a decimal point', '0123.45'],
    ['an exponent', '1234e5'],
    ['a hexadecimal number', '0x1234'],
    ['a letter O', 'O12345'],
    ['a letter l', '0l2345'],
    ['full-width digits', '０１２３４５'],
    ['one full-width digit', '01234５'],
    ['Arabic digits', '٠١٢٣٤٥'],
    ['Devanagari digits', '०१२३४५'],
    ['mathematical digits', '𝟎𝟏𝟐𝟑𝟒𝟓'],
    ['superscript digits', '⁰¹²³⁴⁵'],
    ['circled digits', '①②③④⑤⑥'],
    ['two blanks within', '012  345'],
    ['a blank at another place', '01 2345'],
    ['three groups', '01 23 45'],
    ['a no-break space within', '012\u00a0345'],
    ['a tab within', '012\t345'],
    ['a line end within', '012\n345'],
    ['a second line', '012345\n012345'],
    ['an en dash', '012–345'],
    ['a zero-width space', '012\u200b345'],
    ['a zero-width space after it', '012345\u200b'],
    ['a mark from right to left', '\u200f012345'],
    ['a null character', '012345\0'],
    ['quotes', '"012345"'],
    ['a pattern', '......'],
    ['a wildcard', '%%%%%%'],
    ['more blanks than anybody types', `${' '.repeat(40)}012345`],
    ['a number', 12345],
    ['a number of six digits', 123456],
    ['true', true],
    ['null', null],
    ['an array', ['012345']],
    ['an array of digits', [0, 1, 2, 3, 4, 5]],
    ['all codes at once', ['000000', '000001', '000002']],
    ['an object', { $ne: '' }],
    ['an object that has a length', { length: 6, trim: '012345' }],
  ])('is none with %s: an input mistake, not a guess', (_, typed) => {
    expect(readCode(typed)).toBeUndefined();
    expect(checkVerify({ challenge: CHALLENGE, code: typed })).toHaveLength(1);
  });

  test('is none from a machine that gives it in another shape than text', () => {
    const text = Object('012345') as unknown;
    expect(readCode(text)).toBeUndefined();
    expect(readCode({ toString: () => '012345', trim: () => '012345', length: 6 })).toBeUndefined();
    expect(readCode(undefined)).toBeUndefined();
  });
});

describe('a code as it is drawn', () => {
  const COUNT = 1_000_000;
  const PLACES = [0, 1, 2, 3, 4, 5];

  /** Of each place, how often each digit is there: Pearson's statistic, of 9 degrees of freedom. */
  const chiSquares = (random: Random): number[] => {
    const seen = new Uint32Array(60);
    for (let n = 0; n < COUNT; n++) {
      const code = drawCode(random);
      for (let place = 0; place < 6; place++) {
        const cell = place * 10 + code.charCodeAt(place) - 48;
        seen[cell] = (seen[cell] as number) + 1;
      }
    }
    const expected = COUNT / 10;
    return PLACES.map((place) =>
      seen
        .subarray(place * 10, place * 10 + 10)
        .reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0),
    );
  };

  /** Places where the statistic is one that chance gives less often than once in a thousand, above or below. */
  const unfairPlaces = (random: Random): number[] => {
    const found = chiSquares(random);
    return PLACES.filter((place) => {
      const chiSquare = found[place] as number;
      return !(chiSquare > 1.152 && chiSquare < 27.877);
    });
  };

  const seeded = (seed: number, below: (chance: () => number, limit: number) => number): Random => {
    const chance = randomOf(seed);
    return { ...systemRandom, below: (limit) => below(chance, limit) };
  };

  test('A26: has each digit as likely in each place, leading zeros included', () => {
    // A fair generator fails one sample in a hundred, but the same place of three only once in twenty million times.
    let suspects = PLACES;
    for (let sample = 0; sample < 3 && suspects.length > 0; sample++) {
      const unfair = unfairPlaces(systemRandom);
      suspects = suspects.filter((place) => unfair.includes(place));
    }
    expect(suspects).toEqual([]);
  });

  test('is found fair from a fair generator that is not ours', () => {
    const fair = seeded(1, (chance, limit) => Math.floor(chance() * limit));
    expect(unfairPlaces(fair)).toEqual([]);
  });

  test.each<[string, readonly number[], Random]>([
    [
      'the remainder of 24 bits',
      [0],
      seeded(2, (chance, limit) => Math.floor(chance() * 2 ** 24) % limit),
    ],
    [
      'no leading zeros',
      [0],
      seeded(3, (chance, limit) => limit / 10 + Math.floor(chance() * (limit * 0.9))),
    ],
    [
      'a last digit of nine one time in a hundred too rare',
      [5],
      seeded(4, (chance, limit) => {
        const drawn = Math.floor(chance() * limit);
        return drawn % 10 === 9 && chance() < 0.05 ? drawn - 1 : drawn;
      }),
    ],
    ['a counter, too even to be chance', PLACES, counter()],
  ])('is found unfair from a generator with %s', (_, places, random) => {
    expect(unfairPlaces(random)).toEqual(expect.arrayContaining([...places]));
  });

  test('keeps its leading zeros, and asks for a number below a million', () => {
    const limits: number[] = [];
    const below = (limit: number) => {
      limits.push(limit);
      return 42;
    };
    expect(drawCode({ ...systemRandom, below })).toBe('000042');
    expect(limits).toEqual([1_000_000]);
  });
});

function counter(): Random {
  let next = 0;
  return { ...systemRandom, below: (limit) => next++ % limit };
}

describe('weak randomness', () => {
  const WEAK = /\bMath\s*(?:\?\.|\.)\s*random\b|\bMath\s*\[|\{[^}]*\brandom\b[^}]*\}\s*=\s*Math\b/;

  test('A26: is nowhere in the product', () => {
    const files = ['functions', 'shared'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.[cm]?[jt]s$/.test(file))
        .map((file) => `${folder}/${file}`),
    );
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => WEAK.test(readFileSync(file, 'utf8')))).toEqual([]);
  });

  test.each([
    'const n = Math.random();',
    'draw(Math\n  .random)',
    "Math['random']()",
    'const { floor, random } = Math;',
  ])('is seen in %j', (line) => {
    expect(line).toMatch(WEAK);
  });
});
