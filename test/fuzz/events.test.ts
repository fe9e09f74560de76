/** CloudEvents of all kinds: a valid event or a refusal, and the same in both modes. */
import { beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ATTRIBUTES,
  DATA,
  type Outcome,
  send,
  sendBinary,
  sendStructured,
} from '../support/events';
import { JSON_SNIPPETS, mutated, wellFormed } from './mutated';
import { leakIn } from './properties';
import { announceSeed, parameters, TIMEOUT } from './settings';

beforeAll(announceSeed);

const isOutcome = ({ event, status, code, detail }: Outcome): void => {
  if (status === 204) {
    expect(event).toBeDefined();
    expect(event?.id).toMatch(/^.{1,255}$/su);
    expect(event?.source).toMatch(/^\S+$/);
    expect(event?.type).toMatch(/^.+$/su);
    expect(event?.data).toMatchObject({ username: expect.any(String) });
  } else {
    expect(event).toBeUndefined();
    expect([400, 413, 415]).toContain(status);
    expect(code).toMatch(/^(?:invalid_(?:event|json|input|request)|body_too_large|unsupported_)/);
    expect(leakIn(detail ?? '')).toBeUndefined();
  }
};

/** Well-formed text: what is not cannot be percent-encoded, nor be strict JSON. */
const text = (seeds: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...seeds) },
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 20 }).map((one) => wellFormed(one)),
    mutated(seeds, ['%', '%20', ' ', '"', '\\', '\u0000', '\uffff', 'é', '\t', 'Z', '+']).map(
      (bytes) => bytes.toString('utf8'),
    ),
  );

const attributes = fc
  .tuple(
    fc.record(
      {
        specversion: fc.constantFrom('1.0', '1.0', '1.0', '1.0', '0.3', '1.1', ' 1.0'),
        id: text(['event-1', '"1"', 'a b', '%41']),
        source: text(['/a', 'urn:a:b', 'https://example.com/a%20b']),
        type: text(['a.b']),
        subject: text(['user', 'é']),
        time: text(['2026-01-02T03:04:05Z', '2026-01-02t03:04:05.123456789+14:00']),
        dataschema: text(['https://example.com/a', 'urn:a']),
      },
      { requiredKeys: ['specversion', 'id', 'source', 'type'] },
    ),
    fc.dictionary(
      fc.stringMatching(/^[a-z0-9]{1,8}$/).filter((name) => name !== 'data'),
      text(['value']),
      { maxKeys: 2, noNullPrototype: true },
    ),
  )
  .map(([core, extensions]) => ({ ...extensions, ...core }));

/** Any JSON that an envelope may hold. */
const data = fc.oneof(
  { weight: 3, arbitrary: fc.constant<unknown>(DATA) },
  fc
    .jsonValue({ maxDepth: 4 })
    .map((value) => wellFormed(JSON.stringify(value)))
    .filter((json) => !json.includes('"__proto__"'))
    .map((json) => JSON.parse(json) as unknown),
);

test(
  'an event is the same one, with the same key, in both modes, or refused for the same',
  async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(attributes, data, async (given, value) => {
        const body = JSON.stringify(value);
        const binary = await sendBinary(given, body);
        const structured = await sendStructured({ ...given, data: value });
        const encoded = await sendStructured({
          ...given,
          data: undefined,
          datacontenttype: 'application/json',
          data_base64: Buffer.from(body).toString('base64'),
        });
        isOutcome(binary);
        const { at: _, ...same } = binary;
        for (const outcome of [structured, encoded]) {
          expect(outcome).toMatchObject(same);
          expect([...(outcome.at ?? [])].sort()).toEqual([...(binary.at ?? [])].sort());
        }
        if (binary.status === 204) taken++;
      }),
      parameters(2),
    );
    expect(taken).toBeGreaterThan(0);
  },
  TIMEOUT,
);

const ENVELOPES = [
  { ...ATTRIBUTES, data: DATA },
  { ...ATTRIBUTES, datacontenttype: 'application/json', data_base64: 'eyJ1c2VybmFtZSI6ImFkYSJ9' },
  { ...ATTRIBUTES, subject: 'a', time: '2026-01-02T03:04:05Z', ext: 1, flag: true, data: DATA },
].map((envelope) => JSON.stringify(envelope));

const MEMBERS = [
  '"id":null,',
  '"id":1,',
  '"ID":"a",',
  '"data":{},',
  '"data_base64":"",',
  '"data_base64":"e30=",',
  '"specversion":"9",',
  '"datacontenttype":"text/xml",',
  '"time":"now",',
  '"a-b":1,',
  '"x":1.5,',
];

test(
  'an envelope with changes is an event or refused',
  async () => {
    const types = ['application/cloudevents+json', 'application/cloudevents-batch+json'];
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          { weight: 4, arbitrary: mutated(ENVELOPES, [...JSON_SNIPPETS, ...MEMBERS]) },
          fc.json().map((json) => Buffer.from(json)),
          fc.uint8Array({ maxLength: 100 }),
        ),
        fc.constantFrom(...types, types[0] as string, types[0] as string),
        async (body, type) => isOutcome(await send({ 'content-type': type }, new Uint8Array(body))),
      ),
      parameters(2),
    );
  },
  TIMEOUT,
);

test(
  'fields with changes are an event or refused',
  async () => {
    const value = fc.oneof(
      fc.constantFrom(
        ...Object.values(ATTRIBUTES),
        '',
        '%',
        '%00',
        '"',
        '"a"',
        '\\',
        '%F0%9F%98%80',
      ),
      fc.string({ maxLength: 20 }),
    );
    const name = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...Object.keys(ATTRIBUTES), 'subject', 'time') },
      fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{0,10}$/),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true }),
        fc.constantFrom(
          'application/json',
          'application/json',
          'text/plain',
          'application/cloudevents+json',
        ),
        async (changes, type) => {
          const fields = Object.entries({ ...ATTRIBUTES, ...changes });
          const headers = Object.fromEntries(fields.map(([key, one]) => [`ce-${key}`, one]));
          isOutcome(await send({ ...headers, 'content-type': type }, DATA));
        },
      ),
      parameters(2),
    );
  },
  TIMEOUT,
);
