/** What a topology may say, and what is told of one that cannot be used. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compile } from '../../../shared/schema';
import { readTopology } from '../../../shared/shard/read';
import { TOPOLOGY_SCHEMA } from '../../../shared/shard/schema';
import { shardTable } from '../../../shared/shard/table';
import { MODES } from '../../../shared/shard/topology';
import { type PlainSchema, validate } from '../../../shared/shard/validate';

const shards = (...addresses: readonly string[]) => addresses.map((address) => ({ address }));
const mistakesOf = (value: unknown) => {
  const read = readTopology(value);
  return 'mistakes' in read
    ? read.mistakes.map(({ pointer, message }) => `${pointer} ${message}`)
    : [];
};

describe('the JSON Schema of a topology', () => {
  const read = (file: string) =>
    JSON.parse(readFileSync(path.resolve(__dirname, '../../..', file), 'utf8'));

  test('is the file for editors', () => {
    expect(read('shared/shard/topology.schema.json')).toEqual(TOPOLOGY_SCHEMA);
  });

  test.each([
    ['./topology.schema.json', TOPOLOGY_SCHEMA.title],
    ['./shard-router.schema.json', "A shard router's configuration"],
  ])('can be had from the package as %s', (name, title) => {
    const { exports: exported, files } = read('package.json');
    expect(read(exported[name]).title).toBe(title);
    expect(files).toContain(exported[name].slice(2));
  });
});

describe('a topology', () => {
  test('has its defaults filled in', () => {
    expect(
      readTopology({ mode: 'nginx-consistent', shards: [{ address: 'a:1', weight: 2 }] }),
    ).toEqual({
      topology: {
        mode: 'nginx-consistent',
        shards: [{ address: 'a:1', name: 'a:1', weight: 2, down: false, ejected: false }],
      },
    });
  });

  test('of ordinals makes its shards of template and replicas', () => {
    const { shards: made } = shardTable({
      mode: 'ordinal',
      template: 'db-{n}.db.svc:80{n}',
      replicas: 3,
    });
    expect(made.map(({ name }) => name)).toEqual([
      'db-0.db.svc:800',
      'db-1.db.svc:801',
      'db-2.db.svc:802',
    ]);
  });

  test('tells all that is wrong at once, each with its place', () => {
    expect(
      mistakesOf({
        mode: 'nigx',
        shards: [{ address: '' }, { name: 'b', weight: 1.5 }, { address: 'c', wieght: 1 }, 7],
        pins: { 'a/b': 1 },
      }),
    ).toEqual([
      `/mode must be one of ${MODES.join(', ')}`,
      '/shards/0/address must NOT have fewer than 1 characters',
      '/shards/1/address is required',
      '/shards/1/weight must be integer',
      '/shards/2/wieght is not known here',
      '/shards/3 must be object',
      '/pins/a~1b must be string',
    ]);
    expect(
      mistakesOf({
        mode: 'twemproxy-ketama',
        shards: [{ address: 'a' }, { address: 'b', name: 'a', weight: 0 }],
        hash: 'crc64',
        pins: { k: 'nobody' },
      }),
    ).toEqual([
      '/shards/1/name is that of /shards/0: names must differ',
      '/shards/1/weight must be >= 1',
      expect.stringMatching(/^\/hash must be one of one_at_a_time, md5, /),
      '/pins/k must be the name of a shard',
    ]);
  });

  test.each([
    [{ mode: 'native' }, '/shards must have at least one shard'],
    [{ mode: 'native', shards: [] }, '/shards must have at least one shard'],
    [{ mode: 'ordinal' }, '/template is required where no shards are listed'],
    [
      { mode: 'ordinal', template: 'db', replicas: 2 },
      '/template must have {n} where the number goes',
    ],
    [{ mode: 'ordinal', template: 'db-{n}' }, '/replicas is required with a template'],
    [
      { mode: 'ordinal', template: 'db-{n}', replicas: 2, shards: shards('db-0', 'db-2') },
      '/shards are others than template and replicas make',
    ],
    [
      { mode: 'ordinal', template: 'db-{n}', replicas: 1, shards: shards('db-0', 'db-1') },
      '/shards are others than template and replicas make',
    ],
    [
      { mode: 'envoy-maglev', tableSize: 65_536, shards: shards('a') },
      '/tableSize must be a prime',
    ],
    [
      { mode: 'envoy-ring', maximumRingSize: 1000, shards: shards('a') },
      '/minimumRingSize must be <= 1000, the most',
    ],
    [
      {
        mode: 'haproxy-consistent',
        shards: [
          { address: 'a', id: 2 },
          { address: 'b', id: 2 },
        ],
      },
      '/shards/1/id is that of /shards/0: ids must differ',
    ],
    [{ mode: 'lookup', shards: shards('a') }, '/table is required'],
    [{ mode: 'prefix', table: [], shards: shards('a') }, '/table must be object in this mode'],
    [{ mode: 'range', table: {}, shards: shards('a') }, '/table must be array in this mode'],
    [
      { mode: 'lookup', table: { 'k~': 'b' }, shards: shards('a') },
      '/table/k~0 must be the name of a shard',
    ],
    [
      { mode: 'range', table: [{ shard: 'b' }], shards: shards('a') },
      '/table/0/shard must be the name of a shard',
    ],
    [
      { mode: 'range', table: [{ from: 'b', to: 'a', shard: 'a' }], shards: shards('a') },
      '/table/0/to must come behind from',
    ],
    [
      {
        mode: 'range',
        table: [
          { from: 'k', shard: 'a' },
          { from: 'b', to: 'kk', shard: 'a' },
        ],
        shards: shards('a'),
      },
      '/table/0 overlaps /table/1',
    ],
    [
      {
        mode: 'range',
        table: [
          { from: 'a', to: 'z', shard: 'a' },
          { from: 'b', to: 'c', shard: 'a' },
          { from: 'd', to: 'e', shard: 'a' },
        ],
        shards: shards('a'),
      },
      '/table/2 overlaps /table/0',
    ],
  ])('%j: %s', (value, mistake) => {
    expect(mistakesOf(value)).toContain(mistake);
  });

  test.each([
    [{ mode: 'ordinal', template: 'db-{n}', replicas: 2, shards: shards('db-0', 'db-1') }],
    [{ mode: 'ordinal', template: 'db-{n}', replicas: 2, shards: [] }],
    [{ mode: 'ordinal', shards: shards('a', 'b') }],
    [{ mode: 'haproxy-consistent', shards: [{ address: 'a', weight: 0 }, { address: 'b' }] }],
    [{ $schema: './topology.schema.json', mode: 'native', shards: shards('a') }],
    [
      {
        mode: 'range',
        // U+FFFF comes before U+10000 by bytes, and behind it by UTF-16 units.
        table: [
          { to: '\uffff', shard: 'a' },
          { from: '\uffff', to: '\u{10000}', shard: 'a' },
          { from: '\u{10000}', shard: 'a' },
        ],
        shards: shards('a'),
      },
    ],
  ])('%j is fine', (value) => {
    expect(mistakesOf(value)).toEqual([]);
  });
});

test('the check without compiling finds what Ajv finds', () => {
  const ajv = compile(TOPOLOGY_SCHEMA);
  const words = (errors: ReturnType<typeof ajv>) =>
    errors.map(({ pointer, message }) => `${pointer} ${message}`).sort();
  const scalar = fc.oneof(
    fc.constantFrom('', 'a', '{}', '😀', 'native', 'crc16'),
    fc.constantFrom(0, 1, -1, 1.5, 2 ** 31, 65_536, true, false, null),
  );
  const members = Object.keys(TOPOLOGY_SCHEMA.properties);
  const inner = ['address', 'name', 'weight', 'id', 'down', 'ejected', 'from', 'to', 'shard', 'x'];
  const some = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
    fc.dictionary(fc.constantFrom(...names, 'a/b~c'), value, { maxKeys: 5 });
  const nested = fc.oneof(
    scalar,
    fc.array(fc.oneof(scalar, some(inner, scalar))),
    some(inner, scalar),
  );
  fc.assert(
    fc.property(fc.oneof(scalar, some(members, nested)), (value) => {
      expect(words(validate(TOPOLOGY_SCHEMA as PlainSchema, value))).toEqual(words(ajv(value)));
    }),
    { numRuns: 2_000 },
  );
});

test('of HAProxy, who has no id gets one that is free: those given to others are left out', () => {
  const members = [
    { address: 'a', id: 2 },
    { address: 'b' },
    { address: 'c' },
    { address: 'd', id: 4 },
  ];
  expect(mistakesOf({ mode: 'haproxy-consistent', shards: members })).toEqual([]);
});
