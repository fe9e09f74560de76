import { createCipheriv, createDecipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deriveKeys } from '../../shared/keys';
import { type Random, systemRandom } from '../../shared/random';
import { open, seal } from '../../shared/seal';

const OLD = 'an old test secret of at least 32 chars';
const NEW = 'a new test secret of at least 32 characters';
const keys = deriveKeys(NEW)('test');
const close = (plain: string, ...bindings: string[]) =>
  seal(keys, systemRandom, plain, ...bindings);

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('what is sealed', () => {
  test('opens as it was, with any text and any bindings', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, fc.array(text), (plain, bindings) => {
        expect(open(keys, close(plain, ...bindings), ...bindings)).toBe(plain);
      }),
    );
  });

  test('is the id of the key and base64url, 28 bytes longer than the text', () => {
    const sealed = close('x'.repeat(20));
    expect(sealed).toMatch(/^[\w-]+\.[\w-]{64}$/);
    expect(sealed.split('.')[0]).toBe(keys.current.id);
  });

  test('is AES-256-GCM as others read and write it', () => {
    const bytes = Buffer.from(close('a text', 'a', 'bc').split('.')[1] as string, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', keys.current.bytes, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from('1:a,2:bc,')).setAuthTag(bytes.subarray(-16));
    expect(`${decipher.update(bytes.subarray(12, -16))}${decipher.final()}`).toBe('a text');
    const cipher = createCipheriv('aes-256-gcm', keys.current.bytes, Buffer.alloc(12, 7));
    cipher.setAAD(Buffer.from('3:ä?,'));
    const made = Buffer.concat([
      Buffer.alloc(12, 7),
      cipher.update('another'),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    expect(open(keys, `${keys.current.id}.${made.toString('base64url')}`, 'ä?')).toBe('another');
  });

  test('has a fresh nonce of 96 random bits each time', () => {
    const asked: number[] = [];
    const random: Random = {
      ...systemRandom,
      bytes: (count) => {
        asked.push(count);
        return systemRandom.bytes(count);
      },
    };
    const nonces = Array.from({ length: 1_000 }, () =>
      seal(keys, random, 'same').split('.')[1]?.slice(0, 16),
    );
    expect(new Set(nonces).size).toBe(1_000);
    expect(new Set(asked)).toEqual(new Set([12]));
  });
});

describe('it does not open', () => {
  test.each([
    ['without them', ['a', 'b'], []],
    ['with one of them', ['a', 'b'], ['a']],
    ['with one more', ['a', 'b'], ['a', 'b', '']],
    ['in another order', ['a', 'b'], ['b', 'a']],
    ['when they run together', ['a', 'b'], ['ab']],
    ['when the boundary moves', ['ab', 'c'], ['a', 'bc']],
    ['when one looks like two', ['a,1:b'], ['a', 'b']],
  ])('%s: other bindings', (_, bound, given) => {
    expect(open(keys, close('text', ...bound), ...bound)).toBe('text');
    expect(open(keys, close('text', ...bound), ...given)).toBeUndefined();
  });

  test('when any character of it was exchanged, left out or added', () => {
    const sealed = close('a text of some length', 'a');
    for (let at = 0; at < sealed.length; at++) {
      const before = sealed.slice(0, at);
      expect(open(keys, before + sealed.slice(at + 1), 'a')).toBeUndefined();
      expect(open(keys, `${before}A${sealed.slice(at)}`, 'a')).toBeUndefined();
      for (const other of ALPHABET) {
        const changed = before + other + sealed.slice(at + 1);
        if (changed !== sealed) expect(open(keys, changed, 'a')).toBeUndefined();
      }
    }
  });

  test('in another spelling of the same bytes', () => {
    // 28 bytes and 4: the last character holds two bits that mean nothing.
    const sealed = close('1234');
    const last = ALPHABET.indexOf(sealed.at(-1) as string);
    const spellings = [0, 1, 2, 3].map(
      (bits) => sealed.slice(0, -1) + ALPHABET[(last & 60) | bits],
    );
    expect(spellings.filter((spelling) => open(keys, spelling) !== undefined)).toEqual([sealed]);
    for (const other of [`${sealed}=`, ` ${sealed}`, `${sealed}\n`, sealed.replace('.', '..')])
      expect(open(keys, other)).toBeUndefined();
  });

  test('with a tag cut short, which GCM itself would take', () => {
    const [id, text = ''] = close('x'.repeat(20)).split('.');
    const bytes = Buffer.from(text, 'base64url');
    for (let length = 0; length < bytes.length; length++)
      expect(
        open(keys, `${id}.${bytes.subarray(0, length).toString('base64url')}`),
      ).toBeUndefined();
  });

  test('when it is no seal at all', () => {
    for (const text of ['', '.', 'x', `${keys.current.id}.`, keys.current.id, '\u0000', '💥.💥'])
      expect(open(keys, text)).toBeUndefined();
  });

  test('with a key of another purpose', () => {
    expect(open(deriveKeys(NEW)('another'), close('text'))).toBeUndefined();
  });
});

test('a new version of the key opens what the old one sealed, seals with its own, and without the old one nothing old opens', () => {
  const sealed = seal(deriveKeys(OLD)('test'), systemRandom, 'text', 'a');
  const both = deriveKeys(`${NEW},${OLD}`)('test');
  expect(open(both, sealed, 'a')).toBe('text');
  expect(open(keys, seal(both, systemRandom, 'text', 'a'), 'a')).toBe('text');
  expect(open(keys, sealed, 'a')).toBeUndefined();
});
