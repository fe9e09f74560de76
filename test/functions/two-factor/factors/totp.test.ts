import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase32, encodeBase32 } from '../../../../functions/two-factor/factors/base32';
import {
  hotp,
  matchStep,
  otpauthUrl,
  SECRET_BYTES,
  STEP,
  stepAt,
  totp,
} from '../../../../functions/two-factor/factors/totp';
import { systemRandom } from '../../../../shared/random';
import { PEERS_TIMEOUT, providePeers } from '../../../support/peers';
import { OATHTOOL_TIMEOUT, oathtool, provideOathtool } from './oathtool';

/** What we ask of the otpauth package. */
interface Otpauth {
  readonly Secret: new (options: { buffer: ArrayBufferLike }) => { readonly base32: string };
  readonly TOTP: new (options: object) => Theirs;
  readonly URI: { parse(url: string): Theirs };
}
interface Theirs {
  readonly issuer: string;
  readonly label: string;
  readonly algorithm: string;
  readonly digits: number;
  readonly secret: { readonly base32: string };
  generate(options: { timestamp: number }): string;
}

let otpauth: Otpauth;
beforeAll(async () => {
  otpauth = (await providePeers('totp'))('otpauth');
}, PEERS_TIMEOUT);
beforeAll(provideOathtool, OATHTOOL_TIMEOUT);

/** The seed of RFC 6238 appendix B, as long as the hash. */
const seed = (length: number): Uint8Array =>
  Buffer.from('1234567890'.repeat(7)).subarray(0, length);
const SEEDS = { sha1: seed(20), sha256: seed(32), sha512: seed(64) };

describe('a code by counter', () => {
  test('is that of RFC 4226 appendix D', () => {
    expect(Array.from({ length: 10 }, (_, counter) => hotp(SEEDS.sha1, counter))).toEqual(
      '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' '),
    );
  });

  test('takes counters beyond 32 bits', () => {
    const key = Buffer.from(SEEDS.sha1).toString('hex');
    for (const counter of [2 ** 31, 2 ** 32, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER])
      expect([hotp(SEEDS.sha1, counter)]).toEqual(oathtool('-c', String(counter), key));
  });
});

describe('a code by time', () => {
  test.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('at %i s is that of RFC 6238 appendix B', (seconds, sha1, sha256, sha512) => {
    const at = (algorithm: keyof typeof SEEDS) =>
      totp(SEEDS[algorithm], seconds * 1_000, { algorithm, digits: 8 });
    expect([at('sha1'), at('sha256'), at('sha512')]).toEqual([sha1, sha256, sha512]);
  });

  test('is that of oathtool, with six digits, for secrets of ours over hours', () => {
    for (let round = 0; round < 3; round++) {
      const secret = systemRandom.bytes(SECRET_BYTES);
      const now = 1_700_000_000_000 + systemRandom.below(1e9) * 1_000;
      const codes = oathtool(
        ...['--totp=sha1', '-b', '-w', '199', '-N', `@${now / 1_000}`, encodeBase32(secret)],
      );
      expect(codes).toHaveLength(200);
      expect(codes).toEqual(Array.from({ length: 200 }, (_, i) => totp(secret, now + i * STEP)));
    }
  });

  test('is that of the otpauth package, for every algorithm and length', () => {
    for (const algorithm of ['sha1', 'sha256', 'sha512'] as const)
      for (const digits of [6, 7, 8]) {
        const bytes = Uint8Array.from(systemRandom.bytes(64));
        const secret = new otpauth.Secret({ buffer: bytes.buffer });
        const theirs = new otpauth.TOTP({ algorithm: algorithm.toUpperCase(), digits, secret });
        for (let i = 0; i < 100; i++) {
          const timestamp = systemRandom.below(2 ** 41);
          const ours = totp(bytes, timestamp, { algorithm, digits });
          expect(ours).toBe(theirs.generate({ timestamp }));
        }
      }
  });
});

describe('the window (A11)', () => {
  const secret = SEEDS.sha1;
  /** The first millisecond of a step. */
  const start = 50_000_000 * STEP;
  const step = stepAt(start);
  const match = (code: string, now: number, usedStep = -1) =>
    matchStep({ secret, code, now, usedStep });

  test('is one step either way, to the millisecond', () => {
    const code = hotp(secret, step);
    expect(match(code, start - STEP - 1)).toBeUndefined();
    for (const now of [start - STEP, start, start + STEP - 1, start + 2 * STEP - 1])
      expect(match(code, now)).toBe(step);
    expect(match(code, start + 2 * STEP)).toBeUndefined();
  });

  test('of 2,001 steps around the present has three', () => {
    const matched = Array.from({ length: 2_001 }, (_, i) => step - 1_000 + i).filter(
      (one) => match(hotp(secret, one), start) === one,
    );
    expect(matched).toEqual([step - 1, step, step + 1]);
  });

  test('has no step that was used, nor one before it, whatever the clock says', () => {
    for (const now of [start - STEP, start, start + STEP])
      for (const one of [step - 1, step])
        expect(match(hotp(secret, one), now, step)).toBeUndefined();
    expect(match(hotp(secret, step + 1), start, step)).toBe(step + 1);
  });

  test('begins with time itself', () => {
    expect(match(hotp(secret, 0), 0)).toBe(0);
    expect(match(hotp(secret, 1), 0)).toBe(1);
    expect(match(hotp(secret, 2), 0)).toBeUndefined();
  });

  test('knows a code only as it is written', () => {
    const code = hotp(secret, step);
    for (const other of ['', code.slice(1), `0${code}`, `${code} `, `${code}\n`, code.slice(0, 5)])
      expect(match(other, start)).toBeUndefined();
  });
});

describe('base32', () => {
  test.each([
    ['', ''],
    ['f', 'MY======'],
    ['fo', 'MZXQ===='],
    ['foo', 'MZXW6==='],
    ['foob', 'MZXW6YQ='],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI======'],
  ])('of %j is that of RFC 4648 section 10', (text, encoded) => {
    const bare = encoded.replaceAll('=', '');
    expect(encodeBase32(Buffer.from(text))).toBe(bare);
    for (const form of [encoded, bare])
      expect(Buffer.from(decodeBase32(form) as Uint8Array).toString()).toBe(text);
  });

  test('comes back as it was, and as the otpauth package has it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const own = Uint8Array.from(bytes);
        const text = encodeBase32(own);
        expect(text).toBe(new otpauth.Secret({ buffer: own.buffer }).base32);
        expect(decodeBase32(text)).toEqual(own);
      }),
    );
  });

  test('has one text for one list of bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ABM7='), maxLength: 17 }), (text) => {
        const bytes = decodeBase32(text);
        if (bytes) expect(encodeBase32(bytes)).toBe(text.replaceAll('=', ''));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['lower case', 'mzxw6ytb'],
    ['digits that are none', 'MZXW6YT1'],
    ['a blank', 'MZXW 6YTB'],
    ['a line end', 'MZXW6YTB\n'],
    ['a hyphen', 'MZXW-6YTB'],
    ['bits that are left over', 'MZ'],
    ['one digit', 'M'],
    ['three digits', 'MZX'],
    ['six digits', 'MZXW6Y'],
    ['padding that is too short', 'MY====='],
    ['padding that is too long', 'MY======='],
    ['padding where none belongs', 'MZXW6YTB========'],
    ['padding within', 'MY======MY======'],
    ['padding alone', '========'],
    ['letters that only look the same', 'ＭＺＸＷ６ＹＴＢ'],
  ])('takes no %s', (_, text) => {
    expect(decodeBase32(text)).toBeUndefined();
  });
});

describe('the otpauth URL', () => {
  const secret = SEEDS.sha1;

  test('says what the authenticator needs', () => {
    expect(otpauthUrl({ issuer: 'Example Bank', account: 'user@example.com', secret })).toBe(
      'otpauth://totp/Example%20Bank:user%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20Bank&algorithm=SHA1&digits=6&period=30',
    );
  });

  test('is read by the otpauth package as it was meant, whatever the names hold', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .filter((text) => !text.includes(':') && text.trim() === text);
    fc.assert(
      fc.property(name, name, (issuer, account) => {
        const read = otpauth.URI.parse(otpauthUrl({ issuer, account, secret }));
        expect(read).toBeInstanceOf(otpauth.TOTP);
        expect([read.issuer, read.label, read.algorithm, read.digits]).toEqual([
          ...[issuer, account, 'SHA1', 6],
        ]);
        expect(read.secret.base32).toBe(encodeBase32(secret));
      }),
    );
  });

  test.each(['&secret=AAAA', '?issuer=x', '/../x', '#', '+ %2B', 'ä 日本 😀'])(
    'lets no name add to it: %s',
    (name) => {
      const url = new URL(otpauthUrl({ issuer: name, account: name, secret }));
      expect([...url.searchParams.keys()]).toEqual(
        'secret issuer algorithm digits period'.split(' '),
      );
      expect(url.searchParams.get('issuer')).toBe(name);
      expect(decodeURIComponent(url.pathname)).toContain(`${name}:${name}`);
    },
  );
});
