import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseHttpDate } from '../../shared/http/date';
import {
  delayBefore,
  MAX_RETRY_AFTER,
  NO_ANSWER,
  nextAttemptAt,
  readRetryAfter,
  verdict,
} from '../../shared/retry';

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);
const retry = { attempts: 5, backoff: 500, maxBackoff: 30_000, jitter: 0.5 };

describe('verdict', () => {
  test.each([
    [200, 'delivered'],
    [201, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [101, 'failed'],
    [300, 'failed'],
    [301, 'failed'],
    [304, 'failed'],
    [307, 'failed'],
    [400, 'failed'],
    [401, 'failed'],
    [403, 'failed'],
    [404, 'failed'],
    [408, 'again'],
    [409, 'again'],
    [410, 'gone'],
    [413, 'failed'],
    [422, 'failed'],
    [425, 'again'],
    [429, 'again'],
    [499, 'failed'],
    [500, 'again'],
    [501, 'again'],
    [503, 'again'],
    [599, 'again'],
    [600, 'failed'],
    [999, 'failed'],
    [NO_ANSWER, 'again'],
  ] as const)('%s is %s', (status, expected) => {
    expect(verdict(status)).toBe(expected);
  });
});

describe('delayBefore', () => {
  test('doubles up to the cap', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map((attempt) =>
      delayBefore(attempt, retry, 0),
    );
    expect(delays).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('is lengthened by up to its jitter, at the cap too, and never shortened', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 2_000 }),
        fc.integer({ min: 1, max: 3_600_000 }),
        fc.integer({ min: 0, max: 82_800_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, backoff, more, jitter, random01) => {
          const policy = { backoff, maxBackoff: backoff + more, jitter };
          const least = delayBefore(attempt, policy, 0);
          const delay = delayBefore(attempt, policy, random01);
          expect(least).toBeGreaterThanOrEqual(backoff);
          expect(least).toBeLessThanOrEqual(policy.maxBackoff);
          expect(delay).toBeGreaterThanOrEqual(least);
          expect(delay).toBeLessThanOrEqual(Math.ceil(least * (1 + jitter)));
          expect(Number.isSafeInteger(delay)).toBe(true);
        },
      ),
    );
    expect(delayBefore(9, retry, 0.5)).toBe(37_500);
    expect(delayBefore(9, { ...retry, jitter: 1 }, 0.5)).toBe(45_000);
    expect(delayBefore(9, { ...retry, jitter: 0 }, 0.5)).toBe(30_000);
  });
});

describe('readRetryAfter', () => {
  test.each([
    ['120', NOW + 120_000],
    [' 1 ', NOW + 1_000],
    ['Fri, 20 Nov 2026 12:00:30 GMT', NOW + 30_000],
    ['Friday, 20-Nov-26 12:00:30 GMT', NOW + 30_000],
    ['Fri Nov 20 12:00:30 2026', NOW + 30_000],
    ['3600', NOW + MAX_RETRY_AFTER],
    ['3601', NOW + MAX_RETRY_AFTER],
    ['99999999999999999999999999', NOW + MAX_RETRY_AFTER],
    [`9${'9'.repeat(400)}`, NOW + MAX_RETRY_AFTER],
    ['Fri, 20 Nov 2126 12:00:30 GMT', NOW + MAX_RETRY_AFTER],
  ])('reads %j, an hour at most', (field, at) => {
    expect(readRetryAfter(field, NOW)).toBe(at);
  });

  test.each([
    null,
    undefined,
    '',
    '0',
    '-1',
    '1.5',
    '+1',
    '1e3',
    '0x10',
    '10s',
    'soon',
    '2026-11-20T12:00:30Z',
    'Fri, 20 Nov 2026 12:00:30',
    'Fri, 20 Nov 2026 12:00:30 CET',
    'Fri, 20 Nov 2026 11:59:30 GMT',
    'Tue, 31 Feb 2026 12:00:30 GMT',
    '120, 240',
  ])('ignores %j', (field) => {
    expect(readRetryAfter(field, NOW)).toBeUndefined();
  });
});

describe('nextAttemptAt', () => {
  test('is after the delay', () => {
    expect(nextAttemptAt({ attempt: 1, retry, now: NOW, random01: 0 })).toBe(NOW + 500);
    expect(nextAttemptAt({ attempt: 2, retry, now: NOW, random01: 0 })).toBe(NOW + 1_000);
  });

  test('is not before Retry-After, and not sooner for a shorter one', () => {
    const at = (retryAfter: string) =>
      nextAttemptAt({ attempt: 2, retry, now: NOW, random01: 0, retryAfter });
    expect(at('7')).toBe(NOW + 7_000);
    expect(at('0')).toBe(NOW + 1_000);
    expect(at('junk')).toBe(NOW + 1_000);
    expect(at('31536000')).toBe(NOW + MAX_RETRY_AFTER);
  });

  test('is before the deadline, or never', () => {
    const at = (deadline: number, retryAfter?: string) =>
      nextAttemptAt({ attempt: 1, retry, now: NOW, random01: 0, retryAfter, deadline });
    expect(at(NOW + 501)).toBe(NOW + 500);
    expect(at(NOW + 500)).toBeUndefined();
    expect(at(NOW)).toBeUndefined();
    expect(at(NOW + 7_001, '7')).toBe(NOW + 7_000);
    expect(at(NOW + 7_000, '7')).toBeUndefined();
  });

  test('is never, once all attempts are made', () => {
    for (const attempt of [5, 6])
      expect(
        nextAttemptAt({ attempt, retry, now: NOW, random01: 0, retryAfter: '1' }),
      ).toBeUndefined();
    expect(
      nextAttemptAt({ attempt: 1, retry: { ...retry, attempts: 1 }, now: NOW, random01: 0 }),
    ).toBeUndefined();
  });
});

describe('parseHttpDate', () => {
  test('reads the three forms of RFC 9110 section 5.6.7', () => {
    const at = Date.UTC(1994, 10, 6, 8, 49, 37);
    expect(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT', NOW)).toBe(at);
    expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', NOW)).toBe(at);
    expect(parseHttpDate('Sun Nov  6 08:49:37 1994', NOW)).toBe(at);
  });

  test('takes a year of two digits for the nearest one, at most 50 years ahead', () => {
    const year = (text: string, now = NOW) =>
      new Date(parseHttpDate(`Sunday, 06-Nov-${text} 08:49:37 GMT`, now) ?? 0).getUTCFullYear();
    expect(year('76')).toBe(2076);
    expect(year('77')).toBe(1977);
    expect(year('26')).toBe(2026);
    expect(year('05', Date.UTC(2099, 0))).toBe(2105);
    expect(year('50', Date.UTC(2099, 0))).toBe(2050);
  });

  test('reads every instant that it is given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_799 }), (seconds) => {
        expect(parseHttpDate(new Date(seconds * 1000).toUTCString(), NOW)).toBe(seconds * 1000);
      }),
    );
  });

  test.each([
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
  ])('refuses %j', (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined();
  });
});
