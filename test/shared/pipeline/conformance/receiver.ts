/** Every function and webhook of all cases: one real server, which answers by their scripts and remembers what came. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../../shared/clock';
import type { Destination } from '../../../../shared/pipeline/attempt';
import { unguarded } from '../../../../shared/webhook/guard';
import type { Answer } from './case';

export interface Hit {
  /** `<pipeline>/<step>`, and `/undo` where that is called. */
  readonly path: string;
  readonly key: string;
  readonly body: string;
  /** As the call says, if it does, else counted. */
  readonly attempt: number;
  /** Who has called, if the call says so. */
  readonly host: string | undefined;
  /** When it came, and when the answer went; ms since the epoch. */
  readonly at: number;
  answeredAt?: number;
}

export interface Receiver {
  readonly url: string;
  readonly destination: Destination;
  readonly hits: readonly Hit[];
  /** That have come to this path, first to last. */
  hitsOf(path: string): readonly Hit[];
  /** Calls that have come and wait for the time of their answer. */
  readonly held: number;
  forget(pipeline: string): void;
  close(): Promise<void>;
}

export interface ReceiverOptions {
  readonly clock: Clock;
  /** What an attempt at this path gets. */
  readonly answer: (path: string, attempt: number) => Answer;
}

/** Where a caller says it: who is killed makes the same attempt again, and is to get the same answer. */
export const ATTEMPT_HEADER = 'x-attempt';
export const HOST_HEADER = 'x-host';

/** Each target is a path below the URL; of those that end with `/unset`, there is none. */
export const destinationAt = (url: string): Destination => {
  const keys = [Buffer.alloc(32, 7)];
  return (target) => {
    const name = 'function' in target ? target.function : 'webhook' in target && target.webhook;
    if (!name || name.endsWith('/unset')) return undefined;
    return {
      name: `${Object.keys(target)[0]} ${name}`,
      addresses: [{ url: `${url}/${name}`, keys, guard: unguarded }],
      canBeGone: 'webhook' in target,
    };
  };
};

export const openReceiver = async ({ clock, answer }: ReceiverOptions): Promise<Receiver> => {
  let hits: Hit[] = [];
  let byPath = new Map<string, Hit[]>();
  let held = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url as string).slice(1);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const before = byPath.get(path) ?? [];
    const attempt = Number(request.headers[ATTEMPT_HEADER] ?? before.length + 1);
    const hit: Hit = {
      path,
      attempt,
      host: request.headers[HOST_HEADER] as string | undefined,
      key: request.headers['idempotency-key'] as string,
      body: Buffer.concat(parts).toString(),
      at: clock.now(),
    };
    hits.push(hit);
    byPath.set(path, [...before, hit]);
    const { status, takes, retryAfter } = answer(path, attempt);
    // Whoever gives up ends the wait.
    const left = new AbortController();
    response.once('close', () => left.abort());
    held += 1;
    await clock.sleep(takes, left.signal).catch(() => {});
    held -= 1;
    if (left.signal.aborted) return;
    hit.answeredAt = clock.now();
    if (status === 'drop') return void request.socket.destroy();
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...(status === 302 && { location: '/elsewhere' }),
    });
    response.end(status === 204 ? undefined : '{"id":7}');
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  // A socket that the server closes while a call is on its way would be an answer that the script does not have.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    destination: destinationAt(url),
    get hits() {
      return hits;
    },
    hitsOf: (path) => byPath.get(path) ?? [],
    get held() {
      return held;
    },
    forget: (pipeline) => {
      const isOther = (path: string) => !path.startsWith(`${pipeline}/`);
      hits = hits.filter(({ path }) => isOther(path));
      byPath = new Map([...byPath].filter(([path]) => isOther(path)));
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
