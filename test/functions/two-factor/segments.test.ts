import { describe, expect, test } from '@jest/globals';
import { sizeOf } from '../../../functions/two-factor/segments';
import { randomOf } from '../../support/random';
import { encoded } from './gsm-alphabet';

const gsm = (units: number, segments: number) => ({ encoding: 'gsm-7', units, segments });
const ucs = (units: number, segments: number) => ({ encoding: 'ucs-2', units, segments });

describe('a text message', () => {
  test.each([
    ['nothing', '', gsm(0, 1)],
    ['160 plain letters', 'a'.repeat(160), gsm(160, 1)],
    ['one more', 'a'.repeat(161), gsm(161, 2)],
    ['306', 'a'.repeat(306), gsm(306, 2)],
    ['307', 'a'.repeat(307), gsm(307, 3)],
    ['80 euro signs, two septets each', '€'.repeat(80), gsm(160, 1)],
    ['81 euro signs', '€'.repeat(81), gsm(162, 2)],
    ['153 euro signs, of which 76 fit into a segment', '€'.repeat(153), gsm(306, 3)],
    ['all of the extension', '\f^{}\\[~]|€', gsm(20, 1)],
    ['accents of the alphabet', 'àèéìòùÄÖÑÜäöñüÇØøÅåÆæß', gsm(22, 1)],
    ['an accent that is not in it', 'código', ucs(6, 1)],
    ['a curly apostrophe', 'l’avez', ucs(6, 1)],
    ['a backtick', '`', ucs(1, 1)],
    ['an escape', '\u001b', ucs(1, 1)],
    ['a combining accent', 'e\u0301', ucs(2, 1)],
    ['70 Cyrillic letters', 'я'.repeat(70), ucs(70, 1)],
    ['71', 'я'.repeat(71), ucs(71, 2)],
    ['134', 'я'.repeat(134), ucs(134, 2)],
    ['135', 'я'.repeat(135), ucs(135, 3)],
    ['67 pairs, of which 33 fit into a segment', '😀'.repeat(67), ucs(134, 3)],
  ])('of %s has its size', (_, text, size) => {
    expect(sizeOf(text)).toEqual(size);
    expect(encoded(text)).toEqual(size);
  });

  test('of any one character is as the specification has it', () => {
    const differing: string[] = [];
    for (let unit = 0; unit <= 0xffff; unit++) {
      const character = String.fromCharCode(unit);
      const [ours, theirs] = [sizeOf(character), encoded(character)];
      if (ours.encoding !== theirs.encoding || ours.units !== theirs.units)
        differing.push(character);
    }
    expect(differing).toEqual([]);
  });

  test('of 2,000 mixtures of any length is as the specification has it', () => {
    const random = randomOf(7);
    const pools = ['a ', 'a€[', 'aя', 'a€😀', '😀я'];
    for (let round = 0; round < 2_000; round++) {
      const pool = [...(pools[round % pools.length] as string)];
      const text = Array.from(
        { length: Math.floor(random() * 400) },
        () => pool[Math.floor(random() * pool.length)],
      ).join('');
      expect({ text, ...sizeOf(text) }).toEqual({ text, ...encoded(text) });
    }
  });
});
