/** From node:http to a handler and back. Both Node hosts are this; nothing here knows which functions there are. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFailure, type Failure } from '../failure';
import { givenRequestId } from '../http/request-id';
import { problem } from '../http/response';
import { type Random, requestIds, systemRandom } from '../random';
import { traceContinuer } from '../trace';
import { writeAnswer } from './answer';
import { CallSignal, type ContextOptions, type HostContext, NodeContext } from './context';
import { NodeRequest } from './node-request';

export type { HostContext } from './context';

/** A handler that finds its function by itself. It may narrow `path` before it hands the context on. */
export type Application = (request: Request, context: HostContext) => Response | Promise<Response>;

export interface ListenerOptions extends Omit<ContextOptions, 'continueTrace'> {
  /** @default the operating system's */
  readonly random?: Random;
  readonly application: Application;
  /** Aborts when the host must stop now. */
  readonly stopped: AbortSignal;
  /** Whether the port of the host is closed: then each answer ends its connection. */
  readonly stopping: () => boolean;
  /** Whether the log wants a line, of severity debug, for each request that went well. @default true */
  readonly verbose?: boolean;
}

export type Listener = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  collected?: Uint8Array,
) => void;

/** One request on its way through. */
interface Call {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly request: NodeRequest;
  readonly context: NodeContext;
  /** By the clock that only goes forward, ms. */
  readonly started: number;
}

export const createListener = (options: ListenerOptions): Listener => {
  const { application, stopped, stopping, random = systemRandom, verbose = true } = options;
  const { forwarder, log, waitUntil, trustedProxyHops } = options;
  const continueTrace = traceContinuer(random);
  const lent: ContextOptions = { forwarder, log, waitUntil, trustedProxyHops, continueTrace };
  const nextId = requestIds(random);
  // Every request under way may listen; Node would take more than ten for a leak.
  setMaxListeners(0, stopped);

  const report = (call: Call, status: number, failure?: Failure): void => {
    if (status < 400 && !verbose) return;
    const { context, incoming, request, started } = call;
    const ms = Math.round(performance.now() - started);
    const fields = { method: incoming.method, path: request.path, status, ms };
    if (failure && status >= 500)
      context.log.error('request_failed', {
        ...fields,
        failure: failure.code,
        error: failure.cause,
      });
    else if (status >= 400)
      context.log.info('request_refused', { ...fields, ...(failure && { failure: failure.code }) });
    else context.log.debug('request', fields);
  };

  const reportBroken = ({ context, incoming, request }: Call, thrown: unknown): void => {
    const { code, cause } = asFailure(thrown);
    const { path } = request;
    if (code === 'aborted' || incoming.errored !== null) context.log.info('client_left', { path });
    else context.log.error('answer_broken', { path, failure: code, error: cause });
  };

  const answer = (call: Call, response: Response, failure?: Failure): void => {
    const { incoming, outgoing, request, context } = call;
    // A body that nobody reads to its end makes the connection useless for another request.
    const unread = request.isArriving && (response.status >= 400 || !request.bodyUsed);
    const add = ['x-request-id', context.id];
    // What was upgraded is no connection of HTTP any more; a host that stops ends it by itself.
    if ((stopping() || unread) && response.status !== 101) add.push('connection', 'close');
    try {
      const head = incoming.method === 'HEAD';
      const writing = writeAnswer(outgoing, response, {
        head,
        add,
        unread: unread ? incoming : undefined,
      });
      if (!writing) report(call, response.status, failure);
      else
        writing.then(
          () => report(call, response.status, failure),
          (thrown: unknown) => reportBroken(call, thrown),
        );
    } catch (thrown) {
      outgoing.destroy();
      reportBroken(call, thrown);
    }
  };

  const fail = (call: Call, thrown: unknown): void => {
    const { outgoing, context, request } = call;
    const failure = asFailure(thrown);
    if (outgoing.destroyed) context.log.info('client_left', { path: request.path });
    else answer(call, problem(failure, context.id), failure);
  };

  const check = (call: Call, response: Response): void => {
    if (typeof response?.status === 'number') answer(call, response);
    else fail(call, new TypeError('the handler did not give a response'));
  };

  return (incoming, outgoing, collected) => {
    const signal = new CallSignal(outgoing, stopped);
    const request = new NodeRequest(incoming, targetOf(incoming), signal, collected);
    const context = new NodeContext(
      givenRequestId(request.headers.get('x-request-id')) ?? nextId(),
      request.path,
      request,
      lent,
    );
    const call: Call = { incoming, outgoing, request, context, started: performance.now() };
    try {
      const result = application(request as unknown as Request, context);
      if (isPromise(result))
        result.then(
          (response) => check(call, response),
          (thrown: unknown) => fail(call, thrown),
        );
      else check(call, result);
    } catch (thrown) {
      fail(call, thrown);
    }
  };
};

/** Path and query as they came; an absolute form (RFC 9112 section 3.2.2) without its scheme and host. */
const targetOf = ({ url: target = '/' }: IncomingMessage): string => {
  if (target.startsWith('/')) return target;
  return /^https?:\/\/[^/?]*(\/.*)?$/i.exec(target)?.[1] ?? '/';
};

const isPromise = (result: Response | Promise<Response>): result is Promise<Response> =>
  typeof (result as Promise<Response>)?.then === 'function';
