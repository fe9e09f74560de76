import { describe, expect, test } from '@jest/globals';
import { outgoingOf } from '../../../functions/shard-router/body';
import { HeaderPairs } from '../../../shared/http/headers';
import { withBody } from '../../../shared/http/with-body';
import { withFields } from '../../../shared/http/with-fields';

const bytes = (text: string) => new TextEncoder().encode(text);

/** As the Node hosts give it: its fields tell whether there is a body, and it can be read in bounds. */
const onNode = (fields: Record<string, string>, body = ''): Request =>
  ({
    method: 'POST',
    url: 'http://t/',
    headers: HeaderPairs.of(fields),
    readUpTo: async () => bytes(body),
    get body(): never {
      throw new Error('nobody may open the stream');
    },
  }) as unknown as Request;

const read = async (request: Request, key?: Uint8Array) => {
  const { isKept, body, headers } = await outgoingOf(request, key);
  return [isKept, typeof body === 'object' ? new TextDecoder().decode(body) : body, headers];
};

describe('what goes out of a request', () => {
  test('is nothing where there is no body', async () => {
    expect(await read(onNode({}))).toEqual([true, undefined, undefined]);
    expect(await read(onNode({ 'content-length': '0' }))).toEqual([true, undefined, undefined]);
    expect(await read(new Request('http://t/'))).toEqual([true, undefined, undefined]);
  });

  test('is known at once where nothing has to be read', () => {
    expect(outgoingOf(onNode({}), undefined)).not.toBeInstanceOf(Promise);
    expect(outgoingOf(onNode({ 'content-length': '65537' }), undefined)).not.toBeInstanceOf(
      Promise,
    );
    expect(outgoingOf(onNode({ 'content-length': '9' }), bytes('known'))).not.toBeInstanceOf(
      Promise,
    );
  });

  test('is kept when it is small, and streams when it is large or of a length that nobody knows', async () => {
    expect(await read(onNode({ 'content-length': '5' }, 'small'))).toEqual([
      true,
      'small',
      undefined,
    ]);
    for (const fields of [{ 'content-length': '65537' }, { 'transfer-encoding': 'chunked' }])
      expect(await read(onNode(fields))).toEqual([false, undefined, undefined]);
    // Where the connection is not of HTTP/1.1, no field need tell of a body.
    const request = new Request('http://t/', { method: 'POST', body: 'x' });
    expect([request.headers.get('content-length'), await read(request)]).toEqual([
      null,
      [false, undefined, undefined],
    ]);
  });

  test('is what a decorator in front has made of it', async () => {
    const compressed = onNode({ 'content-length': '99', 'content-encoding': 'gzip' });
    expect(await read(withBody(compressed, '{"a":1}'))).toEqual([
      true,
      '{"a":1}',
      { 'content-encoding': undefined },
    ]);
    // However large: it is in memory already, and the one that came is gone.
    const large = 'x'.repeat(70_000);
    expect((await read(withBody(compressed, large))).slice(0, 2)).toEqual([true, large]);
    const fields = { 'x-user': 'ada' };
    expect(await read(withFields(onNode({}), fields))).toEqual([true, undefined, fields]);
    expect(await read(withFields(onNode({ 'content-length': '5' }, 'small'), fields))).toEqual([
      true,
      'small',
      fields,
    ]);
  });
});
