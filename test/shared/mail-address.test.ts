import { describe, expect, test } from '@jest/globals';
import { addressKey, canonicalAddress, parseMailbox } from '../../shared/mail-address';
import { compile } from '../../shared/schema';
import { HOSTILE_ADDRESSES } from '../support/hostile-addresses';

describe('a canonical mail address', () => {
  test.each([
    ['ada@example.com', 'ada@example.com'],
    ['  Ada.Lovelace@Example.COM\t', 'Ada.Lovelace@example.com'],
    ["o'brien+news@mail.example.co.uk", "o'brien+news@mail.example.co.uk"],
    ['a@xn--bcher-kva.example', 'a@xn--bcher-kva.example'],
    [`${'l'.repeat(64)}@example.com`, `${'l'.repeat(64)}@example.com`],
  ])('%j is %j', (typed, address) => {
    expect(canonicalAddress(typed)).toBe(address);
  });

  test.each(HOSTILE_ADDRESSES.map((hostile) => [hostile]))('%j is none', (hostile) => {
    expect(canonicalAddress(hostile)).toBeUndefined();
    expect(addressKey(hostile)).toBeUndefined();
  });

  test('is at most 254 characters long', () => {
    const labels = `${'d'.repeat(60)}.`.repeat(3);
    const longest = `${'l'.repeat(64)}@${labels}${'e'.repeat(254 - 65 - labels.length - 4)}.com`;
    expect(longest).toHaveLength(254);
    expect(canonicalAddress(longest)).toBe(longest);
    expect(canonicalAddress(`l${longest}`)).toBeUndefined();
    expect(canonicalAddress(longest.replace('.com', '.info'))).toBeUndefined();
  });

  test('is found in linear time', () => {
    const started = performance.now();
    canonicalAddress(`a${' '.repeat(1_000_000)}@example.com`);
    canonicalAddress(`${'a.'.repeat(500_000)}@`);
    expect(performance.now() - started).toBeLessThan(50);
  });

  test('is what the email format of schemas takes, blanks around it aside', () => {
    const check = compile({ type: 'string', format: 'email' });
    for (const hostile of HOSTILE_ADDRESSES) expect(check(hostile)).not.toEqual([]);
    expect(check('ada@example.com')).toEqual([]);
  });

  test('has one key for all its spellings, and dots and plus signs tell mailboxes apart', () => {
    expect(addressKey(' Ada@Example.com')).toBe('ada@example.com');
    const keys = ['a.da@gmail.com', 'ada@gmail.com', 'ada+x@gmail.com'].map(addressKey);
    expect(new Set(keys).size).toBe(3);
  });
});

describe('a mailbox of a setting', () => {
  test.each([
    ['hello@example.com', '', 'hello@example.com'],
    ['Faas Patterns <hello@Example.com>', 'Faas Patterns', 'hello@example.com'],
    ['Zoë & Co. <hello@example.com>', 'Zoë & Co.', 'hello@example.com'],
    ['<hello@example.com>', '', 'hello@example.com'],
  ])('%j', (text, name, address) => {
    expect(parseMailbox(text)).toEqual({ name, address });
  });

  test.each([
    'hello',
    'A <a@example.com>, B <b@example.com>',
    'A <a@example.com> <b@example.com>',
    'A\r\nBcc: <b@example.com>',
    'A, B <a@example.com>',
    '"A" <a@example.com>',
    'A <a@example.com',
    'A <>',
  ])('%j is none', (text) => {
    expect(parseMailbox(text)).toBeUndefined();
  });
});
