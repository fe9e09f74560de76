import type { Context, Handler, Log, LogFields, Severity } from '../../shared/handler';

export interface Line {
  readonly severity: Severity;
  readonly message: string;
  readonly fields: LogFields;
}

export interface TestContext extends Context {
  readonly lines: Line[];
  readonly background: Promise<unknown>[];
}

/** A context that keeps what was logged and refuses to forward unless told how. */
export const testContext = (overrides: Partial<Context> = {}): TestContext => {
  const lines: Line[] = [];
  const background: Promise<unknown>[] = [];
  const log = Object.fromEntries(
    (['debug', 'info', 'warn', 'error'] as const).map((severity) => [
      severity,
      (message: string, fields: LogFields = {}) => lines.push({ severity, message, fields }),
    ]),
  ) as unknown as Log;
  return {
    id: 'request-1',
    path: '/',
    params: {},
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    clientAddress: '203.0.113.7',
    signal: new AbortController().signal,
    log,
    forward: () => Promise.reject(new Error('this test forwards nothing')),
    waitUntil: (work) => void background.push(work),
    lines,
    background,
    ...overrides,
  };
};

export interface InvokeInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
}

/** Calls a handler with a real `Request`, at a path below its function. */
export const invoke = async (
  handler: Handler,
  path: string,
  { method, headers = {}, body }: InvokeInit = {},
  context: Context = testContext(),
): Promise<Response> => {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const request = new Request(`http://test.local${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers:
      raw || body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
  });
  return handler(
    request,
    Object.create(context, { path: { value: path.split('?')[0] } }) as Context,
  );
};
