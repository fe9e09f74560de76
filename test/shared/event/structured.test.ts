/** Structured mode: what only an envelope can get wrong. */
import { describe, expect, test } from '@jest/globals';
import { ATTRIBUTES, DATA, send, sendStructured } from '../../support/events';

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
/** With data in base64, and a type that says it is JSON. */
const encoded = (data_base64: unknown, more: Record<string, unknown> = {}) =>
  sendStructured({ data: undefined, datacontenttype: 'application/json', data_base64, ...more });

describe('the media type', () => {
  test.each([
    'application/cloudevents+json; charset=UTF-8',
    'Application/CloudEvents+JSON',
    ' application/cloudevents+json ;a=b',
  ])('%s is an envelope', async (type) => {
    expect((await sendStructured({}, { 'content-type': type })).event?.id).toBe('event-1');
  });

  test.each([
    ['application/cloudevents-batch+json', /one at a time/],
    ['application/cloudevents-batch+json; charset=utf-8', /one at a time/],
    ['APPLICATION/CLOUDEVENTS-BATCH+JSON', /one at a time/],
    ['application/cloudevents', /application\/cloudevents\+json/],
    ['application/cloudevents+avro', /application\/cloudevents\+json/],
    ['application/cloudevents+xml', /application\/cloudevents\+json/],
    ['application/cloudevents+json, application/json', /application\/cloudevents\+json/],
    ['application/cloudevents+json; charset=utf-16', /application\/json/],
  ])('%s is refused with 415', async (type, detail) => {
    const body = type.toLowerCase().includes('batch')
      ? [{ ...ATTRIBUTES, data: DATA }]
      : { ...ATTRIBUTES, data: DATA };
    const outcome = await send({ 'content-type': type }, body);
    expect(outcome).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    expect(outcome.detail).toMatch(detail);
    expect(outcome.event).toBeUndefined();
  });
});

describe('an envelope', () => {
  test.each([[[]], [[{ ...ATTRIBUTES, data: DATA }]], ['text'], [1], [null], [true]])(
    'that is %j is no event',
    async (body) => {
      const text = JSON.stringify(body);
      expect(await send({ 'content-type': 'application/cloudevents+json' }, text)).toMatchObject({
        status: 400,
        code: 'invalid_event',
        at: [''],
      });
    },
  );

  test('takes attributes as they stand: nothing is percent-decoded', async () => {
    const { event } = await sendStructured({ subject: 'a%20b', id: '"1"' });
    expect(event).toMatchObject({ subject: 'a%20b', id: '"1"', key: '/signup/runs "1"' });
  });

  test.each(['ce-id', 'ce-extension', 'ce-subject'])(
    'together with the field %s is refused: nobody says which one counts',
    async (field) => {
      const outcome = await sendStructured({}, { [field]: 'event-1' });
      expect(outcome).toMatchObject({ status: 400, code: 'invalid_event' });
      expect(outcome.detail).toMatch(/two modes/);
    },
  );

  test.each([
    ['upper case', { Extension: 'a' }, 'invalid_event'],
    ['an upper-case id beside the real one', { ID: 'other' }, 'invalid_event'],
    ['an empty name', { '': 'a' }, 'invalid_event'],
    ['a dot', { 'constructor.prototype': 'a' }, 'invalid_event'],
    ['more than ASCII', { é: 'a' }, 'invalid_event'],
  ])('with an extension name of %s is refused', async (_, members, code) => {
    expect(await sendStructured(members)).toMatchObject({
      code,
      at: Object.keys(members).map((name) => `/${name}`),
    });
  });

  test('with __proto__ or a member that stands twice is refused', async () => {
    const whole = JSON.stringify({ ...ATTRIBUTES, data: DATA });
    for (const member of ['"__proto__":{"id":"a"}', '"id":"event-2"', '"data":{}'])
      expect(
        await send(
          { 'content-type': 'application/cloudevents+json' },
          whole.replace('{', `{${member},`),
        ),
      ).toMatchObject({ status: 400, code: 'invalid_json' });
  });

  test('tells of a hundred mistakes at most, each in short', async () => {
    const names = Array.from({ length: 5_000 }, (_, i) => [`${'X'.repeat(150)}${i}`, 1]);
    const { at } = await sendStructured(Object.fromEntries(names));
    expect(at).toHaveLength(100);
    expect(Math.max(...(at ?? []).map((pointer) => pointer.length))).toBe(101);
  });
});

describe('the value of an attribute', () => {
  test.each([true, false, 0, -1, 2_147_483_647, -2_147_483_648, '', 'text é'])(
    'of an extension may be %j',
    async (extension) => {
      expect((await sendStructured({ extension })).status).toBe(204);
    },
  );

  test.each([[1.5], [2_147_483_648], [-2_147_483_649], [1e300], [{}], [[]], [['a']], ['a\u0000']])(
    'of an extension may not be %j',
    async (extension) => {
      expect(await sendStructured({ extension })).toMatchObject({
        code: 'invalid_event',
        at: ['/extension'],
      });
    },
  );

  test.each([
    'specversion',
    'id',
    'source',
    'type',
    'subject',
    'time',
    'datacontenttype',
    'dataschema',
  ])('of %s is a string', async (name) => {
    for (const value of [1, true, {}, ['a']])
      expect(await sendStructured({ [name]: value })).toMatchObject({
        code: 'invalid_event',
        at: [`/${name}`],
      });
  });

  test('that is null is absent', async () => {
    const { event } = await sendStructured({ subject: null, time: null, extension: null });
    expect(Object.keys(event ?? {}).sort()).toEqual(['data', 'id', 'key', 'source', 'type']);
    expect(await sendStructured({ id: null })).toMatchObject({ at: ['/id'] });
  });
});

describe('data', () => {
  test('that is missing is refused by the schema', async () => {
    expect(await sendStructured({ data: undefined })).toMatchObject({
      status: 400,
      code: 'invalid_input',
    });
  });

  test.each(['application/json', 'application/vnd.user+json; charset=utf-8', 'APPLICATION/JSON'])(
    'may say that it is %s',
    async (datacontenttype) => {
      expect((await sendStructured({ datacontenttype })).event?.data).toEqual(DATA);
    },
  );

  test.each(['text/plain', 'application/xml', 'application/octet-stream', 'image/png; a=b'])(
    'of %s is refused with 415, as text and in base64',
    async (datacontenttype) => {
      const refusal = { status: 415, code: 'unsupported_media_type' };
      expect(await sendStructured({ datacontenttype, data: '<a/>' })).toMatchObject(refusal);
      expect(await sendStructured({ datacontenttype })).toMatchObject(refusal);
      expect(await encoded(base64(DATA), { datacontenttype })).toMatchObject(refusal);
    },
  );

  test.each(['json', '', 'application/', 'a b/c'])('of type %j is no event', async (type) => {
    expect(await sendStructured({ datacontenttype: type })).toMatchObject({
      code: 'invalid_event',
      at: ['/datacontenttype'],
    });
  });

  test('that is a string of JSON stays a string', async () => {
    expect(await sendStructured({ data: JSON.stringify(DATA) })).toMatchObject({
      code: 'invalid_input',
    });
  });
});

describe('data in base64', () => {
  test('is decoded, and read as strict JSON where the type says so', async () => {
    expect((await encoded(base64(DATA))).event?.data).toEqual(DATA);
  });

  test('of no type is not taken for JSON', async () => {
    expect(await encoded(base64(DATA), { datacontenttype: undefined })).toMatchObject({
      status: 415,
    });
  });

  test('together with data is refused, whether they agree or not', async () => {
    for (const data of [DATA, null, {}])
      expect(await encoded(base64(DATA), { data })).toMatchObject({
        status: 400,
        code: 'invalid_event',
        at: ['/data_base64'],
      });
  });

  test.each(['not base64', 'eyJ9', 'e30', 'e30=\n', 'e3-_', '====', 1, null, {}, true])(
    'that is %j is no event, or no JSON',
    async (data_base64) => {
      const { status, code } = await encoded(data_base64);
      expect(status).toBe(400);
      expect(code).toBe(data_base64 === 'eyJ9' ? 'invalid_json' : 'invalid_event');
    },
  );

  test.each([
    ['a key twice', Buffer.from('{"username":"a","username":"b"}')],
    ['__proto__', Buffer.from('{"__proto__":{"username":"a"}}')],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['nothing', Buffer.alloc(0)],
    ['depth', Buffer.from('['.repeat(33) + ']'.repeat(33))],
  ])('that holds %s is refused', async (_, bytes) => {
    expect(await encoded(bytes.toString('base64'))).toMatchObject({
      status: 400,
      code: 'invalid_json',
    });
  });
});
