/** From node:http to a handler and back. Both Node hosts are this; nothing here knows which functions there are. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFailure, Failure } from '../failure';
import type { Context, Forward, Log } from '../handler';
import { problem } from '../http/response';
import { type Random, randomId, systemRandom } from '../random';
import { continueTrace, traceId } from '../trace';
import { writeAnswer } from './answer';
import type { Forwarder } from './forward';
import { NodeRequest } from './node-request';

/** A handler that finds its function by itself. It may narrow `path` before it hands the context on. */
export type Application = (request: Request, context: HostContext) => Response | Promise<Response>;

export interface HostContext extends Context {
  path: string;
}

export interface ListenerOptions {
  readonly application: Application;
  readonly forwarder: Forwarder;
  readonly log: (fields: { readonly id: string; readonly trace: string }) => Log;
  /** Aborts when the host must stop now. */
  readonly stopped: AbortSignal;
  /** Whether the host is stopping: then it takes no new request and ends connections. */
  readonly stopping: () => boolean;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** @default the operating system's */
  readonly random?: Random;
}

export type Listener = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  collected?: Uint8Array,
) => void;

export const createListener = ({
  application,
  forwarder,
  log: logFor,
  stopped,
  stopping,
  waitUntil,
  random = systemRandom,
}: ListenerOptions): Listener => {
  return (incoming, outgoing, collected) => {
    const target = targetOf(incoming);
    const { id, traceparent } = identify(incoming, random);
    const started = performance.now();
    let log: Log | undefined;
    let abort: AbortController | undefined;
    const signal = (): AbortSignal => {
      if (!abort) {
        const controller = new AbortController();
        abort = controller;
        const leave = () => {
          if (!outgoing.writableFinished) controller.abort(new Failure('aborted'));
        };
        if (outgoing.destroyed) leave();
        else outgoing.once('close', leave);
        if (stopped.aborted) controller.abort(new Failure('stopping'));
        else {
          const halt = () => controller.abort(new Failure('stopping'));
          stopped.addEventListener('abort', halt, { once: true });
          outgoing.once('close', () => stopped.removeEventListener('abort', halt));
        }
      }
      return abort.signal;
    };
    const request = new NodeRequest(incoming, target, signal, collected);
    const forward: Forward = (origin, options = {}) =>
      forwarder.forward(request, context.path + queryOf(target), traceparent, origin, {
        signal: signal(),
        ...options,
      });
    const context: HostContext = {
      id,
      traceparent,
      path: pathOf(target),
      params: {},
      get signal() {
        return signal();
      },
      get log() {
        log ??= logFor({ id, trace: traceId(traceparent) });
        return log;
      },
      forward,
      waitUntil,
    };

    const report = (status: number, failure?: Failure): void => {
      const ms = Math.round(performance.now() - started);
      const fields = { method: incoming.method, path: pathOf(target), status, ms };
      if (failure && status >= 500)
        context.log.error('request_failed', {
          ...fields,
          failure: failure.code,
          error: failure.cause,
        });
      else if (status >= 400)
        context.log.info('request_refused', {
          ...fields,
          ...(failure && { failure: failure.code }),
        });
      else context.log.debug('request', fields);
    };

    const answer = (response: Response, failure?: Failure): void => {
      // A body that nobody reads to its end makes the connection useless for another request.
      const unread =
        request.hasBody && !incoming.readableEnded && (response.status >= 400 || !request.bodyUsed);
      const add = ['x-request-id', id];
      if (stopping() || unread) add.push('connection', 'close');
      writeAnswer(outgoing, response, {
        head: incoming.method === 'HEAD',
        add,
        unread: unread ? incoming : undefined,
      }).then(
        () => report(response.status, failure),
        (thrown: unknown) => {
          const broken = asFailure(thrown);
          const gone = broken.code === 'aborted' || incoming.errored !== null;
          if (gone) context.log.info('client_left', { path: pathOf(target) });
          else
            context.log.error('answer_broken', {
              path: pathOf(target),
              failure: broken.code,
              error: broken.cause,
            });
        },
      );
    };

    const fail = (thrown: unknown): void => {
      const failure = asFailure(thrown);
      if (outgoing.destroyed) context.log.info('client_left', { path: pathOf(target) });
      else answer(problem(failure, id), failure);
    };

    try {
      if (stopping()) throw new Failure('stopping', { headers: { 'retry-after': '1' } });
      const result = application(request as unknown as Request, context);
      if (isPromise(result)) result.then(checked, fail);
      else checked(result);
    } catch (thrown) {
      fail(thrown);
    }

    function checked(response: Response): void {
      if (typeof response?.status === 'number') answer(response);
      else fail(new TypeError('the handler did not give a response'));
    }
  };
};

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

const identify = (
  { headers }: IncomingMessage,
  random: Random,
): { id: string; traceparent: string } => {
  const given = headers['x-request-id'];
  const id = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomId(random);
  const { traceparent } = headers;
  return {
    id,
    traceparent: continueTrace(typeof traceparent === 'string' ? traceparent : null, random),
  };
};

/** Path and query as they came; an absolute form (RFC 9112 section 3.2.2) without its scheme and host. */
const targetOf = ({ url: target = '/' }: IncomingMessage): string => {
  if (target.startsWith('/')) return target;
  return /^https?:\/\/[^/?]*(\/.*)?$/i.exec(target)?.[1] ?? '/';
};

const pathOf = (target: string): string => {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
};

const queryOf = (target: string): string => {
  const query = target.indexOf('?');
  return query < 0 ? '' : target.slice(query);
};

const isPromise = (result: Response | Promise<Response>): result is Promise<Response> =>
  typeof (result as Promise<Response>)?.then === 'function';
