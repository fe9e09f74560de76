/** What stands in at the edge for what Node has: the same exports, and the same answers. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as nodeBytes from '../../shared/bytes';
import * as edgeBytes from '../../shared/bytes.edge';
import * as nodeHmac from '../../shared/hmac';
import * as edgeHmac from '../../shared/hmac.edge';
import { sha256 } from '../../shared/sha256';
import { systemRandom } from '../../shared/system-random.edge';

const ROOT = path.resolve(__dirname, '../..');
const bytes = fc.uint8Array({ maxLength: 300, size: 'max' });
/** With the one half of a surrogate now and then. */
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

const variants = readdirSync(path.join(ROOT, 'shared'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.edge.ts'))
  .map((file) => file.replace(/\.edge\.ts$/, ''));

test.each(variants)('shared/%s has the exports of the file that it stands in for', (file) => {
  const load = (name: string) => Object.keys(require(path.join(ROOT, 'shared', name))).sort();
  expect(load(`${file}.edge`)).toEqual(load(file));
});

describe('bytes', () => {
  test('are counted, joined and spelled as on Node', () => {
    fc.assert(
      fc.property(fc.array(bytes), texts, (parts, text) => {
        const all = (of: typeof nodeBytes) => {
          const whole = of.concat(parts);
          return [
            hex(whole),
            of.toHex(whole),
            of.toBase64(whole),
            of.toBase64url(whole),
            of.byteLength(text),
            of.byteLength(whole),
            hex(of.fromBase64(of.toBase64(whole))),
            hex(of.fromBase64(of.toBase64url(whole))),
          ];
        };
        expect(all(edgeBytes)).toEqual(all(nodeBytes));
      }),
    );
  });

  test('of what is no base64 are those of Node, which skips it', () => {
    const likeBase64 = fc.array(
      fc.constantFrom('A', 'b', '9', '+', '/', '-', '_', '=', ' ', '\n', 'ü'),
    );
    fc.assert(
      fc.property(likeBase64, (digits) => {
        const text = digits.join('');
        expect([text, hex(edgeBytes.fromBase64(text))]).toEqual([
          text,
          hex(nodeBytes.fromBase64(text)),
        ]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('SHA-256', () => {
  /** FIPS 180-4, the examples of its publisher. */
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ])('of %.20s', (text, digest) => {
    expect(hex(sha256(Buffer.from(text)))).toBe(digest);
  });

  test('with a key, and keys from a secret, are those of Node', () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.oneof(bytes, texts)), (key, parts) => {
        expect(hex(edgeHmac.hmacSha256(key, ...parts))).toBe(
          hex(nodeHmac.hmacSha256(key, ...parts)),
        );
      }),
    );
    fc.assert(
      fc.property(texts, texts, texts, fc.integer({ min: 1, max: 200 }), (a, b, c, length) => {
        expect(hex(edgeHmac.hkdfSha256(a, b, c, length))).toBe(
          hex(nodeHmac.hkdfSha256(a, b, c, length)),
        );
      }),
    );
  });

  test('of every length about the ends of blocks', () => {
    const key = new Uint8Array(32);
    for (let length = 0; length < 200; length += 1) {
      const message = new Uint8Array(length).fill(length);
      expect(hex(edgeHmac.hmacSha256(key, message))).toBe(hex(nodeHmac.hmacSha256(key, message)));
    }
  });
});

test('secrets are equal when each byte is', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      for (const { equalBytes } of [edgeHmac, nodeHmac]) {
        expect(equalBytes(a, Uint8Array.from(a))).toBe(true);
        expect(equalBytes(a, b)).toBe(hex(a) === hex(b));
        if (a.length > 0) expect(equalBytes(a, a.with(-1, (a.at(-1) as number) ^ 1))).toBe(false);
      }
    }),
  );
});

describe('chance', () => {
  test('below a limit is even, and never the limit', () => {
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 60_000; i += 1) {
      const drawn = systemRandom.below(6);
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    expect(counts).toHaveLength(6);
    // Six standard deviations.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(550);
  });

  test('below a limit that is no part of 2^32 is even, too', () => {
    const limit = 3 * 2 ** 30;
    const drawn = Array.from({ length: 6_000 }, () => systemRandom.below(limit));
    const low = drawn.filter((one) => one < 2 ** 30).length;
    // A third of them, give or take six standard deviations; a half without care.
    expect(Math.abs(low - 2_000)).toBeLessThan(220);
  });

  test.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('knows no limit of %d', (limit) => {
    expect(() => systemRandom.below(limit)).toThrow(RangeError);
  });

  test('reaches to the ends of its widest limit', () => {
    const drawn = Array.from({ length: 200 }, () => systemRandom.below(2 ** 32));
    expect(Math.max(...drawn)).toBeGreaterThan(2 ** 31);
    expect(Math.min(...drawn)).toBeLessThan(2 ** 31);
  });

  test('is never the same twice', () => {
    const drawn = Array.from({ length: 100 }, () => hex(systemRandom.bytes(16)));
    expect(new Set(drawn).size).toBe(100);
    expect(systemRandom.uuid()).toMatch(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
  });
});
