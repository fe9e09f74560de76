/**
 * One POST by node:http and nothing else, in the place of `shared/webhook/deliver`: no guard, no deadline, no bounds.
 * What the delivery of the suite, and axios in it, take is the difference.
 */
import { Agent, request } from 'node:http';
import type { DeliverOptions, Delivery } from '../../../shared/webhook/deliver';

const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 });

export const deliver = ({ url, headers, body }: DeliverOptions): Promise<Delivery> =>
  new Promise((resolve) => {
    const { hostname, port, pathname } = new URL(url);
    const sent = request(
      {
        agent,
        method: 'POST',
        hostname,
        port,
        path: pathname,
        headers: { ...headers, 'content-length': body.length },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: { 'content-type': 'application/json' },
            body: Buffer.concat(parts),
            truncated: false,
          }),
        );
      },
    );
    sent.on('error', () => resolve({ error: 'unreachable' }));
    sent.end(body);
  });
