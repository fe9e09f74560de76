/** What the edge host asks of its runtime, with a runtime that only writes it down. */
import { describe, expect, test } from '@jest/globals';
import { defineFunction } from '../../shared/define';
import type { ForwardOptions } from '../../shared/handler';
import { edgeHandler } from '../../shared/hosts/edge';
import { edgeForwarder } from '../../shared/hosts/edge/forward';
import type { FetchInit } from '../../shared/hosts/edge/runtime';
import { text } from '../../shared/http/response';

const ORIGIN = 'http://shard.test';

const sent: { url: string; init: FetchInit }[] = [];
const forwarder = edgeForwarder({
  fetchers: new Map([
    [
      ORIGIN,
      {
        fetch: async (url: string, init: FetchInit) => {
          sent.push({ url, init });
          return new Response(null, { status: 204 });
        },
      },
    ],
  ]),
});

const forward = async (
  options: ForwardOptions = {},
  request = new Request('http://edge.test/'),
) => {
  sent.length = 0;
  const response = await forwarder(request, ORIGIN, {
    path: '/',
    signal: new AbortController().signal,
    trustsForwarded: false,
    keepAlive: () => {},
    ...options,
  });
  return { response, ...(sent[0] as (typeof sent)[number]) };
};

const fieldsOf = (init: FetchInit) =>
  Object.fromEntries(init.headers as unknown as [string, string][]);

describe('a request that is handed on', () => {
  test('is not followed, not inflated, and bounded by a signal', async () => {
    const { url, init } = await forward({ path: '/a?b' });
    expect(url).toBe('http://shard.test/a?b');
    expect(init).toMatchObject({ method: 'GET', redirect: 'manual', encodeResponseBody: 'manual' });
    expect(init.signal?.aborted).toBe(false);
  });

  test.each(['evil.test/', '@evil.test/', ':99/', '', '/a b', '/a\n'])(
    'goes to no other host by its path %j',
    async (path) => {
      await expect(forward({ path })).rejects.toThrow(TypeError);
      expect(sent).toEqual([]);
    },
  );

  test.each(['/a#b', '/a/../b', '/%2e/b', '/a\\b'])(
    'is not sent when its path would become another: %s',
    async (path) => {
      await expect(forward({ path })).rejects.toMatchObject({ code: 'invalid_request' });
      expect(sent).toEqual([]);
    },
  );

  test.each(['host', 'Content-Length', 'connection', 'transfer-encoding', 'upgrade', 'expect'])(
    'takes no %s of a handler, which the runtime would write over',
    async (name) => {
      await expect(forward({ headers: { [name]: 'x' } })).rejects.toThrow(TypeError);
      await expect(forward({ headers: { [name]: undefined } })).resolves.toBeDefined();
    },
  );

  test('takes the fields of a handler in place of those that came, whatever their case', async () => {
    const request = new Request('http://edge.test/', {
      headers: { 'x-a': '1', via: '1.1 before' },
    });
    const { init } = await forward({ headers: { 'X-A': '2', Via: undefined } }, request);
    expect(fieldsOf(init)).toMatchObject({ 'x-a': '2' });
    expect(fieldsOf(init)).not.toHaveProperty('via');
  });

  const callersOf = async (cf: object | undefined, fields: Record<string, string>) => {
    const request = Object.assign(new Request('http://edge.test/', { headers: fields }), { cf });
    return fieldsOf((await forward({}, request)).init)['x-forwarded-for'];
  };

  test('tells whom it came from, once, and never leaves an entry out', async () => {
    const came = { 'x-forwarded-for': '203.0.113.9', 'cf-connecting-ip': '198.51.100.7' };
    expect(await callersOf({ clientIp: '192.0.2.1:4711' }, came)).toBe('203.0.113.9, 192.0.2.1');
    expect(await callersOf({ clientIp: '[2001:db8::1]:4711' }, {})).toBe('2001:db8::1');
    // Such a network has added its entry already.
    expect(await callersOf({ colo: 'PRG' }, came)).toBe('203.0.113.9');
    expect(await callersOf({ colo: 'PRG' }, { 'cf-connecting-ip': '198.51.100.7' })).toBe(
      '198.51.100.7',
    );
    expect(await callersOf(undefined, came)).toBe('203.0.113.9, unknown');
  });

  test('is not sent for a client that has left', async () => {
    await expect(forward({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(sent).toEqual([]);
  });
});

test('a request is kept alive until its answer is there, also when its client has left', async () => {
  let answer: () => void = () => {};
  const works: Promise<unknown>[] = [];
  const worker = edgeHandler(
    defineFunction({
      name: 'probe',
      kind: 'serving',
      summary: 'Waits.',
      runsAt: ['edge'],
      callers: 'public',
      body: { mode: 'stream' },
      config: {},
      routes: { 'GET /': { summary: 'Waits.' } },
      create: () => ({
        'GET /': () =>
          new Promise<Response>((resolve) => {
            answer = () => resolve(text('late'));
          }),
      }),
    }),
  );
  const execution = { waitUntil: (work: Promise<unknown>) => void works.push(work) };
  const answered = worker.fetch(new Request('http://edge.test/'), {}, execution);
  expect(works).toHaveLength(1);
  answer();
  expect((await answered).status).toBe(200);
  await Promise.all(works);
});
