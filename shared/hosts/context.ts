/** What the node hosts lend a handler. Each part is made when it is asked for: most requests use little of it. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Failure } from '../failure';
import type { Context, Forward, Log } from '../handler';
import { traceId } from '../trace';
import { clientAddress } from './client-address';
import type { Forwarder } from './forward';
import type { NodeRequest } from './node-request';

/** The application narrows `path` to what is below the function. */
export interface HostContext extends Context {
  path: string;
}

/** The same for every request of a host. */
export interface ContextOptions {
  readonly forwarder: Forwarder;
  readonly log: (fields: { readonly id: string; readonly trace: string }) => Log;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** As in TRUSTED_PROXY_HOPS. @default 0 */
  readonly trustedProxyHops?: number | undefined;
  /** From the `traceparent` that came to the one that goes on. */
  readonly continueTrace: (incoming: string | null) => string;
}

const NO_PARAMS = Object.freeze({});
const NO_OPTIONS = Object.freeze({});

export class NodeContext implements HostContext {
  readonly params = NO_PARAMS;
  /** In an object of its own, so that a context derived from this one shares it. */
  private readonly made: { traceparent?: string; log?: Log } = {};

  constructor(
    readonly id: string,
    public path: string,
    private readonly request: NodeRequest,
    private readonly options: ContextOptions,
  ) {}

  get traceparent(): string {
    this.made.traceparent ??= this.options.continueTrace(this.request.headers.get('traceparent'));
    return this.made.traceparent;
  }

  get clientAddress(): string | undefined {
    const { request, options } = this;
    return clientAddress({
      peer: () => peerOf(request.incoming.socket),
      forwardedFor: () => request.headers.get('x-forwarded-for'),
      hops: options.trustedProxyHops ?? 0,
    });
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  get log(): Log {
    this.made.log ??= this.options.log({ id: this.id, trace: traceId(this.traceparent) });
    return this.made.log;
  }

  get waitUntil(): Context['waitUntil'] {
    return this.options.waitUntil;
  }

  readonly forward: Forward = (origin, options = NO_OPTIONS) =>
    this.options.forwarder.forward(
      this.request,
      this.path + this.request.query,
      this.traceparent,
      origin,
      options,
      (this.options.trustedProxyHops ?? 0) > 0,
    );
}

/**
 * Of a connection that its caller has reset nobody can tell whose it was, though the request may still be there to be
 * read. Whoever counts by addresses must not take that for a caller without one: throws `aborted`.
 */
const peerOf = ({ remoteAddress, localAddress, destroyed }: Socket): string | undefined => {
  if (remoteAddress === undefined && (destroyed || localAddress !== undefined))
    throw new Failure('aborted');
  return remoteAddress;
};

/** Aborts when the client has left before its answer was complete, or when the host must stop. */
export class CallSignal {
  private controller: AbortController | undefined;

  constructor(
    readonly outgoing: ServerResponse,
    private readonly stopped: AbortSignal,
  ) {}

  get(): AbortSignal {
    this.controller ??= this.watch(new AbortController());
    return this.controller.signal;
  }

  private watch(controller: AbortController): AbortController {
    const { outgoing, stopped } = this;
    const leave = () => {
      if (!outgoing.writableFinished) controller.abort(new Failure('aborted'));
    };
    if (outgoing.destroyed) leave();
    else outgoing.once('close', leave);
    const halt = () => controller.abort(new Failure('stopping'));
    if (stopped.aborted) halt();
    else {
      stopped.addEventListener('abort', halt, { once: true });
      outgoing.once('close', () => stopped.removeEventListener('abort', halt));
    }
    return controller;
  }
}
