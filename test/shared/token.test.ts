import { describe, expect, test } from '@jest/globals';
import { deriveKeys } from '../../shared/keys';
import { signToken, verifyToken } from '../../shared/token';

const OLD = 'an old secret of at least 32 characters';
const NEW = 'a new secret of at least 32 characters!';
const ring = deriveKeys(OLD)('confirm');
const claims = ['newsletter', 'ü|.:,"'];
const token = signToken(ring, { claims, expiresAt: 1_000 });

describe('a signed token', () => {
  test('gives its claims back and fits into a URL', () => {
    expect(verifyToken(ring, token, 0)).toEqual(claims);
    expect(encodeURIComponent(token)).toBe(token);
  });

  test('is good before the instant at which it expires, and not at it', () => {
    expect(verifyToken(ring, token, 999)).toEqual(claims);
    expect(verifyToken(ring, token, 1_000)).toBeUndefined();
  });

  test('is none for another purpose or another secret', () => {
    expect(verifyToken(deriveKeys(OLD)('two-factor'), token, 0)).toBeUndefined();
    expect(verifyToken(deriveKeys(NEW)('confirm'), token, 0)).toBeUndefined();
  });

  test('stays good while its secret is among the several, and the first signs', () => {
    const both = deriveKeys(`${NEW},${OLD}`)('confirm');
    expect(verifyToken(both, token, 0)).toEqual(claims);
    const fresh = signToken(both, { claims, expiresAt: 1_000 });
    expect(verifyToken(both, fresh, 0)).toEqual(claims);
    expect(verifyToken(ring, fresh, 0)).toBeUndefined();
    expect(verifyToken(deriveKeys(NEW)('confirm'), fresh, 0)).toEqual(claims);
  });

  test('is none after any change of any of its characters', () => {
    const signs = 'AQgw09-_.=a';
    for (let at = 0; at < token.length; at++)
      for (const sign of signs) {
        if (token[at] === sign) continue;
        const changed = token.slice(0, at) + sign + token.slice(at + 1);
        expect(verifyToken(ring, changed, 0)).toBeUndefined();
      }
  });

  test('keeps its claims apart', () => {
    const [id, , signature] = token.split('.');
    const joined = Buffer.from(JSON.stringify([1_000, claims.join('')])).toString('base64url');
    expect(verifyToken(ring, `${id}.${joined}.${signature}`, 0)).toBeUndefined();
  });

  test.each([
    '',
    '.',
    '..',
    '...',
    'a.b.c',
    `${token}.`,
    `${token}=`,
    ` ${token}`,
    `${token}.${token}`,
    token.split('.').slice(0, 2).join('.'),
    `${token.split('.')[0]}..${token.split('.')[2]}`,
    'x'.repeat(1_000_000),
  ])('is not %.60j', (text) => {
    expect(verifyToken(ring, text, 0)).toBeUndefined();
  });
});
