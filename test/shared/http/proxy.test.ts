import { describe, expect, test } from '@jest/globals';
import { Failure } from '../../../shared/failure';
import type { ForwardOptions } from '../../../shared/handler';
import { proxyTo } from '../../../shared/http/proxy';
import { text } from '../../../shared/http/response';
import { withBody } from '../../../shared/http/with-body';
import { testContext } from '../../support/invoke';

const sendTo = (target: string, path: string, request = new Request('http://test.local/')) => {
  const sent: [string, ForwardOptions | undefined][] = [];
  const context = testContext({
    path,
    forward: (origin, options) => {
      sent.push([origin, options]);
      return text('');
    },
  });
  const response = proxyTo(target)(request, context);
  return { sent, response };
};

describe('a handler for a server behind', () => {
  test.each([
    ['http://api.test', '/', '/'],
    ['http://api.test', '/a/b', '/a/b'],
    ['http://api.test/v1', '/', '/v1'],
    ['http://api.test/v1/', '/', '/v1/'],
    ['http://api.test/v1/', '/a', '/v1/a'],
    ['http://api.test:81/v1', '/a//%2Fb%20c/..d', '/v1/a//%2Fb%20c/..d'],
  ])('joins %s and %s', (target, path, expected) => {
    const { sent } = sendTo(target, path);
    expect(sent[0]?.[0]).toBe(new URL(target).origin);
    expect(sent[0]?.[1]?.path).toBe(expected);
  });

  test('keeps the query as it came', () => {
    const request = new Request('http://test.local/fn/a?q=%2f&q=a+b?c');
    expect(sendTo('http://api.test', '/a', request).sent[0]?.[1]?.path).toBe('/a?q=%2f&q=a+b?c');
  });

  test.each([
    '/..',
    '/../admin',
    '/a/%2e%2E/b',
    '/a/.%2e',
    '/a/..;x/b',
    '/a\\..\\b',
    '/a%2f..%2fb',
    '/a%5c..',
  ])('does not climb out of its target by %s', (path) => {
    expect(() => sendTo('http://api.test/v1', path)).toThrow(Failure);
    expect(() => sendTo('http://api.test/v1', path)).toThrow('`..`');
  });

  test('leaves a body to the host, or gives the one that a decorator put in', () => {
    const request = new Request('http://test.local/', { method: 'POST', body: 'x' });
    expect(sendTo('http://api.test', '/', request).sent[0]?.[1]).toEqual({
      path: '/',
      timeout: 30_000,
    });
    expect(request.bodyUsed).toBe(false);
    expect(sendTo('http://api.test', '/', withBody(request, 'y')).sent[0]?.[1]).toEqual({
      path: '/',
      timeout: 30_000,
      body: 'y',
      headers: {},
    });
  });

  test('gives the answer, or the failure, from behind as it is', async () => {
    const failure = new Failure('upstream_timeout');
    const context = testContext({ forward: () => Promise.reject(failure) });
    const request = new Request('http://test.local/');
    await expect(proxyTo('http://api.test')(request, context)).rejects.toBe(failure);
  });

  test.each([
    'ftp://api.test',
    'api.test',
    'http://u@api.test',
    'http://:p@api.test',
    'http://api.test/#a',
    'http://api.test/?a',
  ])('refuses the target %s', (target) => {
    expect(() => proxyTo(target)).toThrow(TypeError);
  });
});
