/** What every function is made of: a handler, the decorators around it, and what the host lends it. */

/**
 * Answers one request. A handler may answer at once or later: where nothing is awaited,
 * a plain return is cheaper than a promise.
 *
 * What it throws is turned into problem+json by the host; a `Failure` keeps its code.
 */
export type Handler = (request: Request, context: Context) => Response | Promise<Response>;

/** Wraps a handler and gives a handler: it stands in front and changes nothing behind. */
export type Decorator = (next: Handler) => Handler;

export interface Context {
  /** Request id: the thread through logs and answers. Taken from `x-request-id` when that is well formed. */
  readonly id: string;
  /** The path below the function, raw, as it came: `/` or `/verify`; never empty, without the query. */
  readonly path: string;
  /** The named parts of the route, percent-decoded: `/runs/:id` gives `{ id }`. */
  readonly params: Readonly<Record<string, string>>;
  /** W3C trace context of this request, with a span of our own: send it on as it is. */
  readonly traceparent: string;
  /**
   * The caller's IP address, as far as TRUSTED_PROXY_HOPS proxies are believed; `undefined` when there is none, as on
   * a Unix socket. Throws `aborted` when the caller has cut the connection before anybody could tell whose it was.
   */
  readonly clientAddress: string | undefined;
  /** Aborts when nobody waits for the answer any more: the client left, or the host must stop. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Lets the host move the bytes of this request to another server and its answer back. */
  readonly forward: Forward;
  /** Work that goes on after the answer; the host waits for it before it stops. */
  waitUntil(work: Promise<unknown>): void;
}

/**
 * Sends the request on. Hop-by-hop fields (RFC 9110 section 7.6.1) are removed on both ways, all else is untouched; Host is
 * the target's own, and Via, `traceparent`, X-Forwarded-For, -Host and -Proto tell it of us and of who has asked.
 *
 * A request to upgrade (RFC 9110 section 7.8) is handed on as one, where the host can; its answer is then 101.
 *
 * Rejects with `upstream_unreachable` (502), `upstream_timeout` (504) or `upstream_invalid` (502); `isUnforwarded` tells
 * which of them have sent nothing.
 */
export type Forward = (origin: string, options?: ForwardOptions) => Response | Promise<Response>;

export interface ForwardOptions {
  /** @default the method of the request */
  readonly method?: string;
  /** Path and query as they go on the wire. @default `context.path` and the raw query of the request */
  readonly path?: string;
  /** Fields to set, or with `undefined` to remove; the others go on as they came. @default none */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** @default the body of the request, streamed as it comes, with its content-encoding untouched */
  readonly body?: string | Uint8Array;
  /** How long to wait for the head of the answer, in ms. @default 30000 */
  readonly timeout?: number;
  /** How long to wait between two parts of the body of the answer, or of what was upgraded, in ms. @default `timeout` */
  readonly idle?: number;
  /**
   * Called with an answer that may go on for long, once its head is there and before its first byte goes on: an event
   * stream, what was upgraded, any other whose length nobody has declared. @default nobody looks after it
   */
  readonly onStream?: (stream: LiveStream) => void;
  /**
   * Called once for each answer that forward has given, when the last byte of it has come or none will come any more:
   * for whoever counts what is under way. @default nobody counts
   */
  readonly onEnd?: () => void;
  /** @default `context.signal` */
  readonly signal?: AbortSignal;
}

/** An answer that is still on its way, in the hands of whoever had it forwarded. */
export interface LiveStream {
  /** `http` is what has no way to say goodbye. */
  readonly protocol: 'sse' | 'websocket' | 'http';
  /**
   * Ends it early, so that its client comes again: an event stream gets `retry:` and its regular end, a WebSocket a
   * Close frame with 1012 (Service Restart) at the next boundary of frames, all else is cut, since an end would say that
   * it is whole. The server behind sees its connection close. Does nothing the second time.
   */
  end(options?: { readonly retry?: number | undefined }): void;
  /** Resolves when it is over, whoever ended it. */
  readonly ended: Promise<void>;
}

export type Severity = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;
/** Writes one structured line. `message` is a stable snake_case word; what varies goes into the fields. */
export type Log = Readonly<Record<Severity, (message: string, fields?: LogFields) => void>>;

/** Stacks decorators on a handler. The first is the outermost: first to see the request, last to see the answer. */
export const decorate = (handler: Handler, ...decorators: readonly Decorator[]): Handler =>
  decorators.reduceRight((next, decorator) => decorator(next), handler);
