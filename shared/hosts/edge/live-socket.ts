/**
 * A WebSocket on its way through: two of the runtime's, each of which ends with the other. Messages go on as they are;
 * frames, pings and compression are the runtime's own on both sides. Fails closed: silence beyond `idle` ends both.
 */
import type { ForwardOptions, LiveStream } from '../../handler';
import { type EdgeSocket, edge } from './runtime';

export interface LiveSocketOptions extends Pick<ForwardOptions, 'onStream' | 'onEnd'> {
  /** Between two messages, whoever sends them, ms. */
  readonly idle: number;
  /** Keeps this request alive until the promise is settled. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** Going Away, Internal Error, Service Restart (RFC 6455 section 7.4.1, and its registry). */
const [AWAY, BROKEN, RESTART] = [1001, 1011, 1012];

/** Gives the socket that the client speaks to. */
export const liveSocket = (
  server: EdgeSocket,
  { idle, onStream, onEnd, keepAlive }: LiveSocketOptions,
): EdgeSocket => {
  const { 0: outside, 1: client } = new edge.WebSocketPair();
  let isOver = false;
  let finish: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let askToEnd: () => void = () => {};
  const ending = new Promise<void>((resolve) => {
    askToEnd = resolve;
  });
  const over = (act: () => void): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(silence);
    act();
    onEnd?.();
    finish();
  };
  const leave = (): void =>
    over(() => {
      close(server, AWAY);
      close(client, AWAY);
    });
  let heard = Date.now();
  const listen = (): void => {
    const left = heard + idle - Date.now();
    if (left <= 0) leave();
    else silence = setTimeout(listen, left);
  };
  let silence = setTimeout(listen, idle);
  const connect = (from: EdgeSocket, to: EdgeSocket): void => {
    from.binaryType = 'arraybuffer';
    from.accept();
    from.addEventListener('message', ({ data }) => {
      heard = Date.now();
      to.send(data);
    });
    from.addEventListener('close', ({ code, reason }) =>
      over(() => {
        close(to, code, reason);
        close(from, code, reason);
      }),
    );
    from.addEventListener('error', () => over(() => close(to, BROKEN)));
  };
  connect(server, client);
  connect(client, server);
  // Whoever ends it may be another request, for which these sockets are not to be touched.
  keepAlive(
    Promise.race([
      ended,
      ending.then(() =>
        over(() => {
          close(client, RESTART);
          close(server, AWAY);
        }),
      ),
    ]),
  );
  const stream: LiveStream = { protocol: 'websocket', end: () => askToEnd(), ended };
  onStream?.(stream);
  return outside;
};

/** 1005, 1006 and 1015 say what no frame may say (RFC 6455 section 7.4.1). */
const close = (socket: EdgeSocket, code: number, reason = ''): void => {
  try {
    if (code === 1005) socket.close();
    else socket.close(code === 1006 || code === 1015 ? BROKEN : code, reason);
  } catch {
    // It is closed already.
  }
};
