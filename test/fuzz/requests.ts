/** Requests of all kinds, around those that work. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { HOSTILE_ADDRESSES } from '../support/hostile-addresses';
import { JSON_SNIPPETS, mutated, wellFormed } from './mutated';

export interface Asked {
  readonly method: string;
  /** As a host gets it: path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export interface Ground {
  readonly method: string;
  /** Path below the root, `:name` and `*` included. */
  readonly path: string;
  /** Bodies that work, the best first. */
  readonly bodies: readonly unknown[];
  /** Values that work somewhere: for fields of bodies, for queries, for parts of paths. */
  readonly values: Readonly<Record<string, string>>;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'];

const TARGET_SNIPPETS = [
  '/',
  '//',
  '/..',
  '/%2e%2e',
  '%2f',
  '%00',
  '%ff',
  '%',
  '%E0%A4%A',
  ';',
  '?',
  '??',
  '&',
  '=',
  '#',
  '\\',
  ' ',
  '..',
  '*',
  ':id',
  '?token=',
  '&token=a',
  'é',
  '\ud83d\ude00',
  'a'.repeat(3_000),
];

const targetOf = ({ path, values }: Ground): fc.Arbitrary<string> => {
  const part = fc.oneof(
    fc.constantFrom(...Object.values(values), '__proto__', 'constructor', '.', '..', 'a b'),
    fc.string({ unit: 'grapheme', maxLength: 30 }),
  );
  const concrete = fc
    .tuple(part, fc.boolean())
    .map(([text, raw]) =>
      path.replace(/:\w+|\*/g, () => (raw ? text : encodeURIComponent(wellFormed(text)))),
    );
  const query = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    fc
      .tuple(fc.constantFrom(...Object.keys(values), 'after', 'state', 'wait', ''), part)
      .map(([name, text]) => `?${name}=${encodeURIComponent(wellFormed(text))}`),
    mutated([`?token=${values.token}`], TARGET_SNIPPETS, 2).map((bytes) =>
      bytes.toString('latin1'),
    ),
  );
  const whole = fc.tuple(concrete, query).map(([before, after]) => before + after);
  return fc.oneof(
    { weight: 12, arbitrary: whole },
    whole.chain((target) => mutated([target], TARGET_SNIPPETS, 2)).map((bytes) => bytes.toString()),
  );
};

/** Around the bounds that schemas name. */
const LENGTHS = [0, 1, 32, 35, 40, 64, 99, 100, 101, 200, 201, 254, 255, 256, 2_049];

/** JSON that is no object. */
const BARE = ['null', '[]', '[null]', '0', '""', 'true', '"__proto__"', ' '];

const bodyOf = ({ bodies, values }: Ground): fc.Arbitrary<Uint8Array | undefined> => {
  const value = fc.oneof(
    fc.constantFrom<unknown>(...Object.values(values), ...HOSTILE_ADDRESSES),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(...LENGTHS).map((length) => 'a'.repeat(length)),
    fc.jsonValue({ maxDepth: 4 }),
  );
  const strange = fc.dictionary(
    fc.oneof(
      fc.constantFrom(...Object.keys(values), 'toString', 'constructor', 'hasOwnProperty'),
      fc.string({ maxLength: 10 }),
    ),
    value,
    { maxKeys: 3, noNullPrototype: true },
  );
  // Most changes are to what stands there; and somebody new gets further than somebody known.
  const around = fc
    .tuple(fc.constantFrom(bodies[0], ...bodies), fc.option(fc.nat({ max: 99_999 })))
    .chain(([base, fresh]) => {
      const known = base as Readonly<Record<string, unknown>>;
      const somebody =
        fresh !== null && 'email' in known ? { email: `ada${fresh}@example.com` } : {};
      const own = fc.dictionary(fc.constantFrom(...Object.keys({ a: 0, ...known })), value, {
        maxKeys: 2,
        noNullPrototype: true,
      });
      return fc
        .oneof({ weight: 2, arbitrary: own }, strange)
        .map((more) => JSON.stringify({ ...known, ...somebody, ...more }));
    });
  const texts = bodies.map((body) => JSON.stringify(body));
  const form = fc
    .dictionary(fc.constantFrom('token', 'a', ''), fc.constantFrom(...Object.values(values)))
    .map((fields) => new URLSearchParams(fields).toString());
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...texts).map((text) => Buffer.from(text)) },
    { weight: 8, arbitrary: around.map((text) => Buffer.from(text)) },
    { weight: 6, arbitrary: mutated(texts, JSON_SNIPPETS) },
    { weight: 2, arbitrary: fc.constantFrom(...BARE).map((text) => Buffer.from(text)) },
    { weight: 2, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    { weight: 2, arbitrary: form.map((text) => Buffer.from(text)) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(1_048_577, 0x20)) },
  );
};

/** What a web `Headers` takes: Latin-1 without controls, nothing at the ends that it would cut. */
const fieldValue = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) })
  .filter((text) => !text.includes('\x7f'));

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'content-encoding': ['identity', 'GZIP', 'deflate', 'gzip, gzip', 'constructor', ''],
  'content-length': ['0', '-1', '1e9', '99999999', 'NaN'],
  'idempotency-key': ['k', '"k"', '"', '', 'a'.repeat(256), '\\"'],
  prefer: ['wait=0', 'wait=1', 'respond-async', 'wait=99999999999', 'wait="0"', 'wait'],
  accept: ['application/json', 'text/html', '*/*', 'text/event-stream'],
  'accept-language': ['de', 'en;q=0.5,*', ';;;,', '-'.repeat(100)],
  authorization: ['Bearer a', 'Basic YTpi', 'Bearer', 'bearer  x'],
  'webhook-id': ['run:step', 'a.b'],
  'webhook-timestamp': ['1700000000', '-1', 'x'],
  'webhook-signature': ['v1,AAAA', 'v1,', ' '.repeat(20), 'v1,a '.repeat(50)],
  // Keys of shards, some of them whose owner is asked, and what only routers say.
  'x-user': ['1', '2', '3', '4', '5', '6', '', 'é'],
  'shard-epoch': ['0', '9', '-1', 'x'],
  'shard-digest': ['0123456789abcdef', ''],
  'shard-role': ['owner', 'replica', 'next', 'admin'],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x'],
  range: ['bytes=0-1'],
  'if-none-match': ['*'],
  expect: ['100-continue'],
};

const EVENT = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/a', 'ce-type': 'a' };

/** An event in fields: a valid one, or one with a mistake. */
const eventFields = fc
  .tuple(
    fc.nat({ max: 9 }).map((n) => ({ 'ce-id': `${n}` })),
    fc.constantFrom<Record<string, string>>(
      ...Array.from({ length: 5 }, () => ({})),
      { 'ce-specversion': '9' },
      { 'ce-id': '%' },
      { 'ce-id': 'a'.repeat(300) },
      { 'ce-source': 'a b' },
      { 'ce-time': 'now' },
      { 'ce-__proto__': 'a' },
    ),
  )
  .map(([id, more]) => ({ ...EVENT, ...id, ...more }));

const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/merge-patch+json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'text/plain',
  '',
];

const headersOf = (): fc.Arbitrary<Record<string, string>> => {
  const names = Object.keys(FIELDS);
  const one = fc
    .constantFrom(...names)
    .chain((name) =>
      fc
        .oneof({ weight: 4, arbitrary: fc.constantFrom(...(FIELDS[name] as string[])) }, fieldValue)
        .map((value) => [name, value] as const),
    );
  const type = fc.oneof(
    { weight: 10, arbitrary: fc.constant('application/json') },
    { weight: 2, arbitrary: fc.constantFrom(...TYPES) },
    fieldValue,
  );
  return fc
    .tuple(
      type,
      fc.oneof({ weight: 7, arbitrary: fc.constant({}) }, eventFields),
      fc.oneof(fc.constant([]), fc.array(one, { maxLength: 3 })),
    )
    .map(([content, event, fields]) => ({
      'content-type': content,
      ...event,
      ...Object.fromEntries(fields),
    }));
};

/** Some bodies are really compressed, and say so. */
const compressed = (asked: Asked, how: number): Asked => {
  if (asked.body === undefined || how > 1) return asked;
  const [encoding, compress] = how === 0 ? ['gzip', gzipSync] : ['br', brotliCompressSync];
  const body = (compress as typeof gzipSync)(asked.body);
  return { ...asked, body, headers: { ...asked.headers, 'content-encoding': encoding as string } };
};

export const requests = (ground: Ground): fc.Arbitrary<Asked> =>
  fc
    .tuple(
      fc.record({
        method: fc.oneof(
          { weight: 16, arbitrary: fc.constant(ground.method === '*' ? 'POST' : ground.method) },
          fc.constantFrom(...METHODS),
        ),
        target: targetOf(ground),
        headers: headersOf(),
        body: bodyOf(ground),
      }),
      fc.nat({ max: 15 }),
    )
    .map(([asked, how]) => compressed(asked, how));
