import { describe, expect, test } from '@jest/globals';
import { cookieOf, setCookie } from '../../../shared/http/cookies';

describe('a cookie', () => {
  test.each([
    ['sid=1', '1'],
    ['a=b; sid=1', '1'],
    ['a=b;sid=1;c=d', '1'],
    ['a=b;\tsid=1 ; c=d', '1'],
    ['sid=1; sid=2', '1'],
    ['sid=; sid=2', '2'],
    ['sid="q"', '"q"'],
    ['sid=a=b', 'a=b'],
    ['sid=a b', 'a b'],
    ['SID=1', undefined],
    ['xsid=1; sidx=2', undefined],
    ['sid', undefined],
    ['sid =1', undefined],
    ['x="; sid=1"', '1"'],
    ['', undefined],
    ['; ;', undefined],
  ])('of %j is %j', (field, value) => {
    expect(cookieOf(field, 'sid')).toBe(value);
  });
});

describe('what sets one', () => {
  test('keeps it from scripts and from the forms of other sites', () => {
    expect(setCookie({ name: 'sid', value: 'v', secure: false })).toBe(
      'sid=v; Path=/; HttpOnly; SameSite=Lax',
    );
  });

  test('says how long, where, and over what', () => {
    expect(setCookie({ name: 'sid', value: 'v', path: '/x', ttl: 90_500, secure: true })).toBe(
      'sid=v; Path=/x; Max-Age=91; HttpOnly; SameSite=Lax; Secure',
    );
  });
});
