/** What the edge host lends a handler. Each part is made when it is asked for: most requests use little of it. */
import type { Context, Forward, Log } from '../../handler';
import { systemRandom } from '../../random';
import { continueTrace, traceId } from '../../trace';
import { edgeClientAddress } from './client-address';
import type { EdgeForwarder } from './forward';
import type { ExecutionContext } from './runtime';

/** The same for every request of a worker. */
export interface EdgeContextOptions {
  readonly forward: EdgeForwarder;
  readonly log: (fields: { readonly id: string; readonly trace: string }) => Log;
  /** As in TRUSTED_PROXY_HOPS. */
  readonly trustedProxyHops: number;
}

const NO_PARAMS = Object.freeze({});

export class EdgeContext implements Context {
  readonly params = NO_PARAMS;
  /** In an object of its own, so that a context derived from this one shares it. */
  private readonly made: { traceparent?: string; log?: Log } = {};

  constructor(
    readonly id: string,
    /** The application narrows it to what is below the function. */
    public path: string,
    /** With its `?`; empty when there is none. */
    private readonly query: string,
    private readonly request: Request,
    private readonly execution: ExecutionContext,
    private readonly options: EdgeContextOptions,
  ) {}

  get traceparent(): string {
    this.made.traceparent ??= continueTrace(this.request.headers.get('traceparent'), systemRandom);
    return this.made.traceparent;
  }

  get clientAddress(): string | undefined {
    return edgeClientAddress(this.request, this.options.trustedProxyHops);
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  get log(): Log {
    this.made.log ??= this.options.log({ id: this.id, trace: traceId(this.traceparent) });
    return this.made.log;
  }

  readonly waitUntil = (work: Promise<unknown>): void =>
    this.execution.waitUntil(
      work.catch((error: unknown) => this.log.error('background_failed', { error })),
    );

  readonly forward: Forward = (origin, options = {}) =>
    this.options.forward(this.request, origin, {
      path: this.path + this.query,
      signal: this.signal,
      trustsForwarded: this.options.trustedProxyHops > 0,
      keepAlive: (work) => this.execution.waitUntil(work),
      ...options,
      headers: { traceparent: this.traceparent, ...options.headers },
    });
}
