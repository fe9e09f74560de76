import { expect, test } from '@jest/globals';
import { clientOf } from '../../../../functions/two-factor/budget/client';
import { placeOf } from '../../../../functions/two-factor/budget/place';

test.each([
  ['8.8.8.8', '8.8.8.8'],
  ['::ffff:8.8.8.8', '8.8.8.8'],
  ['::FFFF:0808:0808', '8.8.8.8'],
  ['172.32.0.1', '172.32.0.1'],
  ['100.128.0.1', '100.128.0.1'],
  ['2a00:1450:4001:81b::200e', '2a00:1450:4001:81b::/64'],
  ['2A00:1450:4001:081B:ffff:ffff:ffff:ffff', '2a00:1450:4001:81b::/64'],
  ['2a00::1', '2a00:0:0:0::/64'],
  ['2a00:0:0:1::1', '2a00:0:0:1::/64'],
])('%s is the client %s', (address, client) => {
  expect(clientOf(address)).toBe(client);
});

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.1.1',
  '100.64.0.1',
  '::1',
  '::ffff:10.0.0.1',
  'fe80::1%eth0',
  'fd12:3456::1',
  'unknown',
  '',
  undefined,
])('%s tells no client', (address) => {
  expect(clientOf(address)).toBeUndefined();
});

test('10,000 neighbours share a place, the next one has another', () => {
  const places = [0, 1, 4_999, 9_999].map((n) => placeOf(`+1202555${String(n).padStart(4, '0')}`));
  for (const place of places) expect(place).toEqual({ country: 'US', prefix: '+1202555' });
  expect(placeOf('+12025560000')).toEqual({ country: 'US', prefix: '+1202556' });
  expect(placeOf('+4915123456789')).toEqual({ country: 'DE', prefix: '+491512345' });
});
