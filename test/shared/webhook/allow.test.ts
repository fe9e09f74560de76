import { describe, expect, test } from '@jest/globals';
import { parseAllow } from '../../../shared/webhook/allow';

describe('an allow list', () => {
  test('that is empty lets nothing pass', () => {
    for (const text of ['', ' ', ',', ' , ,']) {
      const allow = parseAllow(text);
      expect(allow.hasAddresses).toBe(false);
      expect(allow.name('localhost', 80)).toBe(false);
      expect(allow.name('', 80)).toBe(false);
      expect(allow.address('127.0.0.1', 80)).toBe(false);
    }
  });

  test('names hosts, for every port or for one', () => {
    const allow = parseAllow('CRM.internal, redis:6379,bücher.example., xn--bcher-kva.test:80');
    expect(allow.name('crm.internal', 1)).toBe(true);
    expect(allow.name('redis', 6379)).toBe(true);
    expect(allow.name('redis', 6380)).toBe(false);
    expect(allow.name('xn--bcher-kva.example', 443)).toBe(true);
    expect(allow.name('xn--bcher-kva.test', 80)).toBe(true);
    expect(allow.name('xn--bcher-kva.test', 443)).toBe(false);
    expect(allow.hasAddresses).toBe(false);
  });

  test('does not name what is below a host, or ends like it', () => {
    const allow = parseAllow('example.com');
    for (const name of ['www.example.com', 'notexample.com', 'example.com.evil.test', 'example'])
      expect(allow.name(name, 443)).toBe(false);
  });

  test('names addresses and ranges, for every port or for one', () => {
    const allow = parseAllow('10.0.0.0/8,192.168.1.7,127.0.0.1:9000,[::1]:9001,fd00::/8,::2,[::3]');
    expect(allow.hasAddresses).toBe(true);
    for (const address of ['10.0.0.0', '10.255.255.255', '192.168.1.7', 'fd12::1', '::2', '::3'])
      expect(allow.address(address, 1234)).toBe(true);
    for (const address of ['11.0.0.0', '192.168.1.8', 'fe00::1', '::4', '127.0.0.1', '::1'])
      expect(allow.address(address, 1234)).toBe(false);
    expect(allow.address('127.0.0.1', 9000)).toBe(true);
    expect(allow.address('127.0.0.1', 9001)).toBe(false);
    expect(allow.address('::1', 9001)).toBe(true);
    expect(allow.address('fd12::1%eth0', 1234)).toBe(false);
  });

  test('takes every spelling of an address that a URL takes', () => {
    for (const text of ['0x7f.1', '2130706433:80', '127.1', '[0:0:0:0:0:0:0:1]', '①②⑦.0.0.1']) {
      const allow = parseAllow(text);
      expect(allow.address(text.startsWith('[') ? '::1' : '127.0.0.1', 80)).toBe(true);
    }
  });

  test('names all its mistakes at once', () => {
    const mistakes = [
      '10.0.0.0/33',
      '10.0.0.0/',
      'fd00::/129',
      'example.com/8',
      'http://example.com',
      'user@example.com',
      'example.com:0',
      'example.com:65536',
      'example.com:http',
      '*.example.com',
      'two words',
      '300.1.1.1',
      '[::1',
      'fe80::1%eth0',
      '-',
    ];
    const text = ['fine.example', ...mistakes].join(',');
    expect(() => parseAllow(text)).toThrow(TypeError);
    expect(() => parseAllow(text)).toThrow(
      `not a host, host:port or CIDR range: ${mistakes.map((one) => JSON.stringify(one)).join(', ')}`,
    );
  });
});
