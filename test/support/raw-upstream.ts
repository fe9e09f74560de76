/** A server behind that shows every byte it gets, and answers with whatever bytes it is told. */
import net, { type AddressInfo, type Socket } from 'node:net';
import { type Message, readMessages } from './raw-message';

export interface RawUpstream {
  readonly port: number;
  readonly url: string;
  /** All requests that were whole, in the order of their ends. */
  requests(): readonly Message[];
  /** Of each connection all bytes that were no part of a whole request. */
  rests(): readonly string[];
  /** How many connections there were. */
  connections(): number;
  /** Resolves with the first connection whose bytes match, and those bytes. */
  head(pattern: RegExp): Promise<readonly [Socket, string]>;
  forget(): void;
  /** Connections that are open. */
  sockets(): readonly Socket[];
  close(): Promise<void>;
}

/** What is told of each request as soon as it is whole; the text that it gives is the answer. */
export type Answerer = (message: Message, socket: Socket) => string | Buffer | undefined;

export const ok = (body = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

export const startRawUpstream = async (
  answer: Answerer = ({ body }) => ok(body),
): Promise<RawUpstream> => {
  let seen: { text: string; taken: number; readonly socket: Socket }[] = [];
  let look = (): void => {};
  let whole: Message[] = [];
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    const own = { text: '', taken: 0, socket };
    seen.push(own);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', (part) => {
      own.text += part.toString('latin1');
      look();
      for (const message of readMessages(own.text).messages.slice(own.taken)) {
        own.taken += 1;
        whole.push(message);
        const bytes = answer(message, socket);
        if (bytes !== undefined) socket.write(bytes as string, 'latin1');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests: () => whole,
    rests: () => seen.map(({ text }) => readMessages(text).rest).filter((rest) => rest !== ''),
    connections: () => seen.length,
    head: (pattern) =>
      new Promise((resolve) => {
        look = () => {
          const found = seen.find(({ text }) => pattern.test(text));
          if (found) resolve([found.socket, found.text]);
        };
        look();
      }),
    forget: () => {
      seen = [];
      whole = [];
      for (const socket of sockets) socket.destroy();
    },
    sockets: () => [...sockets],
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
