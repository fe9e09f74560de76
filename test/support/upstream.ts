/** A server behind a host, of this process: each path is a way to answer, and all that comes is kept. */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import zlib from 'node:zlib';

export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export interface Upstream {
  readonly server: http.Server;
  readonly origin: string;
  readonly address: string;
  /** Whole requests, in their order. */
  readonly seen: Seen[];
  /** Paths whose answer was closed before it was whole. */
  readonly left: string[];
  stop(): Promise<void>;
}

type Way = (request: IncomingMessage, answer: ServerResponse) => void;

export const BIG = 48 * 1024 * 1024;

const WAYS: Readonly<Record<string, Way>> = {
  '/gzip': (_request, answer) =>
    answer
      .writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' })
      .end(zlib.gzipSync('hello', { level: 1 })),
  '/brotli': (_request, answer) => {
    const body = zlib.brotliCompressSync('hello');
    answer
      .writeHead(200, { 'content-encoding': 'br', 'content-length': String(body.length) })
      .end(body);
  },
  '/not-gzip': (_request, answer) =>
    answer.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip'),
  '/fields': (_request, answer) =>
    answer
      .writeHead(201, [
        ...['content-type', 'text/plain', 'set-cookie', 'a=1; Path=/', 'set-cookie', 'b=2'],
        ...['connection', 'x-hop', 'x-hop', 'gone', 'keep-alive', 'timeout=9', 'x-end', 'stays'],
        ...['content-length', '4'],
      ])
      .end('body'),
  '/redirect': (_request, answer) => answer.writeHead(302, { location: '/elsewhere' }).end('moved'),
  '/trailers': (_request, answer) => {
    answer.writeEarlyHints({ link: '</a.css>; rel=preload' });
    answer.writeHead(200, { trailer: 'x-sum' }).write('body');
    answer.addTrailers({ 'x-sum': '7' });
    answer.end();
  },
  '/no-content': (_request, answer) => answer.writeHead(204, { 'x-end': 'stays' }).end(),
  '/not-modified': (_request, answer) => answer.writeHead(304, { etag: '"1"' }).end(),
  '/fails': (_request, answer) => answer.writeHead(503, { 'retry-after': '7' }).end('no'),
  '/hangs': () => {},
  '/stalls': (_request, answer) => answer.writeHead(200).write('a beginning'),
  '/stalls-short': (_request, answer) =>
    answer.writeHead(200, { 'content-length': '100' }).write('a beginning'),
  '/cut': (request, answer) => {
    answer.writeHead(200, { 'content-length': '100' }).write('a beginning');
    setTimeout(() => request.socket.destroy(), 50);
  },
  '/cut-chunked': (request, answer) => {
    answer.writeHead(200).write('a beginning');
    setTimeout(() => request.socket.destroy(), 50);
  },
  '/resets': (request) => void request.socket.destroy(),
  '/events': (_request, answer) => sendEvents(answer, {}),
  '/events-gzip': (_request, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    const gzip = zlib.createGzip();
    gzip.pipe(answer);
    gzip.write('data: one\n\n');
    gzip.flush();
  },
  '/events-broken-line': (_request, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    answer.write('data: one\n\ndata: tw');
  },
  '/flood': (_request, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const part = `data: ${'x'.repeat(65_536)}\n\n`;
    const go = () => {
      while (!answer.destroyed && answer.write(part));
      answer.once('drain', go);
    };
    go();
  },
  '/chunks': (_request, answer) => sendEvents(answer, { type: 'text/plain' }),
  '/big': (_request, answer) => {
    answer.writeHead(200, { 'content-length': String(BIG) });
    const part = Buffer.alloc(65_536, 1);
    let left = BIG / part.length;
    const go = () => {
      while (left > 0) {
        left -= 1;
        if (!answer.write(part)) return void answer.once('drain', go);
      }
      answer.end();
    };
    go();
  },
};

const sendEvents = (answer: ServerResponse, { type = 'text/event-stream' }): void => {
  answer.writeHead(200, { 'content-type': type });
  let n = 0;
  const send = () => {
    n += 1;
    answer.write(`data: ${n}\n\n`);
  };
  send();
  const timer = setInterval(send, 50);
  answer.once('close', () => clearInterval(timer));
};

export const startUpstream = async (): Promise<Upstream> => {
  const seen: Seen[] = [];
  const left: string[] = [];
  const sockets = new Set<Socket>();
  const server = http.createServer((request, answer) => {
    const { method = '', url = '', rawHeaders } = request;
    const path = url.replace(/\?.*/, '');
    answer.once('close', () => {
      if (!answer.writableFinished) left.push(path);
    });
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.once('end', () => {
      const body = Buffer.concat(parts);
      seen.push({ method, target: url, rawHeaders, body });
      const way = WAYS[path];
      if (way) way(request, answer);
      else answer.end(JSON.stringify({ method, target: url, size: body.length }));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  return {
    server,
    origin: `http://${address}`,
    address,
    seen,
    left,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
