/** IP addresses, beside what Node makes of them. */
import { isIP } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ipFamily } from '../../shared/ip';

const likeAddresses = fc.oneof(
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.stringMatching(/^[0-9a-fA-F:.]{0,40}$/),
  fc.stringMatching(/^(?:[0-9]{1,3}\.){2,4}[0-9]{1,3}$/),
  fc.stringMatching(/^(?:[0-9a-fA-F]{0,5}:){1,8}[0-9a-f]{0,4}(?:(?:\.?[0-9]{1,3}){4})?$/),
  fc.string(),
);

test('every text is what Node takes it for', () => {
  fc.assert(
    fc.property(likeAddresses, (text) => {
      fc.pre(!text.includes('%'));
      expect([text, ipFamily(text)]).toEqual([text, isIP(text)]);
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ['127.0.0.1', 4],
  ['::', 6],
  ['::ffff:192.0.2.1', 6],
  ['1:2:3:4:5:6:7::', 6],
  ['127.1', 0],
  ['0x7f.1', 0],
  ['01.2.3.4', 0],
  ['::1]@a[', 0],
  ['fe80::1%eth0', 0],
  ['', 0],
] as const)('%j: %i', (text, family) => {
  expect(ipFamily(text)).toBe(family);
});
