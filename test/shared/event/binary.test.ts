/** Binary mode: what only fields can get wrong. */
import { describe, expect, test } from '@jest/globals';
import { DATA, send, sendBinary } from '../../support/events';

const FIELDS = {
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': '/a',
  'ce-type': 'b',
  'content-type': 'application/json',
};
const subjectOf = async (raw: string) =>
  (await send({ ...FIELDS, 'ce-subject': raw }, DATA)).event?.subject;

describe('a field value', () => {
  test.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['%c3%a9', 'é'],
    ['%41bc', 'Abc'],
    ['a%252Fb', 'a%2Fb'],
    ['"in quotes"', 'in quotes'],
    ['"with \\" and \\\\"', 'with " and \\'],
    ['"%22"', '"'],
    ['half"quoted"', 'half"quoted"'],
  ])('%s says %s: percent-encoding is read once, after quotes are taken off', async (raw, text) => {
    expect(await subjectOf(raw)).toBe(text);
  });

  test.each(['%', '%zz', '100%', '%C0%A0', '%ED%A0%80', '%00', '%0d%0a', '""'])(
    '%s is refused',
    async (raw) => {
      expect(await send({ ...FIELDS, 'ce-subject': raw }, DATA)).toMatchObject({
        code: 'invalid_event',
        at: ['/subject'],
      });
    },
  );
});

describe('an event', () => {
  test('may write its field names in any case', async () => {
    const upper = Object.fromEntries(
      Object.entries(FIELDS).map(([name, value]) => [name.toUpperCase(), value]),
    );
    expect((await send(upper, DATA)).event?.key).toBe('/a 1');
  });

  test.each(['ce-__proto__', 'ce-constructor.prototype', 'ce-', 'ce-data_base64', 'ce-data'])(
    'with the field %s is refused',
    async (field) => {
      expect(await send({ ...FIELDS, [field]: 'a' }, DATA)).toMatchObject({
        code: 'invalid_event',
        at: [`/${field.slice(3)}`],
      });
    },
  );

  test.each(['constructor', 'tostring', 'hasownproperty'])(
    'may have an extension named %s, like any other word',
    async (name) => {
      expect((await send({ ...FIELDS, [`ce-${name}`]: 'a' }, DATA)).status).toBe(204);
    },
  );

  test('with its content type in two places is refused', async () => {
    expect(await sendBinary({ datacontenttype: 'application/json' })).toMatchObject({
      code: 'invalid_event',
      at: ['/datacontenttype'],
    });
  });

  test('with one ce- field only is an event already, and not a valid one', async () => {
    expect(
      await send({ 'content-type': 'application/json', 'ce-extension': 'a' }, DATA),
    ).toMatchObject({ code: 'invalid_event', at: ['/specversion', '/id', '/source', '/type'] });
  });

  test.each([
    'text/plain',
    'application/xml',
    'application/jsonp',
    'application/json; charset=latin1',
  ])('with data of %s is refused', async (type) => {
    expect(await sendBinary({}, DATA, { 'content-type': type })).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    });
  });

  test('may have data of any JSON type', async () => {
    expect(
      (await sendBinary({}, DATA, { 'content-type': 'application/vnd.user+json; charset=UTF-8' }))
        .event?.data,
    ).toEqual(DATA);
  });

  test('without body and type has no data: refused by the schema', async () => {
    expect(await sendBinary({}, new Uint8Array(), {})).toMatchObject({
      status: 400,
      code: 'invalid_input',
    });
  });

  test('with a body of no type is refused', async () => {
    expect(await sendBinary({}, new TextEncoder().encode('{"username":"a"}'), {})).toMatchObject({
      code: 'unsupported_media_type',
    });
  });

  test('with a body that is not strict JSON is refused', async () => {
    for (const body of [
      '',
      '{"a":1,"a":2}',
      '{"__proto__":{}}',
      new Uint8Array([0x22, 0xff, 0x22]),
    ])
      expect(await sendBinary({}, body)).toMatchObject({ status: 400, code: 'invalid_json' });
  });
});
