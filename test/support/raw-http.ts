import http from 'node:http';
import net from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Lower-case name and value, in the order of the wire, without `date` and the ids that differ from call to call. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Whether the connection broke before the end of the body. */
  readonly broken: boolean;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** Name-value pairs may repeat. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** One exchange over a connection of its own, with nothing normalised. */
export const exchange = (
  port: number,
  { method = 'GET', path, headers = [], body }: RawRequest,
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: ['host', `127.0.0.1:${port}`, ...headers.flat()] as never,
      },
      (response) => {
        const parts: Buffer[] = [];
        const settle = (broken: boolean) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: pairs(response.rawHeaders),
            body: Buffer.concat(parts),
            broken,
          });
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => settle(false));
        response.on('error', () => settle(true));
      },
    );
    request.on('error', reject);
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array)
      request.end(body);
    else
      (async () => {
        for await (const part of body) request.write(part);
        request.end();
      })().catch(reject);
  });

const pairs = (raw: readonly string[]): (readonly [string, string])[] => {
  const found: (readonly [string, string])[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (name !== 'date') found.push([name, raw[i + 1] as string]);
  }
  return found;
};

/** Writes bytes to a socket as they are and resolves with all that came back until the end. */
export const speak = (port: number, text: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer')));
  });

/** A connection that a test speaks on step by step. */
export interface RawClient {
  readonly socket: net.Socket;
  /** All that has come so far. */
  readonly text: string;
  /** Resolves with all that has come, once it matches; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that has come until the connection ended. */
  ended(): Promise<string>;
}

/** Connects and writes. */
export const openRaw = (port: number, text: string | Buffer): RawClient => {
  let came = '';
  let isClosed = false;
  let look = (): void => {};
  const socket = net.connect(port, '127.0.0.1');
  socket.write(text);
  socket
    .on('data', (part) => {
      came += part.toString('latin1');
      look();
    })
    .on('error', () => undefined)
    .on('close', () => {
      isClosed = true;
      look();
    });
  const wait = (isThere: () => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (isThere()) resolve(came);
        else if (isClosed) reject(new Error(`it ended after ${JSON.stringify(came)}`));
      };
      look();
    });
  return {
    socket,
    get text() {
      return came;
    },
    until: (pattern) => wait(() => pattern.test(came)),
    ended: () => wait(() => isClosed),
  };
};
