/**
 * The reader of answers beside the one of Node (llhttp, strict): whatever ours takes as a whole answer theirs takes too, with the
 * same status, fields, body and trailers. The other way round it may be stricter. And how the bytes are cut says nothing.
 */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AnswerReader } from '../../shared/hosts/forward/answer-reader';

interface Read {
  readonly status: number;
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

/** Reads the parts, then the end of the connection; `undefined`: it is no whole answer. */
const read = (
  parts: readonly Buffer[],
  isHead = false,
): (Read & { readonly left: number }) | undefined => {
  let body = '';
  let left = 0;
  const reader = new AnswerReader(isHead, {
    onInformation: () => undefined,
    onHead: () => undefined,
    onData: (part) => {
      body += part.toString('latin1');
    },
  });
  try {
    for (const part of parts) left += part.length - (reader.isDone ? 0 : reader.read(part));
    reader.end();
  } catch {
    return undefined;
  }
  if (!reader.isDone || !reader.head) return undefined;
  const { status, fields } = reader.head;
  return { status, fields, body, trailers: [...reader.trailers], left };
};

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const places = [
    0,
    ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ];
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place));
};

const HEADS = [
  'HTTP/1.1 200 OK',
  'HTTP/1.0 404 Not Found',
  'HTTP/1.1 204',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created',
];
const FIELDS = [
  'content-length: 5',
  'Content-Length: 0',
  'transfer-encoding: chunked',
  'x-a:  b c ',
  'X-A:',
  'set-cookie: a=b',
  'connection: close, x-a',
  'keep-alive: timeout=5',
  'trailer: x-sum',
  'content-type: text/plain',
];
const BODIES = [
  'hello',
  '',
  '5\r\nhello\r\n0\r\n\r\n',
  '2;a="b"\r\nhe\r\n3\r\nllo\r\n0\r\nx-sum: 1\r\nX-B: \r\n\r\n',
  '0\r\n\r\n',
];
/** What bends a rule. */
const SPICE = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '5',
  'f',
  '-',
  '+',
  'x',
  '"',
  '\x7f',
  '\xff',
  'chunked',
  '\r\n ',
  '\r\ncontent-length: 5',
  '\r\ntransfer-encoding: chunked',
];

const spiced = fc
  .record({
    head: fc.constantFrom(...HEADS),
    fields: fc.array(fc.constantFrom(...FIELDS), { maxLength: 4 }),
    body: fc.constantFrom(...BODIES),
    spices: fc.array(fc.tuple(fc.nat(), fc.constantFrom(...SPICE), fc.nat({ max: 2 })), {
      maxLength: 2,
    }),
  })
  .map(({ head, fields, body, spices }) => {
    let text = `${[head, ...fields].join('\r\n')}\r\n\r\n${body}`;
    for (const [place, spice, over] of spices) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + spice + text.slice(at + over);
    }
    return Buffer.from(text, 'latin1');
  });

describe('the reader of answers', () => {
  test('reads the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        spiced,
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.boolean(),
        (bytes, at, isHead) => {
          const whole = read([bytes], isHead);
          const parts = read(cut(bytes, at), isHead);
          const letters = read(
            [...bytes].map((byte) => Buffer.from([byte])),
            isHead,
          );
          expect(parts).toEqual(whole);
          expect(letters).toEqual(whole);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('gives up a head, or a line between chunks, that does not end', () => {
    const part = Buffer.alloc(1_000, 'a');
    for (const begin of [
      'HTTP/1.1 200 OK\r\nx: ',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;',
    ]) {
      const reader = new AnswerReader(false, {
        onInformation: () => undefined,
        onHead: () => undefined,
        onData: () => undefined,
      });
      reader.read(Buffer.from(begin));
      expect(() => {
        for (let i = 0; i < 20; i += 1) reader.read(part);
      }).toThrow(/too l/);
    }
  });

  describe('beside that of Node', () => {
    let server: net.Server;
    let bytes = Buffer.alloc(0);
    beforeAll(async () => {
      server = net.createServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end(bytes));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => void server.close());

    const theirs = (): Promise<Read | undefined> =>
      new Promise((resolve) => {
        const { port } = server.address() as AddressInfo;
        http
          .get({ port, host: '127.0.0.1', agent: false }, (response) => {
            let body = '';
            response
              .setEncoding('latin1')
              .on('data', (part) => {
                body += part;
              })
              .on('error', () => resolve(undefined))
              .on('end', () =>
                resolve({
                  status: response.statusCode as number,
                  fields: response.rawHeaders,
                  body,
                  trailers: response.rawTrailers,
                }),
              );
          })
          .on('error', () => resolve(undefined));
      });

    const lowered = (fields: readonly string[]): string =>
      JSON.stringify(fields.map((text, i) => (i % 2 === 0 ? text.toLowerCase() : text)));

    test('takes nothing that theirs does not take, and takes it as theirs does', async () => {
      let taken = 0;
      await fc.assert(
        fc.asyncProperty(spiced, async (made) => {
          bytes = made;
          const ours = read([made]);
          if (!ours) return;
          taken += 1;
          const other = await theirs();
          // Bytes behind an answer end its connection here; theirs may see in them that all of it was wrong.
          if (ours.left > 0 && !other) return;
          expect([other?.status, other?.body]).toEqual([ours.status, ours.body]);
          expect(lowered(other?.trailers ?? [])).toBe(JSON.stringify(ours.trailers));
          const kept = new Set(ours.fields);
          for (const text of kept)
            expect(lowered(other?.fields ?? [])).toContain(JSON.stringify(text).slice(1, -1));
        }),
        { numRuns: 3_000 },
      );
      // Else nothing was shown.
      expect(taken).toBeGreaterThan(300);
    }, 120_000);
  });
});
