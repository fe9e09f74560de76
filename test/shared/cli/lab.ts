/** A suite of its own in a process of its own, with a receiver for its steps, and the command beside it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogue } from '../../../functions';
import { cli, type Io } from '../../../shared/cli/cli';
import { bundle } from '../../support/bundle';
import { type HostProcess, startHost } from '../../support/host-process';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const ORDER = `name: order
summary: An order.
input: order.schema.json
steps:
  create: { webhook: CREATE_URL, expose: [/id], retry: { attempts: 1 } }
  ship:   { webhook: SHIP_URL, after: [create], input: { id: create#/id, to: /email }, retry: { attempts: 2, backoff: 50ms } }
  crm:    { webhook: CRM_URL, after: [create], when: /company, required: false }
`;

export const APPROVAL = `name: approval
summary: Somebody has to say yes.
input: order.schema.json
steps:
  ask:     { webhook: CREATE_URL }
  approve: { wait: { for: order.approved }, after: [ask] }
`;

const SCHEMA = JSON.stringify({
  type: 'object',
  required: ['email'],
  additionalProperties: false,
  properties: { email: { type: 'string' }, company: { type: 'string' } },
});

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly calls: Received[];
  /** What it answers. @default 200 with an id */
  answer: (call: Received) => number | Promise<number>;
  close(): Promise<void>;
}

export const startReceiver = async (): Promise<Receiver> => {
  const calls: Received[] = [];
  const receiver = { answer: (_: Received): number | Promise<number> => 200 };
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const call = { path: request.url ?? '', headers: request.headers, body };
    calls.push(call);
    response.writeHead(await receiver.answer(call), { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: `id-${calls.length}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
};

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Lab {
  /** Holds `pipelines`, and all that the suite keeps. */
  readonly folder: string;
  readonly receiver: Receiver;
  readonly environment: Readonly<Record<string, string>>;
  host: HostProcess;
  /** Writes a file of the folder `pipelines`. */
  write(name: string, text: string): void;
  /** Ends the host and starts it on the same journal. */
  restart(): Promise<void>;
  run(args: readonly string[], io?: Partial<Io>): Promise<Ran>;
  close(): Promise<void>;
}

export const createLab = async (extra: Readonly<Record<string, string>> = {}): Promise<Lab> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'cli-'));
  const write: Lab['write'] = (name, text) => writeFileSync(path.join(folder, name), text);
  write('order.yaml', ORDER);
  write('approval.yaml', APPROVAL);
  write('order.schema.json', SCHEMA);
  const receiver = await startReceiver();
  const environment = {
    PIPELINES_DIR: folder,
    CREATE_URL: `${receiver.url}/create`,
    SHIP_URL: `${receiver.url}/ship`,
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_ALLOW: '127.0.0.1',
    STORE_URL: 'memory:',
    ...extra,
  };
  const begin = () => startHost({ file: bundle('deploy/entry/node.ts'), environment, folder });
  const lab: Lab = {
    folder,
    receiver,
    environment,
    host: await begin(),
    write,
    restart: async () => {
      await lab.host.stop();
      lab.host = await begin();
    },
    run: (args, io = {}) =>
      run(args, {
        folder,
        ...io,
        environment: { ...environment, FAAS_URL: lab.host.url, ...io.environment },
      }),
    close: async () => {
      await lab.host.stop();
      await receiver.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return lab;
};

/** The command in this process, with all that it says. */
export const run = async (args: readonly string[], io: Partial<Io> = {}): Promise<Ran> => {
  let out = '';
  let err = '';
  const code = await cli(args, catalogue, {
    environment: {},
    folder: tmpdir(),
    ...io,
    stdout: (text) => {
      out += text;
      io.stdout?.(text);
    },
    stderr: (text) => {
      err += text;
      io.stderr?.(text);
    },
  });
  return { code, out, err };
};

export const linesOf = <T>(text: string): readonly T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);

export async function* piped(...chunks: readonly (string | Uint8Array)[]) {
  yield* chunks;
}
