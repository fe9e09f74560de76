import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { asFailure, Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { Answer } from '../../shared/http/answer';
import { HeaderPairs } from '../../shared/http/headers';
import { readJson } from '../../shared/http/json';
import { empty, json, problem } from '../../shared/http/response';
import { type IdempotentOptions, idempotent } from '../../shared/idempotent';
import { deriveKeys } from '../../shared/keys';
import { memoryStore } from '../../shared/store/memory';
import type { Store } from '../../shared/store/store';
import { type InvokeInit, invoke, type TestContext, testContext } from '../support/invoke';
import { manualClock } from '../support/manual-clock';

const OLD = 'an old test secret of at least 32 chars';
const NEW = 'a new test secret of at least 32 characters';

/** A handler behind the decorator that counts its calls. */
const start = (
  handler: Handler = (_, context) => json({ call: context.id }, { status: 201 }),
  options: Partial<IdempotentOptions> = {},
) => {
  const clock = manualClock();
  const store = memoryStore({ clock });
  let calls = 0;
  const counted: Handler = (request, context) => {
    calls += 1;
    return handler(request, Object.create(context, { id: { value: `call-${calls}` } }));
  };
  const decorated = idempotent({ store, clock, name: 'orders', ...options })(counted);
  const call = async (
    {
      key = 'key-1',
      headers = {},
      path = '/',
      ...init
    }: InvokeInit & { key?: string; path?: string } = {},
    context: TestContext = testContext(),
  ) => {
    const response = await invoke(
      decorated,
      path,
      {
        method: 'POST',
        body: { amount: 1 },
        ...init,
        headers: { ...(key && { 'idempotency-key': key }), ...headers },
      },
      context,
    ).catch((thrown: unknown) => problem(thrown, 'rim'));
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      code: /"code":"(\w+)"/.exec(bytes.toString())?.[1],
    };
  };
  return { clock, store, call, calls: () => calls };
};

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the same idempotency key', () => {
  test('gets the first answer again, byte for byte, marked as a repeat', async () => {
    const bytes = new Uint8Array([0, 255, 128, 10]);
    const { call, calls } = start(
      () =>
        new Answer(
          bytes,
          201,
          HeaderPairs.of({
            'content-type': 'application/octet-stream',
            location: '/orders/1',
            date: 'then',
          }),
        ) as unknown as Response,
    );
    const first = await call();
    const again = await call();
    expect([first.status, [...first.bytes]]).toEqual([201, [...bytes]]);
    expect([again.status, [...again.bytes]]).toEqual([201, [...bytes]]);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect([...again.headers.entries()]).toEqual([
      ['content-type', 'application/octet-stream'],
      ['idempotent-replayed', 'true'],
      ['location', '/orders/1'],
    ]);
    expect(calls()).toBe(1);
  });

  test('gets an empty answer again as an empty one', async () => {
    const { call, calls } = start(() => empty());
    await call();
    const again = await call();
    expect([again.status, again.bytes.length, calls()]).toEqual([204, 0, 1]);
  });

  test('of 50 requests at once lets one through; the others are told to wait', async () => {
    const { open, opened } = gate();
    const { call, calls } = start(async () => {
      await opened;
      return json({}, { status: 201 });
    });
    const racing = Array.from({ length: 50 }, () => call());
    for (let i = 0; i < 20; i++) await turn();
    open();
    const answers = await Promise.all(racing);
    expect(calls()).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === 'in_progress')).toHaveLength(49);
  });

  test('in progress says when the lock ends, in seconds rounded up', async () => {
    const { clock, call } = start(() => new Promise(() => {}), { lockFor: 10_000 });
    void call();
    await turn();
    await clock.advance(2_001);
    const { status, headers } = await call();
    expect([status, headers.get('retry-after')]).toEqual([409, '8']);
  });

  test.each<[string, InvokeInit & { path?: string }]>([
    ['body', { body: { amount: 2 } }],
    [
      'spelling of the body',
      { body: '{"amount": 1}', headers: { 'content-type': 'application/json' } },
    ],
    ['method', { method: 'PUT' }],
    ['path', { path: '/other' }],
    ['query', { path: '/?a=1' }],
  ])('with another %s is a mismatch: 422, and the first answer stays', async (_, other) => {
    const { call, calls } = start();
    const first = await call();
    expect(await call(other)).toMatchObject({ status: 422, code: 'idempotency_mismatch' });
    expect((await call()).bytes).toEqual(first.bytes);
    expect(calls()).toBe(1);
  });

  test('with another body is a mismatch while the first is in progress too', async () => {
    const { call } = start(() => new Promise(() => {}));
    void call();
    await turn();
    expect((await call({ body: { amount: 2 } })).status).toBe(422);
  });

  test('is another wish at another function', async () => {
    const { store, clock, call } = start();
    await call();
    const other = start(undefined, { store, clock, name: 'invoices' });
    expect((await other.call({ body: { amount: 2 } })).status).toBe(201);
  });

  test('is forgotten after keepFor', async () => {
    const { clock, call, calls } = start(undefined, { keepFor: 60_000 });
    await call();
    await clock.advance(59_999);
    await call();
    expect(calls()).toBe(1);
    await clock.advance(1);
    await call();
    expect(calls()).toBe(2);
  });

  test('that is malformed is refused before anything is done', async () => {
    const { call, calls } = start();
    expect(await call({ key: 'a'.repeat(256) })).toMatchObject({ status: 400 });
    expect(calls()).toBe(0);
  });
});

describe('a failure', () => {
  test.each([408, 409, 429, 499, 500, 503])(
    'answered with %i may pass, so the next try runs again',
    async (status) => {
      const { call, calls } = start(() => json({}, { status }));
      expect((await call()).status).toBe(status);
      expect((await call()).headers.get('idempotent-replayed')).toBeNull();
      expect(calls()).toBe(2);
    },
  );

  test.each([
    ['that may pass', new Failure('send_failed')],
    ['of our own', new TypeError('a mistake')],
    ['because the client left', new Failure('aborted')],
    ['because the body took too long', new Failure('request_timeout')],
  ])('%s is thrown on, and the next try runs again', async (_, thrown) => {
    let failing = true;
    const { call, calls } = start(() => {
      if (failing) throw thrown;
      return json({}, { status: 201 });
    });
    const { status, bytes } = await call();
    expect(status).toBe(asFailure(thrown).status);
    // Only the host sees what lies behind a failure, so it must reach the host as it was thrown.
    expect(bytes.toString()).toContain('urn:request:rim');
    failing = false;
    expect((await call()).status).toBe(201);
    expect(calls()).toBe(2);
  });

  test.each<[string, Handler]>([
    ['thrown', () => Promise.reject(new Failure('user_exists'))],
    ['answered', () => json({ code: 'user_exists' }, { status: 422 })],
  ])('that is final is kept like a success when %s', async (_, handler) => {
    const { call, calls } = start(handler);
    const first = await call();
    const again = await call();
    expect([first.status, first.code]).toEqual([422, 'user_exists']);
    expect([again.status, again.bytes]).toEqual([422, first.bytes]);
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(calls()).toBe(1);
  });

  test('to let the key go hides nothing: the first failure is the answer, and the lock ends by itself', async () => {
    const inner = start();
    const store: Store = {
      ...inner.store,
      delete: () => Promise.reject(new Failure('store_unavailable')),
    };
    const { call, clock } = start(() => Promise.reject(new Failure('send_failed')), {
      store,
      clock: inner.clock,
    });
    const context = testContext();
    expect((await call({}, context)).code).toBe('send_failed');
    expect(context.lines.map(({ message }) => message)).toEqual(['idempotency_key_not_released']);
    expect((await call()).code).toBe('in_progress');
    await inner.clock.advance(10_000);
    expect((await call()).code).toBe('send_failed');
    expect(clock.now()).toBeDefined();
  });
});

describe('a lock', () => {
  test('left by a crash ends, and the next try runs', async () => {
    const { clock, call, calls } = start(() => new Promise(() => {}), { lockFor: 5_000 });
    void call();
    await turn();
    await clock.advance(4_999);
    expect((await call()).status).toBe(409);
    await clock.advance(1);
    void call();
    await turn();
    expect(calls()).toBe(2);
  });

  test('that was lost to another: both are answered, the answer of the one who holds it is kept', async () => {
    const { open, opened } = gate();
    let first = true;
    const { clock, call } = start(async (_, context) => {
      if (first) {
        first = false;
        await opened;
      }
      return json({ call: context.id }, { status: 201 });
    });
    const context = testContext();
    const slow = call({}, context);
    await turn();
    await clock.advance(10_000);
    const fast = await call();
    open();
    expect((await slow).bytes.toString()).toBe('{"call":"call-1"}');
    expect(context.lines.map(({ message }) => message)).toEqual(['idempotency_lock_lost']);
    expect(fast.bytes.toString()).toBe('{"call":"call-2"}');
    expect((await call()).bytes).toEqual(fast.bytes);
  });

  test('lost and then failed takes nothing away from the other', async () => {
    const { open, opened } = gate();
    let first = true;
    const { clock, call, calls } = start(async () => {
      if (!first) return json({}, { status: 201 });
      first = false;
      await opened;
      throw new Failure('send_failed');
    });
    const slow = call();
    await turn();
    await clock.advance(10_000);
    await call();
    open();
    expect((await slow).code).toBe('send_failed');
    await call();
    expect(calls()).toBe(2);
  });
});

describe('a request', () => {
  test('without a key passes straight through, its body unread', async () => {
    const bodies: unknown[] = [];
    const { store, call, calls } = start(async (request) => {
      bodies.push(await readJson(request));
      return empty();
    });
    await call({ key: '' });
    await call({ key: '' });
    expect([calls(), bodies, (await store.list('')).entries]).toEqual([
      2,
      [{ amount: 1 }, { amount: 1 }],
      [],
    ]);
  });

  test('passes without one unread, whatever its size', async () => {
    const { call, calls } = start();
    await call({ key: '', body: 'x'.repeat(1_048_577) });
    expect(calls()).toBe(1);
  });

  test('that is a CloudEvent goes by source and id', async () => {
    const { call, calls } = start();
    const event = (id: string, source = '/runs') => ({
      key: '',
      headers: { 'ce-specversion': '1.0', 'ce-type': 'order', 'ce-id': id, 'ce-source': source },
    });
    await call(event('1'));
    await call(event('1'));
    expect(calls()).toBe(1);
    await call(event('2'));
    await call(event('1', '/other'));
    expect(calls()).toBe(3);
    await call({ ...event('1'), key: 'key-1' });
    expect(calls()).toBe(4);
  });

  test('that is a CloudEvent is the same one in both modes, however its data is written', async () => {
    const { call, calls } = start();
    const attributes = { specversion: '1.0', type: 'order', id: 'a b', source: '/runs' };
    const data = { amount: 1, of: [1.0, 'é'] };
    const binary = {
      key: '',
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-type': 'order',
        'ce-id': 'a%20b',
        'ce-source': '/runs',
      },
      body: JSON.stringify(data, null, 2),
    };
    const structured = (more: object) => ({
      key: '',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: { ...attributes, ...more },
    });
    const first = await call(binary);
    const again = await call(structured({ data }));
    expect([again.bytes, again.headers.get('idempotent-replayed')]).toEqual([first.bytes, 'true']);
    const encoded = {
      datacontenttype: 'application/json',
      data_base64: Buffer.from(JSON.stringify(data)).toString('base64'),
    };
    expect((await call(structured(encoded))).bytes).toEqual(first.bytes);
    expect((await call(structured({ data: { amount: 2 } }))).code).toBe('idempotency_mismatch');
    expect(calls()).toBe(1);
    await call(structured({ data, id: 'other' }));
    expect(calls()).toBe(2);
  });

  test('that is a CloudEvent of other data than JSON goes by its bytes', async () => {
    const { call, calls } = start();
    const event = (body: string) => ({
      key: '',
      headers: {
        'content-type': 'application/xml',
        'ce-specversion': '1.0',
        'ce-type': 'order',
        'ce-id': '1',
        'ce-source': '/runs',
      },
      body,
    });
    await call(event('<a/>'));
    await call(event('<a/>'));
    expect(calls()).toBe(1);
    expect((await call(event('<b/>'))).code).toBe('idempotency_mismatch');
  });

  test.each<[string, Record<string, string>, unknown]>([
    ['fields', { 'ce-specversion': '9', 'ce-type': 'o', 'ce-id': '1', 'ce-source': '/a' }, {}],
    ['an envelope', { 'content-type': 'application/cloudevents+json' }, { id: '1', source: '/a' }],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, []],
  ])('whose event is not valid, by %s, passes: no refusal is kept', async (_, headers, body) => {
    const { store, call, calls } = start(async (request) => {
      await request.arrayBuffer();
      throw new Failure('invalid_event');
    });
    for (let i = 1; i <= 2; i++) {
      expect((await call({ key: '', headers, body })).code).toBe('invalid_event');
      expect(calls()).toBe(i);
    }
    expect((await store.list('')).entries).toEqual([]);
  });

  test('is read once and can be read again behind, inflated', async () => {
    const seen: unknown[] = [];
    const { call } = start(async (request) => {
      seen.push(await readJson(request));
      return empty();
    });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await call({ body: gzipSync('{"amount":7}'), headers })).status).toBe(204);
    expect(seen).toEqual([{ amount: 7 }]);
  });

  test('over the body limit is refused before a key is reserved', async () => {
    const { store, call } = start();
    expect((await call({ body: 'x'.repeat(1_048_577) })).code).toBe('body_too_large');
    expect((await store.list('')).entries).toEqual([]);
  });

  test('is not let through when the store cannot be used', async () => {
    const { store, call, calls } = start();
    await store.close();
    expect((await call()).code).toBe('store_unavailable');
    expect(calls()).toBe(0);
  });

  test('leaves digests only: of the key, and with keys of the body', async () => {
    const stored = async (secret: string) => {
      const { store, call } = start(() => empty(), {
        fingerprintKeys: deriveKeys(secret)('idempotent'),
      });
      await call({ key: 'a-private-key', body: { phoneNumber: '+12025550123' } });
      const [entry] = (await store.list<{ fingerprint: string }>('')).entries;
      expect(JSON.stringify(entry)).not.toMatch(/a-private-key|2025550123/);
      return entry?.value.fingerprint.split('.')[1];
    };
    expect(await stored(OLD)).not.toBe(await stored(NEW));
  });

  test('is known again by an older key version, and a mismatch once that is gone', async () => {
    const ring = (secrets: string) => deriveKeys(secrets)('idempotent');
    const { store, clock, call } = start(undefined, { fingerprintKeys: ring(OLD) });
    await call();
    const later = (secrets: string) =>
      start(undefined, { store, clock, fingerprintKeys: ring(secrets) }).call();
    expect((await later(`${NEW},${OLD}`)).headers.get('idempotent-replayed')).toBe('true');
    expect((await later(NEW)).code).toBe('idempotency_mismatch');
  });
});

test.each([
  { lockFor: 0 },
  { lockFor: Number.NaN },
  { lockFor: 1.5 },
  { keepFor: 9_999 },
  { keepFor: Infinity },
])('nonsense is refused at start: %p', (options) => {
  expect(() => start(undefined, options)).toThrow(TypeError);
});

test('a lock that the store cannot keep is refused at start', () => {
  const store = memoryStore();
  const coarse = { ...store, capabilities: { ...store.capabilities, minTtl: 20_000 } };
  expect(() => start(undefined, { store: coarse })).toThrow(/at least 20000/);
});
