/** A host with a pipeline of our own and a receiver that answers its steps as a test says. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Run } from '../../shared/pipeline/run';
import { bundle } from '../support/bundle';
import { type HostProcess, startHost } from '../support/host-process';

export interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  /** Before it is sent, ms. @default 0 */
  readonly after?: number;
}

export interface RunHost extends HostProcess {
  /** How the step of this name is answered from now on. */
  reply(step: string, reply: Reply): void;
  /** Idempotency keys of the calls so far, by step. */
  keys(step: string): readonly string[];
  /** Starts a run; its path. */
  start(pipeline: string, input?: unknown): Promise<string>;
  find(location: string): Promise<Run>;
  ended(location: string): Promise<Run>;
}

const VARIABLE = (step: string) => `${step.toUpperCase().replaceAll('-', '_')}_URL`;

/** `pipelines`: file name to YAML, without `name` and `input`; a step's webhook is `<STEP>_URL`. */
export const startRunHost = async (
  pipelines: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunHost> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'runs-'));
  mkdirSync(path.join(folder, 'pipelines'));
  const write = (file: string, text: string) =>
    writeFileSync(path.join(folder, 'pipelines', file), text);
  write('any.schema.json', JSON.stringify({ type: 'object' }));
  for (const [name, text] of Object.entries(pipelines))
    write(`${name}.yaml`, `name: ${name}\ninput: any.schema.json\n${text}`);

  const replies = new Map<string, Reply>();
  const keys = new Map<string, string[]>();
  const receiver = http.createServer((incoming, outgoing) => {
    const step = (incoming.url ?? '').slice(1);
    keys.set(step, [...(keys.get(step) ?? []), String(incoming.headers['webhook-id'])]);
    const { status = 200, body = {}, after = 0 } = replies.get(step) ?? {};
    incoming.resume().on('end', () =>
      setTimeout(() => {
        outgoing.writeHead(status, { 'content-type': 'application/json' });
        outgoing.end(JSON.stringify(body));
      }, after),
    );
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const text = Object.values(pipelines).join('\n');
  const closeReceiver = async () => {
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
    await rm(folder, { recursive: true, force: true });
  };
  const host = await startHost({
    file: bundle('deploy/entry/node.ts'),
    folder,
    environment: {
      PIPELINES_DIR: path.join(folder, 'pipelines'),
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
      WEBHOOK_ALLOW: `127.0.0.1:${port}`,
      ...Object.fromEntries(
        [...text.matchAll(/webhook: ([A-Z_]+)_URL/g)].map(([, name = '']) => [
          VARIABLE(name),
          `http://127.0.0.1:${port}/${name.toLowerCase().replaceAll('_', '-')}`,
        ]),
      ),
      ...environment,
    },
  }).catch(async (error: unknown) => {
    await closeReceiver();
    throw error;
  });
  const find: RunHost['find'] = async (location) =>
    (await (await fetch(host.url + location)).json()) as Run;
  return {
    ...host,
    reply: (step, reply) => void replies.set(step, reply),
    keys: (step) => keys.get(step) ?? [],
    start: async (pipeline, input = {}) => {
      const response = await fetch(`${host.url}/${pipeline}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      });
      if (response.status !== 202) throw new Error(await response.text());
      return response.headers.get('location') as string;
    },
    find,
    ended: async (location) => {
      for (let tries = 0; tries < 500; tries++) {
        const run = await find(location);
        if (run.state !== 'running') return run;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error('the run does not end');
    },
    stop: async (signal) => {
      const code = await host.stop(signal);
      await closeReceiver();
      return code;
    },
  };
};

/** Takes money, tells a list, waits for a person, sends a parcel. */
export const ORDER = `summary: What happens when somebody orders.
callers: public
steps:
  charge:     { webhook: CHARGE_URL, expose: [/receipt] }
  newsletter: { webhook: NEWSLETTER_URL, after: [charge], required: false, retry: { attempts: 2, backoff: 200ms } }
  approve:    { wait: { for: order.approved, timeout: 1h }, after: [charge], expose: [/approved] }
  gift:       { webhook: GIFT_URL, after: [charge], when: /secretWish, required: false }
  ship:       { webhook: SHIP_URL, after: [approve], retry: { attempts: 2, backoff: 200ms } }
`;
