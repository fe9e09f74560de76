/** One request at the edge, from its id to the last thing that is logged of it. */
import { systemClock } from '../../clock';
import { asFailure, Failure } from '../../failure';
import { readStream } from '../../http/body';
import { givenRequestId } from '../../http/request-id';
import { empty, problem } from '../../http/response';
import { requestIds, systemRandom } from '../../random';
import { toResponse } from './answer';
import { EdgeContext } from './context';
import type { EdgeResponse, ExecutionContext } from './runtime';
import type { Started } from './start';

/** How long a body that is read whole may take to arrive, in ms. */
const BODY_TIMEOUT = 15_000;

let nextId: (() => string) | undefined;
const makeId = (): string => {
  nextId ??= requestIds(systemRandom);
  return nextId();
};

export class EdgeCall {
  private readonly begun = systemClock.now();
  private readonly id: string;
  private readonly path: string;
  private readonly context: EdgeContext | undefined;

  constructor(
    private readonly request: Request,
    execution: ExecutionContext,
    private readonly worker: Started,
  ) {
    const { started, log } = worker;
    const { path, query } = targetOf(request.url);
    this.path = path;
    this.id = givenRequestId(request.headers.get('x-request-id')) ?? makeId();
    if (started) {
      const { forward, trustedProxyHops } = started;
      const options = { forward, log, trustedProxyHops };
      this.context = new EdgeContext(this.id, path, query, request, execution, options);
      bound(request);
    }
  }

  /** Never rejects. */
  async answer(): Promise<EdgeResponse> {
    const health = this.health();
    if (health) return toResponse(health, []);
    try {
      const response = await this.run();
      if (typeof response?.status !== 'number')
        throw new TypeError('the handler did not give a response');
      const answer = this.send(response);
      this.report(response.status);
      return answer;
    } catch (thrown) {
      const failure = asFailure(thrown);
      this.report(failure.status, failure);
      return this.send(problem(failure, this.id));
    }
  }

  private run(): Response | Promise<Response> {
    const { worker, context, request } = this;
    checkHost(request);
    // The log has told why, when it was found.
    if (!worker.started || !context) throw new Failure('internal');
    return worker.started.application(request, context);
  }

  private send(response: Response): EdgeResponse {
    return toResponse(response, ['x-request-id', this.id]);
  }

  private health(): Response | undefined {
    const { path, request, worker } = this;
    if (path !== '/health/liveness' && path !== '/health/readiness') return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return empty({ status: 405, headers: { allow: 'GET, HEAD' } });
    const isWell = path === '/health/liveness' || worker.started !== undefined;
    return empty({ status: isWell ? 200 : 503, headers: { 'cache-control': 'no-store' } });
  }

  private report(status: number, failure?: Failure): void {
    const { worker, context, request, path } = this;
    if (!context || (status < 400 && !worker.verbose)) return;
    const ms = Math.round(systemClock.now() - this.begun);
    const fields = { method: request.method, path, status, ms };
    if (failure && status >= 500)
      context.log.error('request_failed', {
        ...fields,
        failure: failure.code,
        error: failure.cause,
      });
    else if (status >= 400)
      context.log.info('request_refused', { ...fields, ...(failure && { failure: failure.code }) });
    else context.log.debug('request', fields);
  }
}

/** As they came: a URL would walk where it sees dots. */
const targetOf = (url: string): { readonly path: string; readonly query: string } => {
  const [, path = '', query = ''] = /^[a-z]+:\/\/[^/?]*([^?]*)(.*)$/is.exec(url) ?? [];
  return { path: path || '/', query };
};

/**
 * The runtime puts whatever the Host field holds before the path, and so `host: a/b` would be a path that nobody asked
 * for. Throws `invalid_request`.
 */
const checkHost = ({ headers }: Request): void => {
  if (!/^[\w.:[\]-]*$/.test(headers.get('host') ?? ''))
    throw new Failure('invalid_request', { detail: 'The field Host must be a host.' });
};

/** On the request itself, since only the runtime's own can be sent on as it came. */
const bound = (request: Request): void => {
  const readUpTo = async (limit: number): Promise<Uint8Array> => {
    let late: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      late = setTimeout(() => reject(new Failure('request_timeout')), BODY_TIMEOUT);
    });
    try {
      return await Promise.race([readStream(request.body, limit), timeout]);
    } finally {
      clearTimeout(late);
    }
  };
  Object.assign(request, { readUpTo });
};
