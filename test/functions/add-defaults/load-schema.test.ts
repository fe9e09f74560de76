import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { addDefaults } from '../../../functions/add-defaults';
import { withSchema } from '../../../functions/add-defaults/load-schema';
import type { Handler } from '../../../shared/handler';
import { nodeFiles } from '../../../shared/hosts/node-files';
import { text } from '../../../shared/http/response';
import type { Schema } from '../../../shared/schema';
import { invoke } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';

const SCHEMA = '{"$id":"https://schemas.test/paint","properties":{"color":{"default":"green"}}}';

const api: Handler = async (request) => text(await request.text());
const load = (source: string, timeout?: number): Handler => {
  const { clock, random } = testPlatform();
  const decorator = (schema: Schema) => addDefaults({ schema, clock, random });
  return withSchema(source, decorator, {
    files: nodeFiles('.'),
    ...(timeout !== undefined && { timeout }),
  })(api);
};

const complete = async (handler: Handler, body: unknown = {}): Promise<string> =>
  (await invoke(handler, '/', { body })).text();

const fileWith = (content: string): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'schema-')), 'paint.schema.json');
  writeFileSync(path, content);
  return path;
};

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server of schemas on a free port. */
const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/paint.json`;
};

describe('the schema of add-defaults', () => {
  test('comes inline or from a file', async () => {
    expect(await complete(load(SCHEMA))).toBe('{"color":"green"}');
    expect(await complete(load(fileWith(SCHEMA)))).toBe('{"color":"green"}');
  });

  test.each(['./paint.json', 'https://schemas.test/paint'])(
    'comes inline where there are no files: not from %s',
    (source) => {
      expect(() => withSchema(source, () => (next) => next)).toThrow(/must be the JSON itself/);
    },
  );

  test.each([
    ['a file that is not there', '/no/such/paint.json', /cannot be read.*ENOENT/],
    ['a file that is no JSON', fileWith('{"a":'), /line 1, column 6/],
    ['JSON that is no schema', fileWith('[]'), /must be a JSON object/],
    ['inline JSON with a mistake', '{"a":1,}', /line 1, column 8/],
    ['a keyword that nobody knows', '{"requried":["a"]}', /unknown keyword: "requried"/],
    ['a type that nobody knows', '{"type":"text"}', /type/],
    ['a $ref that leads out', '{"$ref":"https://other.test/s"}', /other\.test/],
    ['$async, which would let everything pass', '{"$async":true}', /\$async/],
  ])('is refused at start as %s', (_, source, message) => {
    expect(() => load(source)).toThrow(TypeError);
    expect(() => load(source)).toThrow(message);
  });

  test('comes from a URL once, for all who wait', async () => {
    let hits = 0;
    const url = await serve((_, answer) => {
      hits += 1;
      answer.end(SCHEMA);
    });
    const handler = load(url);
    expect(hits).toBe(0);
    const bodies = await Promise.all([complete(handler), complete(handler), complete(handler)]);
    expect(bodies).toEqual(Array(3).fill('{"color":"green"}'));
    await complete(handler);
    expect(hits).toBe(1);
  });

  test('is asked for again after a failure, and until then nothing passes', async () => {
    const answers: RequestListener[] = [
      (_, answer) => answer.writeHead(500).end(SCHEMA),
      (_, answer) => answer.end('<html>'),
      (_, answer) => answer.end('{"type":"text"}'),
      (_, answer) => answer.end(`${SCHEMA}${' '.repeat(1_100_000)}`),
      (_, answer) => answer.destroy(),
      (_, answer) => answer.end(SCHEMA),
    ];
    const failures = answers.length - 1;
    const handler = load(await serve((request, answer) => answers.shift()?.(request, answer)));
    for (let i = 0; i < failures; i++)
      await expect(complete(handler)).rejects.toMatchObject({
        code: 'upstream_unreachable',
        message: 'The schema of this function could not be loaded.',
      });
    expect(await complete(handler)).toBe('{"color":"green"}');
  });

  test('is not waited for longer than its timeout', async () => {
    const handler = load(await serve(() => {}), 50);
    await expect(complete(handler)).rejects.toMatchObject({
      code: 'upstream_timeout',
      status: 504,
    });
  });

  test('is not waited for by what passes untouched', async () => {
    const handler = load('http://127.0.0.1:1/paint.json');
    await expect(complete(handler)).rejects.toMatchObject({ code: 'upstream_unreachable' });
    const response = await invoke(handler, '/', { method: 'PATCH', body: { a: 1 } });
    expect(await response.text()).toBe('{"a":1}');
  });
});
