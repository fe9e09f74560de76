import { describe, expect, test } from '@jest/globals';
import declaration from '../../../functions/add-defaults';
import { readConfig } from '../../../shared/config';
import type { ForwardOptions } from '../../../shared/handler';
import { nodeFiles } from '../../../shared/hosts/node-files';
import { text } from '../../../shared/http/response';
import { invoke, testContext } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';

const read = (environment: Record<string, string>, production = false) =>
  readConfig(declaration.config, environment, { production });

const handlerFor = (environment: Record<string, string> = {}) =>
  declaration.create(read(environment).config, testPlatform({ files: nodeFiles('.') }))['* /*'];

describe('the function add-defaults', () => {
  test('works with no settings: a name and a color for an echo', async () => {
    const handler = handlerFor();
    const response = await invoke(handler, '/paints/%C3%A5?x=1', {
      body: '{"size":12345678901234567890}',
      headers: { 'content-type': 'application/json', authorization: 'Bearer secret' },
    });
    expect(response.headers.get('content-type')).toBe('application/json');
    const answer = await response.text();
    expect(answer).toMatch(
      /"body":\{"size":12345678901234567890,"name":"[a-z]+-[a-z]+","color":"blue"\}\}$/,
    );
    expect(JSON.parse(answer)).toMatchObject({
      method: 'POST',
      path: '/paints/%C3%A5',
      query: 'x=1',
    });
    expect(answer).not.toContain('secret');
  });

  test('makes up a new name for each request, and none where there is one', async () => {
    const handler = handlerFor();
    const nameOf = async (body: unknown) =>
      ((await (await invoke(handler, '/', { body })).json()) as { body: { name: string } }).body
        .name;
    const names = new Set(await Promise.all(Array.from({ length: 20 }, () => nameOf({}))));
    expect(names.size).toBeGreaterThan(10);
    expect(await nameOf({ name: 'ada' })).toBe('ada');
  });

  test('sends to its target within its timeout, by its schema', async () => {
    const sent: [string, ForwardOptions | undefined][] = [];
    const context = testContext({
      forward: (...call) => {
        sent.push(call as [string, ForwardOptions]);
        return text('');
      },
    });
    const handler = handlerFor({
      ADD_DEFAULTS_TARGET: 'https://api.test/v1',
      ADD_DEFAULTS_SCHEMA:
        '{"properties":{"at":{"x-generate":"now"},"again":{"x-generate":"now"},"id":{"x-generate":"uuid"}}}',
      ADD_DEFAULTS_TIMEOUT: '2s',
    });
    await invoke(handler, '/paints', { body: {} }, context);
    expect(sent).toEqual([
      [
        'https://api.test',
        {
          path: '/v1/paints',
          timeout: 2000,
          headers: {},
          body: expect.stringMatching(
            /^\{"at":"2026-01-01T00:00:00.000Z","again":"2026-01-01T00:00:00.000Z","id":"[\da-f-]{36}"\}$/,
          ),
        },
      ],
    ]);
  });

  test('needs both settings in production', () => {
    expect(read({}, true).mistakes.map(({ name }) => name)).toEqual([
      'ADD_DEFAULTS_TARGET',
      'ADD_DEFAULTS_SCHEMA',
    ]);
    expect(read({}).mistakes).toEqual([]);
  });

  test.each([
    ['ADD_DEFAULTS_TARGET', 'http://user:pass@api.test/', /^ADD_DEFAULTS_TARGET: .*credentials/],
    ['ADD_DEFAULTS_TARGET', 'http://api.test/?key=1', /^ADD_DEFAULTS_TARGET: .*query/],
    ['ADD_DEFAULTS_SCHEMA', '{"properties":', /^ADD_DEFAULTS_SCHEMA: .*column/],
    ['ADD_DEFAULTS_SCHEMA', '/no/such.json', /^ADD_DEFAULTS_SCHEMA: .*ENOENT/],
  ])('names %s when it is wrong, at start', (name, value, message) => {
    expect(() => handlerFor({ [name]: value })).toThrow(TypeError);
    expect(() => handlerFor({ [name]: value })).toThrow(message);
  });

  test('says whom it calls', () => {
    const { config } = read({ ADD_DEFAULTS_TARGET: 'https://api.test/v1' });
    expect(declaration.calls?.(config)).toEqual(['https://api.test/v1']);
    expect(declaration.calls?.(read({}).config)).toEqual([]);
  });
});
