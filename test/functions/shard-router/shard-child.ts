/**
 * A shard as a process of its own: says what reached it, or misbehaves as it is told on standard input.
 * Arguments: its name, and the port (0: any). Prints the port; for each line `mode <word>` it says `mode <word>`, and for
 * `count` how many requests have reached it.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

const [name = '', port = '0'] = process.argv.slice(2);
let mode = 'well';
let count = 0;

const hash = async (incoming: http.IncomingMessage): Promise<string> => {
  const digest = createHash('sha256');
  for await (const part of incoming) digest.update(part as Buffer);
  return digest.digest('hex');
};

const fields = (words: string[]): Record<string, string> =>
  Object.fromEntries(words.map((word) => word.split('=') as [string, string]));

const server = http.createServer(async (incoming, outgoing) => {
  count += 1;
  const socket = incoming.socket as Socket;
  const [word, ...words] = mode.split(' ');
  if (word === 'garbage') {
    socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    return;
  }
  if (word === 'silent') return;
  if (word === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  if (word === 'cut') {
    outgoing.writeHead(200, { 'content-length': '1000' });
    outgoing.write('only this');
    setTimeout(() => socket.destroy(), 20);
    return;
  }
  const body = await hash(incoming);
  if (word === 'status') {
    const [status = '200', ...rest] = words;
    outgoing.writeHead(Number(status), { 'content-type': 'text/plain', ...fields(rest) });
    outgoing.end(`from ${name}`);
    return;
  }
  const seen = {
    shard: name,
    method: incoming.method,
    url: incoming.url,
    headers: incoming.rawHeaders,
    body,
    nth: count,
  };
  outgoing.writeHead(200, { 'content-type': 'application/json', ...fields(words) });
  outgoing.end(JSON.stringify(seen));
});
server.keepAliveTimeout = 600_000;
server.listen(Number(port), '127.0.0.1', () => {
  const at = server.address();
  process.stdout.write(`${typeof at === 'object' ? at?.port : ''}\n`);
});

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'count') process.stdout.write(`${count}\n`);
  else {
    mode = line.replace('mode ', '');
    process.stdout.write(`mode ${mode}\n`);
  }
});
