/** The operator's own services behind two-factor, at one address: a login service and an audit sink, each with faults. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type SinkFault = 'refuse' | 'reset' | 'hang';

/** Told of each request: what it is, all that it said, and what it may say. */
export type Hear = (name: string, said: string, may?: readonly string[]) => void;

/** How long a registration takes, ms: long enough to read meanwhile what waits for it in the queue. */
const REGISTRATION = 400;

/** The login service fails for whom it is named to: `login-hang-…`. */
export const startServices = async (hear: Hear, sink: () => SinkFault | 'take') => {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const said = `${JSON.stringify(request.headers)}\n${body}`;
    const reset = () => void request.socket.resetAndDestroy();
    if (request.url === '/audit') {
      hear('an audit event', said);
      if (sink() === 'hang') return;
      if (sink() === 'reset') return reset();
      return void response.writeHead(sink() === 'refuse' ? 500 : 204).end();
    }
    // It verifies by itself, so it must know of which challenge and whose.
    hear('a registration', said, ['challenge', 'user']);
    const { user = '' } = JSON.parse(body || '{}') as { user?: string };
    await new Promise((resolve) => setTimeout(resolve, REGISTRATION));
    const [, fault] = /^login-(\w+)-/.exec(user) ?? [];
    if (fault === 'hang') return;
    if (fault === 'reset') return reset();
    if (fault === '500') return void response.writeHead(500).end(`no ${body}`);
    if (fault === 'redirect')
      return void response.writeHead(307, { location: `${url}/elsewhere` }).end();
    if (fault === 'junk') return void response.writeHead(418).end('<html>'.repeat(9_999));
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
