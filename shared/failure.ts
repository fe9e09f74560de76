/** The one table of what can go wrong, and the error that carries a line of it. */

interface FailureKind {
  readonly status: number;
  /** What the caller is told when nothing better is said. */
  readonly detail: string;
  /** Whether the same request may succeed later. */
  readonly retryable?: true;
}

const kinds = {
  invalid_json: { status: 400, detail: 'The body is not valid JSON.' },
  invalid_input: { status: 400, detail: 'The input does not match what this function takes.' },
  invalid_event: { status: 400, detail: 'The request is not a valid CloudEvent.' },
  invalid_request: { status: 400, detail: 'The request is malformed.' },
  unauthorized: { status: 401, detail: 'Credentials are missing or wrong.' },
  verification_failed: { status: 401, detail: 'The code is wrong, used, or expired.' },
  forbidden: { status: 403, detail: 'This caller may not do this.' },
  invalid_signature: { status: 403, detail: 'The signature is missing or wrong.' },
  not_found: { status: 404, detail: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, detail: 'This address does not take this method.' },
  request_timeout: { status: 408, detail: 'The request took too long to arrive.', retryable: true },
  in_progress: {
    status: 409,
    detail: 'A request with the same idempotency key is still in progress; try again.',
    retryable: true,
  },
  table_changed: {
    status: 412,
    detail: 'The table is another one by now; look at it again.',
  },
  body_too_large: { status: 413, detail: 'The body is larger than this function takes.' },
  unsupported_media_type: { status: 415, detail: 'This function takes application/json.' },
  unsupported_encoding: {
    status: 415,
    detail: 'The content encoding must be gzip, br or identity.',
  },
  idempotency_mismatch: {
    status: 422,
    detail: 'This idempotency key was used before with another body.',
  },
  user_exists: { status: 422, detail: 'There is a user with this address already.' },
  run_ended: { status: 422, detail: 'This run has ended already.' },
  run_not_ended: { status: 422, detail: 'This run is under way.' },
  not_waiting: { status: 422, detail: 'This step does not wait for an answer.' },
  nothing_to_replay: { status: 422, detail: 'There is nothing of this run to run again.' },
  replay_blocked: { status: 422, detail: 'A step before it would have to run again too.' },
  graph_conflict: { status: 422, detail: 'The graph of now does not fit what this run has done.' },
  rate_limited: {
    status: 429,
    detail: 'This is asked for too often; try again later.',
    retryable: true,
  },
  sends_exhausted: { status: 422, detail: 'All messages of this challenge are used; begin anew.' },
  key_missing: { status: 400, detail: 'The request has no shard key.' },
  misdirected: {
    status: 421,
    detail: 'This shard does not own the key of the request.',
    retryable: true,
  },
  headers_too_large: { status: 431, detail: 'The header fields are too large.' },
  aborted: { status: 499, detail: 'The client left before the answer.', retryable: true },
  internal: { status: 500, detail: 'Something went wrong on our side.', retryable: true },
  upstream_unreachable: {
    status: 502,
    detail: 'The server behind could not be reached.',
    retryable: true,
  },
  upstream_invalid: {
    status: 502,
    detail: 'The server behind gave an answer that is not valid HTTP.',
    retryable: true,
  },
  forbidden_target: {
    status: 502,
    detail:
      'The server behind is not on the public internet, and not on the list of those allowed.',
  },
  deadline_exceeded: { status: 504, detail: 'The deadline of the run has passed.' },
  wait_timeout: { status: 504, detail: 'Nobody has answered in time.' },
  target_gone: { status: 502, detail: 'The server behind has said that it is gone for good.' },
  target_disabled: {
    status: 502,
    detail: 'The server behind is not called any more: it has said that it is gone for good.',
  },
  send_failed: { status: 502, detail: 'The message could not be sent.', retryable: true },
  registration_failed: {
    status: 502,
    detail: 'The login service did not take the code.',
    retryable: true,
  },
  send_refused: { status: 422, detail: 'The message was refused for good.' },
  stopping: { status: 503, detail: 'This instance is stopping; try again.', retryable: true },
  shard_unavailable: {
    status: 503,
    detail: 'The shard of this key cannot be reached now.',
    retryable: true,
  },
  table_unavailable: {
    status: 503,
    detail: 'Nobody can tell now which shard owns the key.',
    retryable: true,
  },
  store_unavailable: { status: 503, detail: 'The store cannot be used now.', retryable: true },
  engine_unavailable: { status: 503, detail: 'No run can be recorded now.', retryable: true },
  upstream_timeout: {
    status: 504,
    detail: 'The server behind did not answer in time.',
    retryable: true,
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof kinds;

/** One mistake in an input: where (RFC 6901) and what. */
export interface InputError {
  readonly pointer: string;
  readonly message: string;
}

export interface FailureOptions {
  /** A sentence for the caller: no secret, no path, no stack. @default the sentence of the code */
  readonly detail?: string | undefined;
  readonly errors?: readonly InputError[];
  /** Fields of the answer, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What lies behind; goes to the log only. */
  readonly cause?: unknown;
}

/** On every failure, whichever copy of this file made it: a bundle of its own has its own copy. */
const BRAND = Symbol.for('faas-patterns.failure');

/** A promise that was broken, with a stable code. Expected outcomes are values instead. */
export class Failure extends Error {
  static override [Symbol.hasInstance](value: unknown): value is Failure {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  override readonly name = 'Failure';
  readonly status: number;
  readonly retryable: boolean;
  readonly errors: readonly InputError[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: FailureCode,
    { detail, errors = [], headers = {}, cause }: FailureOptions = {},
  ) {
    const kind: FailureKind = kinds[code];
    super(detail ?? kind.detail, cause === undefined ? undefined : { cause });
    this.status = kind.status;
    this.retryable = kind.retryable === true;
    this.errors = errors;
    this.headers = headers;
  }

  get [BRAND](): true {
    return true;
  }
}

/** What lies behind a failure of `context.forward` that has sent nothing of the request. */
export class Unforwarded extends Error {
  override readonly name = 'Unforwarded';
}

/** Whether nothing of the request has gone out, so that it may go to another server, whatever its method. */
export const isUnforwarded = (thrown: unknown): boolean =>
  thrown instanceof Failure && thrown.cause instanceof Unforwarded;

/** What was thrown, as a `Failure`: anything unknown becomes `internal`, with nothing of it shown. */
export const asFailure = (thrown: unknown): Failure =>
  thrown instanceof Failure ? thrown : new Failure('internal', { cause: thrown });
