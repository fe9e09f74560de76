/** The rules that hold for an event however it travels, and what a handler gets. */
import { describe, expect, test } from '@jest/globals';
import { onEvent } from '../../shared/event';
import { Failure } from '../../shared/failure';
import {
  ATTRIBUTES,
  DATA,
  type Outcome,
  send,
  sendBinary,
  sendStructured,
} from '../support/events';
import { invoke } from '../support/invoke';

const EVENT = {
  id: 'event-1',
  source: '/signup/runs',
  type: 'signup.welcome',
  data: DATA,
  key: '/signup/runs event-1',
};

const MODES: readonly (readonly [
  string,
  (attributes?: Readonly<Record<string, string | undefined>>, data?: unknown) => Promise<Outcome>,
])[] = [
  ['binary', (attributes, data = DATA) => sendBinary(attributes, data)],
  ['structured', (attributes, data = DATA) => sendStructured({ ...attributes, data })],
];

describe.each(MODES)('an event in %s mode', (_, sendEvent) => {
  test('reaches the handler, and its end acknowledges with 204', async () => {
    expect(await sendEvent()).toEqual({ status: 204, event: EVENT });
  });

  test('brings subject and time along; schema and extensions are checked and left', async () => {
    const time = '2026-01-02T03:04:05.678+01:00';
    const more = { subject: 'user é "1" 100% 😀', time };
    const extensions = {
      dataschema: 'https://example.com/schema.json',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      empty: '',
      a1: '-1',
    };
    expect(await sendEvent({ ...more, ...extensions })).toEqual({
      status: 204,
      event: { ...EVENT, ...more },
    });
  });

  test.each<[string, Record<string, string | undefined>]>([
    ['without an id', { id: undefined }],
    ['with an empty id', { id: '' }],
    ['with a control character in its id', { id: 'a\nb' }],
    ['with a noncharacter in its id', { id: 'a\uffffb' }],
    ['with an id of 256 characters', { id: 'a'.repeat(256) }],
    ['without a source', { source: undefined }],
    ['with an empty source', { source: '' }],
    ['with a source that is no URI-reference', { source: 'two words' }],
    ['with a broken escape in its source', { source: '/a%zz' }],
    ['with an angle bracket in its source', { source: '<a>' }],
    ['with a source of 1,025 characters', { source: 'a'.repeat(1_025) }],
    ['without a type', { type: undefined }],
    ['with an empty type', { type: '' }],
    ['without a specversion', { specversion: undefined }],
    ['of version 0.3', { specversion: '0.3' }],
    ['of version 9', { specversion: '9' }],
    ['of version 1', { specversion: '1' }],
    ['with an empty subject', { subject: '' }],
    ['with a control character in its subject', { subject: 'a\u0085b' }],
    ['with a time that is a date', { time: '2026-01-02' }],
    ['with a time without its zone', { time: '2026-01-02T03:04:05' }],
    ['with a day that there is not', { time: '2026-02-30T00:00:00Z' }],
    ['with a time in words', { time: 'yesterday' }],
    ['with a schema that is no URI', { dataschema: '/schema.json' }],
    ['with an empty schema', { dataschema: '' }],
    ['with a schema that holds a space', { dataschema: 'https://example.com/a b' }],
    ['with an underscore in the name of an extension', { my_extension: 'a' }],
    ['with a hyphen in the name of an extension', { 'my-extension': 'a' }],
    ['with a long name of an extension', { ['a'.repeat(65)]: 'a' }],
    ['with a control character in an extension', { extension: 'a\u0007' }],
    ['with a noncharacter in an extension', { extension: 'a\uffff' }],
  ])('%s is refused, and nobody handles it', async (_name, attributes) => {
    expect(await sendEvent(attributes)).toMatchObject({
      status: 400,
      code: 'invalid_event',
      at: Object.keys(attributes).map((name) => `/${name.slice(0, 100)}`),
    });
    expect((await sendEvent(attributes)).event).toBeUndefined();
  });

  test('tells every mistake at once', async () => {
    const { at } = await sendEvent({ id: '', source: undefined, time: 'now', ex_t: 'a' });
    expect([...(at ?? [])].sort()).toEqual(['/ex_t', '/id', '/source', '/time']);
  });

  test.each([
    '/',
    '?q=1',
    '#fragment',
    'urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66',
    'mailto:cncf@example.com',
    'https://[::1]:8080/a%20b?c=d#e',
    '//host/path',
    '1-555-123-4567',
  ])('may come from %s', async (source) => {
    expect((await sendEvent({ source })).event?.source).toBe(source);
  });

  test('of which the data does not fit is refused by the schema of the function', async () => {
    expect(await sendEvent({}, { username: 1 })).toMatchObject({
      status: 400,
      code: 'invalid_input',
      at: ['/username'],
    });
  });

  test('whose data is null is refused by a schema that wants an object', async () => {
    expect(await sendEvent({}, null)).toMatchObject({ code: 'invalid_input', at: [''] });
  });

  test('of more than 64 KiB is taken, up to the body limit', async () => {
    const data = { username: 'a'.repeat(1_000_000) };
    expect((await sendEvent({}, data)).event?.data).toEqual(data);
    expect(await sendEvent({}, { username: 'a'.repeat(1_048_576) })).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
  });
});

test('the same event has the same key, and is the same, in both modes', async () => {
  for (const attributes of [{}, { id: 'ä b%2F"', subject: 'x%20y' }, { source: '/a%20b' }]) {
    const [binary, structured] = [await sendBinary(attributes), await sendStructured(attributes)];
    expect(binary.event).toEqual(structured.event);
    expect(binary.event?.key).toMatch(/^\S+ ./);
  }
});

describe('the key', () => {
  const CE = Object.fromEntries(
    Object.entries(ATTRIBUTES).map(([name, value]) => [`ce-${name}`, value]),
  );

  test('is the idempotency key where one is given', async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': '"mine"' };
    expect((await send({ ...CE, ...headers }, DATA)).event?.key).toBe('mine');
    expect((await sendStructured({}, { 'idempotency-key': 'mine' })).event?.key).toBe('mine');
  });

  test('cannot be the same for two events', async () => {
    const keys = await Promise.all(
      [
        { source: '/a', id: 'b' },
        { source: '/a', id: 'b c' },
        { source: '/a/b', id: 'c' },
        { source: '/', id: 'a b' },
      ].map(async (attributes) => (await sendBinary(attributes)).event?.key),
    );
    expect(new Set(keys).size).toBe(4);
  });
});

describe('plain JSON', () => {
  test('is taken for an event of the function itself, which nothing names', async () => {
    expect(await send({ 'content-type': 'application/json' }, DATA)).toEqual({
      status: 204,
      event: {
        id: 'request-1',
        source: '/greet',
        type: 'greet.request',
        data: DATA,
        key: undefined,
      },
    });
  });

  test('is named by its idempotency key', async () => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': 'k' };
    expect((await send(headers, DATA)).event).toMatchObject({ id: 'k', key: 'k' });
  });

  test.each([
    ['another type', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['no body', { 'content-type': 'application/json' }, 400, 'invalid_json'],
  ])('%s is refused', async (_, headers, status, code) => {
    expect(await send(headers, status === 415 ? DATA : '')).toMatchObject({ status, code });
  });
});

test('a handler that rejects asks for redelivery: its failure is the answer', async () => {
  const handler = onEvent({ name: 'greet', check: () => [] }, async () => {
    throw new Failure('store_unavailable');
  });
  await expect(invoke(handler, '/', { body: {} })).rejects.toMatchObject({ status: 503 });
});

test('a handler is acknowledged once it is done, not before', async () => {
  let finish = () => {};
  const working = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let answered = false;
  const answer = invoke(
    onEvent({ name: 'greet', check: () => [] }, () => working),
    '/',
    { body: {} },
  ).then(() => {
    answered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(answered).toBe(false);
  finish();
  await answer;
});
