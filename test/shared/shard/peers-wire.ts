/** What stands before and behind a proxy in these tests: a client that asks many times at once, and servers that say who they are. */
import { once } from 'node:events';
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';

/** Takes text as it comes; gives what of it matches, and keeps what may be the beginning of the next match. */
const matching = (pattern: RegExp): ((chunk: Buffer) => RegExpExecArray[]) => {
  let rest = '';
  return (chunk) => {
    rest += chunk.toString('latin1');
    const matches = [...rest.matchAll(pattern)];
    const last = matches.at(-1);
    if (last) rest = rest.slice(last.index + last[0].length);
    return matches;
  };
};

/** Asks on one connection, `ahead` questions at a time; gives what `pattern` finds in the answers, in their order. */
const converse = async (
  socketPath: string,
  questions: readonly string[],
  pattern: RegExp,
  ahead = questions.length,
): Promise<string[]> => {
  const socket = connect(socketPath);
  const match = matching(pattern);
  const answers: string[] = [];
  let last = '';
  const ask = (from: number) => socket.write(questions.slice(from, from + ahead).join(''));
  socket.on('data', (chunk: Buffer) => {
    last = chunk.toString('latin1');
    for (const [, answer = ''] of match(chunk)) {
      answers.push(answer);
      if (answers.length === questions.length) socket.destroy();
      else if (answers.length % ahead === 0) ask(answers.length);
    }
  });
  ask(0);
  await once(
    socket.setTimeout(20_000, () => socket.destroy()),
    'close',
  );
  if (answers.length === questions.length) return answers;
  throw new Error(
    `${answers.length} answers to ${questions.length} questions; at last: ${last.slice(-2000)}`,
  );
};

/** Who answered each key, by `x-owner`; an empty key is sent as no header at all. */
export const askHttp = (
  socketPath: string,
  name: string,
  keys: readonly string[],
  /** How many questions may be on their way. @default all */
  ahead?: number,
): Promise<string[]> =>
  converse(
    socketPath,
    keys.map((key) => `GET /${name} HTTP/1.1\r\nhost: x\r\n${key && `x-key: ${key}\r\n`}\r\n`),
    /^x-owner: (.*)(?:\r\n.+)*\r\n\r\n/gm,
    ahead,
  );

/** Who answered each key, by RESP; `''` for an error. */
export const askRedis = (socketPath: string, keys: readonly string[]): Promise<string[]> =>
  converse(
    socketPath,
    keys.map((key) => `*2\r\n$3\r\nGET\r\n$${Buffer.byteLength(key)}\r\n${key}\r\n`),
    /(?:\$\d+\r\n@(.*)\r\n|-.*\r\n)/g,
  );

export interface Stub {
  /** On every address of this machine, also on all of 127.0.0.0/8. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Answers each whole question with what `answer` makes of the address that was called. */
const startStub = async (
  listens: ListenOptions,
  question: RegExp,
  answer: (address: string) => string,
): Promise<Stub> => {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const { localAddress, localPort } = socket;
    const address = `${localAddress?.replace('::ffff:', '')}:${localPort}`;
    const said = answer(localAddress ? address : `${listens.path}`);
    const match = matching(question);
    socket.on('data', (chunk: Buffer) => {
      const { length } = match(chunk);
      if (length > 0) socket.write(said.repeat(length));
    });
  });
  server.listen(listens);
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};

/** Speaks just enough HTTP. */
export const startHttpStub = (listens: ListenOptions = { port: 0 }): Promise<Stub> =>
  startStub(listens, /\r\n\r\n/g, () => 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');

/** Speaks just enough RESP: whatever one gets, it is `@` and the address. */
export const startRedisStub = (listens: ListenOptions = { port: 0 }): Promise<Stub> =>
  startStub(listens, /\*2\r\n\$3\r\nGET\r\n\$\d+\r\n[^\r]*\r\n/g, (address) => {
    const text = `@${address}`;
    return `$${text.length}\r\n${text}\r\n`;
  });
