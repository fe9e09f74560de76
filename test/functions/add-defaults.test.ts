import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { addDefaults } from '../../functions/add-defaults';
import type { ForwardOptions, Handler } from '../../shared/handler';
import { decorate } from '../../shared/handler';
import { proxyTo } from '../../shared/http/proxy';
import { json, text } from '../../shared/http/response';
import type { Schema } from '../../shared/schema';
import { type InvokeInit, invoke, testContext } from '../support/invoke';
import { testPlatform } from '../support/test-platform';

const PAINT: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    color: { type: 'string', default: 'blue' },
    layers: { type: 'integer' },
    mix: { type: 'object', properties: { ratio: { type: 'number', default: 0.5 } } },
    coats: {
      type: 'array',
      items: { type: 'object', properties: { dry: { type: 'boolean', default: false } } },
    },
  },
};

interface Sent {
  readonly origin: string;
  readonly options: ForwardOptions;
}

/** The decorator in front of an API that records what `forward` is told. */
const inFront = (schema: Schema = PAINT, target = 'http://api.test') => {
  const { clock, random } = testPlatform();
  const sent: Sent[] = [];
  const context = testContext({
    forward: (origin, options = {}) => {
      sent.push({ origin, options });
      return text('from behind', { status: 201, headers: { 'x-own': '1' } });
    },
  });
  const handler = decorate(proxyTo(target), addDefaults({ schema, clock, random }));
  const call = (init: InvokeInit, path = '/') => invoke(handler, path, init, context);
  const bodyFor = async (body: string) => {
    await call({ body, headers: { 'content-type': 'application/json' } });
    return sent.at(-1)?.options.body;
  };
  return { call, sent, bodyFor };
};

const JSON_TYPE = { 'content-type': 'application/json' };

describe('add-defaults completes a body', () => {
  test.each([
    ['{"name":"ada"}', '{"name":"ada","color":"blue"}'],
    ['{"name":"ada","color":"red"}', '{"name":"ada","color":"red"}'],
    ['{"name":"ada","c\\u006flor":"red"}', '{"name":"ada","c\\u006flor":"red"}'],
    ['\ufeff{"name":"ada"}', '\ufeff{"name":"ada","color":"blue"}'],
    [
      ' { "name" : "\\u0061da\\/" , "layers": 1.0e2,\n\t"big":12345678901234567890 }\r\n',
      ' { "name" : "\\u0061da\\/" , "layers": 1.0e2,\n\t"big":12345678901234567890,"color":"blue" }\r\n',
    ],
    [
      '{"mix":{ },"coats":[{},{"dry":true},{"by":1}],"name":"x"}',
      '{"mix":{"ratio":0.5 },"coats":[{"dry":false},{"dry":true},{"by":1,"dry":false}],"name":"x","color":"blue"}',
    ],
  ])('%j and leaves what was sent as it is', async (body, expected) => {
    const { bodyFor } = inFront();
    expect(await bodyFor(body)).toBe(expected);
  });

  test('also when it is compressed, and sends it on inflated', async () => {
    for (const [encoding, encode] of [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
    ] as const) {
      const { call, sent } = inFront();
      await call({
        body: encode('{"name":"ada"}'),
        headers: { ...JSON_TYPE, 'content-encoding': encoding, 'content-digest': 'sha-256=:AAAA:' },
      });
      expect(sent[0]?.options).toMatchObject({
        body: '{"name":"ada","color":"blue"}',
        headers: { 'content-encoding': undefined, 'content-digest': undefined },
      });
      expect(Object.keys(sent[0]?.options.headers ?? {})).toEqual([
        'content-encoding',
        'content-digest',
      ]);
    }
  });

  test('keeps its digest where nothing was missing, and drops it where the bytes changed', async () => {
    const headers = { ...JSON_TYPE, 'content-digest': 'sha-256=:AAAA:' };
    const { call, sent } = inFront();
    await call({ body: '{"name":"ada","color":"red"}', headers });
    await call({ body: '{"name":"ada"}', headers });
    expect(sent.map(({ options }) => Object.keys(options.headers ?? {}))).toEqual([
      [],
      ['content-digest'],
    ]);
  });

  test('for a handler in the same process, with fields that fit', async () => {
    const { clock, random } = testPlatform();
    const seen: unknown[] = [];
    const api: Handler = async (request) => {
      const { method, url, headers } = request;
      seen.push(method, url, headers.get('content-length'), headers.get('content-encoding'));
      return json(await request.json());
    };
    const handler = decorate(api, addDefaults({ schema: PAINT, clock, random }));
    const response = await invoke(handler, '/paints?x=1', {
      body: gzipSync('{"name":"åda"}'),
      headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
    });
    expect(seen).toEqual(['POST', 'http://test.local/paints?x=1', '30', null]);
    expect(await response.json()).toEqual({ name: 'åda', color: 'blue' });
  });

  test('twice, when it stands twice in the stack', async () => {
    const { clock, random } = testPlatform();
    const size: Schema = { properties: { size: { default: 1 } } };
    const handler = decorate(
      async (request) => text(await request.text()),
      addDefaults({ schema: PAINT, clock, random }),
      addDefaults({ schema: size, clock, random }),
    );
    const response = await invoke(handler, '/', { body: { name: 'ada' } });
    expect(await response.text()).toBe('{"name":"ada","color":"blue","size":1}');
  });
});

describe('add-defaults refuses', () => {
  test.each([
    ['a body that does not match', '{"color":7}', 'invalid_input'],
    ['null where a member would be filled in', '{"name":"a","color":null}', 'invalid_input'],
    ['another type than the schema wants', '[]', 'invalid_input'],
    ['an empty body', '', 'invalid_json'],
    ['a key that comes twice', '{"name":"a","name":"b"}', 'invalid_json'],
    ['__proto__', '{"name":"a","__proto__":{"color":"red"}}', 'invalid_json'],
    ['deep nesting', `{"name":${'['.repeat(40)}${']'.repeat(40)}}`, 'invalid_json'],
    ['a number beyond a double', '{"name":"a","x":1e999}', 'invalid_json'],
  ])('%s, and calls nobody', async (_, body, code) => {
    const { call, sent } = inFront();
    await expect(call({ body, headers: JSON_TYPE })).rejects.toMatchObject({ code, status: 400 });
    expect(sent).toEqual([]);
  });

  test('with every mistake by its JSON Pointer', async () => {
    const { call } = inFront();
    await expect(
      call({ body: '{"color":7,"coats":[{},{"dry":1}]}', headers: JSON_TYPE }),
    ).rejects.toMatchObject({
      errors: [
        { pointer: '/name', message: 'is required' },
        { pointer: '/color', message: 'must be string' },
        { pointer: '/coats/1/dry', message: 'must be boolean' },
      ],
    });
  });

  test.each([
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['two types in one field', { 'content-type': 'text/plain, application/json' }],
    ['an unknown encoding', { ...JSON_TYPE, 'content-encoding': 'zstd' }],
  ])('JSON in %s instead of letting it by unchecked', async (_, headers) => {
    const { call, sent } = inFront();
    await expect(call({ body: '{"color":7}', headers })).rejects.toMatchObject({ status: 415 });
    expect(sent).toEqual([]);
  });

  test('a body that its defaults would make too large', async () => {
    const { bodyFor, sent } = inFront({
      items: { type: 'object', properties: { note: { default: 'x'.repeat(1000) } } },
    });
    const items = (count: number) => `[${Array(count).fill('{}').join()}]`;
    expect(String(await bodyFor(items(1000))).length).toBeGreaterThan(1_000_000);
    await expect(bodyFor(items(2000))).rejects.toMatchObject({ code: 'body_too_large' });
    await expect(bodyFor(items(300_000))).rejects.toMatchObject({ code: 'body_too_large' });
    expect(sent).toHaveLength(1);
  });
});

describe('add-defaults passes untouched', () => {
  test.each([
    ['GET', undefined, {}],
    ['DELETE', undefined, {}],
    ['DELETE', '{}', JSON_TYPE],
    ['PATCH', '{}', JSON_TYPE],
    ['PATCH', '{}', { 'content-type': 'application/merge-patch+json' }],
    ['POST', '{}', { 'content-type': 'application/merge-patch+json' }],
    ['PUT', '[]', { 'content-type': 'application/json-patch+json' }],
    ['POST', '{"a":1}\n{"a":2}', { 'content-type': 'application/json-seq' }],
    ['POST', '{not json', { 'content-type': 'text/plain' }],
    ['POST', new Uint8Array([0xff, 0xfe]), {}],
    ['PUT', gzipSync('x'), { 'content-type': 'image/png', 'content-encoding': 'gzip' }],
  ])('%s with %p as %p', async (method, body, headers) => {
    const seen: Request[] = [];
    const { clock, random } = testPlatform();
    const handler = decorate(
      (request) => {
        seen.push(request);
        return text('');
      },
      addDefaults({ schema: PAINT, clock, random }),
    );
    const request = new Request('http://test.local/', {
      method,
      headers,
      ...(body !== undefined && { body }),
    } as RequestInit);
    await handler(request, testContext());
    expect(seen).toEqual([request]);
    expect(request.bodyUsed).toBe(false);
  });

  test('to the host as a stream, without a body of its own', async () => {
    const { call, sent } = inFront();
    await call({ body: 'x', headers: { 'content-type': 'text/plain' } }, '/a?b=c');
    expect(sent).toEqual([
      { origin: 'http://api.test', options: { path: '/a?b=c', timeout: 30_000 } },
    ]);
  });

  test('the answer from behind', async () => {
    const { call } = inFront();
    const response = await call({ body: { name: 'ada' } });
    expect([response.status, response.headers.get('x-own'), await response.text()]).toEqual([
      201,
      '1',
      'from behind',
    ]);
  });
});

describe('add-defaults treats as JSON', () => {
  test.each([
    'application/json',
    'APPLICATION/JSON; charset=utf-8',
    'application/vnd.api+json',
    'application/cloudevents+json',
  ])('%s', async (type) => {
    const { call, sent } = inFront();
    await call({ method: 'PUT', body: '{"name":"a"}', headers: { 'content-type': type } });
    expect(sent[0]?.options.body).toBe('{"name":"a","color":"blue"}');
  });
});
