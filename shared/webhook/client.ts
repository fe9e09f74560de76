/**
 * The one HTTP client for webhooks, and the one file that knows axios.
 *
 * Nothing is followed (redirects), asked on the way (proxies of the environment) or inflated; certificates are checked
 * whatever the environment says. Every connection goes through a guard; fails closed.
 */
import http, {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import https, { Agent as TlsAgent } from 'node:https';
import type { AxiosAdapter, AxiosHeaders } from 'axios';
import { ForbiddenTarget, type Guard } from './guard';

export interface Post {
  readonly url: string;
  /** As they go out, besides `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly guard: Guard;
  /** Given the request before anything is sent, so that it can be destroyed at any time. */
  readonly onRequest: (request: ClientRequest) => void;
}

/** Bytes of the head of an answer. */
const MAX_HEAD = 16_384;

/** Interim answers (1xx) that may come before the answer. Each costs memory, and nobody asked for any. */
const MAX_INTERIM = 64;

/** The code of the error when there were more, or when the answer is another protocol (101). */
export const UNWANTED_ANSWER = 'UNWANTED_ANSWER';

const SOCKETS = {
  keepAlive: true,
  // As axios sets it for each call: if node set another between calls, each would cost eight system calls more.
  keepAliveMsecs: 60_000,
  // Idle sockets go a second before Node servers close theirs (5 s): a call on a closing socket is lost.
  timeout: 4_000,
  maxFreeSockets: 64,
};
/** Given explicitly: NODE_TLS_REJECT_UNAUTHORIZED and --tls-min-v1.0 are for the whole process, not for webhooks. */
const TLS = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;

const ALWAYS = {
  accept: 'application/json, */*;q=0.1',
  'accept-encoding': 'identity',
  'user-agent': 'faas-patterns',
};

/** All that goes out, but `host` and `connection`, which are of the connection. */
export const wireHeaders = (
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Readonly<Record<string, string | number>> => ({
  ...ALWAYS,
  ...headers,
  'content-length': body.length,
});

/** Resolves with the head of the answer; its body is left to be read. Rejects with an error of the vendor. */
export const post = async (call: Post): Promise<IncomingMessage> => {
  client ??= await load();
  const { send, none } = client;
  const { url, headers, body, guard, onRequest } = call;
  // The adapter alone: the layers above it copy and merge what stands here, for more than half of what axios costs.
  const answer = await send({
    url,
    method: 'post',
    // Not read again: the bytes are the caller's, to the last one.
    data: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    headers: none(),
    ...agentsOf(guard),
    proxy: false,
    maxRedirects: 0,
    decompress: false,
    responseType: 'stream',
    // Straight to node, which refuses a header that is none where axios would mend it, and with the head bounded.
    transport: {
      request: (asked: RequestOptions, onAnswer: (answer: IncomingMessage) => void) => {
        const { protocol, hostname, port, path, agent } = asked as Required<RequestOptions>;
        const { request } = protocol === 'https:' ? https : http;
        const options = {
          ...{ protocol, hostname, port, path, agent, method: 'POST', maxHeaderSize: MAX_HEAD },
          headers: { ...ALWAYS, ...headers, 'content-length': body.length },
        };
        const sent = request(options, onAnswer);
        onRequest(sent);
        refuseUnwanted(sent);
        return sent;
      },
    },
  });
  return answer.data;
};

const refuseUnwanted = (request: ClientRequest): void => {
  const unwanted = () => Object.assign(new Error(UNWANTED_ANSWER), { code: UNWANTED_ANSWER });
  let interim = 0;
  request.on('information', () => {
    interim += 1;
    if (interim > MAX_INTERIM) request.destroy(unwanted());
  });
  // Node has let go of the request by then: nobody else would tell how it ended.
  request.on('upgrade', (_answer, socket) => {
    socket.destroy();
    request.emit('error', unwanted());
  });
};

interface Client {
  readonly send: AxiosAdapter;
  readonly none: () => AxiosHeaders;
}

let client: Client | undefined;

/** At the first delivery: a function that never delivers does not pay for axios. */
const load = async (): Promise<Client> => {
  const { getAdapter, AxiosHeaders: Headers } = (await import('axios')).default;
  return { send: getAdapter('http'), none: () => new Headers() };
};

interface Agents {
  readonly httpAgent: Agent;
  readonly httpsAgent: TlsAgent;
}

const agents = new WeakMap<Guard, Agents>();

/** A pool holds only what its guard has let through, each socket for the host and port it was let through for. */
const agentsOf = (guard: Guard): Agents => {
  const known = agents.get(guard);
  if (known) return known;
  const made = {
    httpAgent: guarded(new Agent(SOCKETS), guard),
    httpsAgent: guarded(new TlsAgent({ ...SOCKETS, ...TLS }), guard),
  };
  agents.set(guard, made);
  return made;
};

const guarded = <T extends Agent>(agent: T, guard: Guard): T => {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const lookup = guard.resolver(options.host ?? '', Number(options.port));
    if (lookup) return connect({ ...options, lookup }, callback);
    // In its own time: the request does not listen yet.
    setImmediate(() => callback?.(new ForbiddenTarget(), undefined as never));
    return undefined;
  };
  return agent;
};
