/**
 * The same bytes of a request, once to a real peer and once to our reader behind a real server: who is the owner?
 */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import http from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createListener } from '../../../../shared/hosts/listener';
import { json } from '../../../../shared/http/response';
import { systemRandom } from '../../../../shared/random';
import type { KeySource } from '../../../../shared/shard/key/key';
import { keyReader } from '../../../../shared/shard/key/reader';
import { shardTable } from '../../../../shared/shard/table';
import type { TopologyInput } from '../../../../shared/shard/topology';
import { testContext } from '../../../support/invoke';

/** As it goes on the wire; one character a byte. */
export interface Wire {
  readonly target?: string;
  /** Lines without their ends. */
  readonly lines?: readonly string[];
  readonly method?: string;
  readonly body?: string;
}

/** An owner; `none`: what is asked again has another one, so that the request does not decide it; `refused`: 4xx. */
export type Verdict = string | 'none' | 'refused';

const bytesOf = (upstream: string, { target = '/', lines = [], method = 'GET', body }: Wire) =>
  Buffer.from(
    [
      `${method} ${target} HTTP/1.1`,
      'host: x',
      `x-upstream: ${upstream}`,
      'connection: close',
      ...lines,
      ...(body === undefined ? [] : [`content-length: ${body.length}`]),
      '',
      body ?? '',
    ].join('\r\n'),
    'latin1',
  );

const exchange = async (socketPath: string, request: Buffer): Promise<string> => {
  const socket = connect(socketPath);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.setTimeout(20_000, () => socket.destroy());
  socket.write(request);
  await once(socket, 'close');
  return answer;
};

const ownerIn = (answer: string): Verdict => {
  const owner = /^x-owner: (.*)\r$/im.exec(answer)?.[1];
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  if (owner === undefined && !(status >= 400 && status < 500))
    throw new Error(`no owner and no refusal: ${answer.slice(0, 400)}`);
  return owner ?? 'refused';
};

/** Asks twice, since a peer that falls back gives to each in turn. */
export const askPeer = async (
  socketPath: string,
  upstream: string,
  wire: Wire,
): Promise<Verdict> => {
  const request = bytesOf(upstream, wire);
  const [one, two] = [
    ownerIn(await exchange(socketPath, request)),
    ownerIn(await exchange(socketPath, request)),
  ];
  return one === two ? one : 'none';
};

export interface Reader {
  readonly source: KeySource;
  readonly topology: TopologyInput;
}

export interface Ours {
  ask(name: string, wire: Wire): Promise<Verdict>;
  stop(): Promise<void>;
}

/** Our readers, by name, behind node:http as the hosts run it; one proxy is believed. */
export const startOurs = async (readers: Readonly<Record<string, Reader>>): Promise<Ours> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'keys-'));
  const parts = Object.fromEntries(
    Object.entries(readers).map(([name, { source, topology }]) => [
      name,
      {
        table: shardTable(topology),
        reader: keyReader(source, { mode: topology.mode, runtime: 'node', random: systemRandom }),
      },
    ]),
  );
  const { log, forward, waitUntil } = testContext();
  const listener = createListener({
    application: async (request, context) => {
      const { table, reader } = parts[
        request.headers.get('x-upstream') ?? ''
      ] as (typeof parts)[''];
      const key = await reader.read(request, context);
      const owner = 'missing' in key ? undefined : table.place(key);
      return json({}, { headers: { 'x-owner': owner?.name ?? 'none' } });
    },
    forwarder: { forward } as never,
    log: () => log,
    waitUntil,
    stopped: new AbortController().signal,
    stopping: () => false,
    trustedProxyHops: 1,
  });
  const server = http.createServer(listener);
  const socketPath = path.join(folder, 'socket');
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    ask: async (name, wire) => ownerIn(await exchange(socketPath, bytesOf(name, wire))),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export interface Comparison {
  readonly name: string;
  readonly socketPath: string;
  readonly ours: Ours;
  readonly wires: readonly Wire[];
}

/**
 * What differs, and how many were decided by both. What the peer refuses is not compared, as its servers never see it; nor
 * is what node:http refuses by itself, a target with bytes beyond ASCII (RFC 9112 section 3.2).
 */
export const compare = async ({ name, socketPath, ours, wires }: Comparison) => {
  const different: { wire: Wire; theirs: Verdict; ours: Verdict }[] = [];
  let decided = 0;
  for (const wire of wires) {
    const theirs = await askPeer(socketPath, name, wire);
    if (theirs === 'refused') continue;
    const own = await ours.ask(name, wire);
    if (own === 'refused' && /[\x80-\xff]/.test(wire.target ?? '')) continue;
    if (own !== theirs) different.push({ wire, theirs, ours: own });
    else if (own !== 'none') decided += 1;
  }
  return { different: different.slice(0, 5), decided };
};
