import { scryptSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLanes } from '../../../../functions/two-factor/factors/lanes';
import {
  CODES,
  createHash,
  drawRecoveryCodes,
  readRecoveryCode,
  withoutHash,
} from '../../../../functions/two-factor/factors/recovery';
import { systemRandom } from '../../../../shared/random';

describe('a set of recovery codes', () => {
  test('has ten of ten letters in two groups, all different', () => {
    for (let round = 0; round < 100; round++) {
      const codes = drawRecoveryCodes(systemRandom);
      expect(new Set(codes).size).toBe(10);
      for (const code of codes)
        expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
    }
  });

  test('has fifty bits in each: every letter of 32 is as likely at every place', () => {
    const rounds = 4_000;
    const codes = Array.from({ length: rounds }, () => drawRecoveryCodes(systemRandom)).flat();
    for (const place of [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]) {
      const seen = new Map<string, number>();
      for (const code of codes)
        seen.set(code[place] as string, (seen.get(code[place] as string) ?? 0) + 1);
      expect(seen.size).toBe(32);
      const expected = (rounds * CODES) / 32;
      const chiSquare = [...seen.values()].reduce(
        (sum, n) => sum + (n - expected) ** 2 / expected,
        0,
      );
      // 31 degrees of freedom: above 90 once in ten million times.
      expect(chiSquare).toBeLessThan(90);
    }
  });
});

describe('what a person types', () => {
  test.each([
    ['as it is written', 'K1Q0M-XH0VT'],
    ['without the hyphen', 'K1Q0MXH0VT'],
    ['in lower case', 'k1q0m-xh0vt'],
    ['with o for 0', 'KIQOM-xhovt'],
    ['with i and l for 1', 'kiqom-xh0vt'],
    ['with l for 1', 'klq0m-xh0vt'],
    ['in groups of its own', ' k1 q0 m-xh 0v t '],
    ['with the dash of a word processor', 'K1Q0M\u2013XH0VT'],
    ['with a hyphen that does not break', 'K1Q0M\u2011XH0VT'],
    ['with a blank that does not break, and a line end', 'K1Q0M\u00a0XH0VT\r\n'],
  ])('is the same code %s', (_, typed) => {
    expect(readRecoveryCode(typed)).toBe('K1Q0MXH0VT');
  });

  test.each([
    ['nothing', ''],
    ['nine letters', 'K1Q0M-XH0V'],
    ['eleven letters', 'K1Q0M-XH0VTT'],
    ['a letter that no code has', 'K1Q0M-XH0VU'],
    ['a dotless i, whose upper case is I', 'k\u0131q0mxh0vt'],
    ['a long s, whose upper case is S', 'k1q0mxh0v\u017f'],
    ['full-width letters', 'Ｋ１Ｑ０ＭＸＨ０ＶＴ'],
    ['Arabic digits', 'K١Q٠MXH٠VT'],
    ['an underscore', 'K1Q0M_XH0VT'],
    ['a zero-width space', 'K1Q0M\u200bXH0VT'],
    ['NUL', 'K1Q0MXH0VT\0'],
    ['more than anybody types', `K1Q0MXH0VT${' '.repeat(60)}`],
  ])('is no code when it has %s', (_, typed) => {
    expect(readRecoveryCode(typed)).toBeUndefined();
  });

  test('is read as one of what is drawn, or not at all', () => {
    const unit = fc.constantFrom(...'0OoIil1LuUzZ9- ');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 14 }), (typed) => {
        const code = readRecoveryCode(typed);
        if (code !== undefined) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the hash', () => {
  test('is scrypt with the cost that is promised', async () => {
    const salt = Buffer.alloc(16, 5);
    const made = scryptSync('K1Q0MXH0VT', salt, 32, { N: 16_384, r: 8, p: 1 });
    const hash = createHash(createLanes());
    expect(await hash('K1Q0MXH0VT', salt.toString('base64url'))).toBe(made.toString('base64url'));
  });

  test('is made once for all who ask for the same at the same moment, and for each who asks for something else', async () => {
    let made = 0;
    const hash = createHash(async (work) => {
      made += 1;
      return work();
    });
    const all = await Promise.all(Array.from({ length: 50 }, () => hash('A', 'c2FsdA')));
    expect([made, new Set(all).size]).toEqual([1, 1]);
    await Promise.all([hash('A', 'c2FsdA'), hash('B', 'c2FsdA'), hash('A', 'c2FsdB')]);
    expect(made).toBe(4);
  });

  test('leaves the event loop free', async () => {
    const hash = createHash(createLanes());
    let turns = 0;
    let done = false;
    const hashing = Promise.all(['A', 'B', 'C', 'D'].map((code) => hash(code, ''))).then(() => {
      done = true;
    });
    while (!done) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await hashing;
    // Four of them one after the other on the loop would leave it a handful of turns.
    expect(turns).toBeGreaterThan(50);
  });
});

describe('lanes', () => {
  const pile = (lanes: ReturnType<typeof createLanes>) => {
    const ends: (() => void)[] = [];
    const state = { running: 0, most: 0, order: [] as number[], end: () => ends.shift()?.() };
    const add = (n: number) =>
      lanes(async () => {
        state.running += 1;
        state.most = Math.max(state.most, state.running);
        state.order.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        state.running -= 1;
        return n;
      });
    const drain = async () => {
      for (let idle = 0; idle < 20; idle++) {
        for (const end of ends.splice(0)) {
          idle = 0;
          end();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return { state, add, drain };
  };

  test('let two work at a time, in the order in which they came', async () => {
    const { state, add, drain } = pile(createLanes());
    const all = Array.from({ length: 102 }, (_, n) => add(n));
    await drain();
    expect(await Promise.all(all)).toEqual(Array.from({ length: 102 }, (_, n) => n));
    expect(state.most).toBe(2);
    expect(state.order).toEqual(Array.from({ length: 102 }, (_, n) => n));
  });

  test('refuse at once whoever finds two at work and a hundred waiting, and nobody later', async () => {
    const { state, add, drain } = pile(createLanes());
    const all = Array.from({ length: 1_000 }, (_, n) => add(n).catch((thrown) => thrown));
    const refused = (await Promise.all(all.slice(102))) as { code: string; status: number }[];
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['store_unavailable']));
    await drain();
    expect(state.order).toHaveLength(102);
    const late = add(5_000);
    await drain();
    expect(await late).toBe(5_000);
  });

  test('are handed over: nobody who comes in between makes it three', async () => {
    const { state, add, drain } = pile(createLanes({ lanes: 1, waiting: 10 }));
    const all = [add(0), add(1)];
    for (let n = 2; n < 10; n++) {
      // One leaves, one who waited goes on, and only then one more comes.
      for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
      state.end();
      await new Promise((resolve) => setImmediate(resolve));
      all.push(add(n));
    }
    await drain();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(state.most).toBe(1);
  });

  test('are free again after work that fails', async () => {
    const lanes = createLanes({ lanes: 1, waiting: 10 });
    const fail = () => lanes(() => Promise.reject(new Error('no')));
    const outcomes = await Promise.allSettled([fail(), fail(), fail(), lanes(async () => 'yes')]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      ...['rejected', 'rejected', 'rejected', 'fulfilled'],
    ]);
    expect(await lanes(async () => 'yes')).toBe('yes');
  });
});

test('the hash that was used leaves the list, and the others stay in their order', () => {
  expect(withoutHash(['aa', 'bb', 'cc'], 'bb')).toEqual(['aa', 'cc']);
  expect(withoutHash(['aa'], 'aa')).toEqual([]);
  for (const [known, given] of [
    [[], 'aa'],
    [['aa'], 'ab'],
    [['aa'], 'a'],
    [['aa'], ''],
  ] as const)
    expect(withoutHash(known, given)).toBeUndefined();
});
