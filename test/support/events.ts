import { type CloudEvent, onEvent } from '../../shared/event';
import { Failure } from '../../shared/failure';
import { compile } from '../../shared/schema';
import { testContext } from './invoke';

/** A valid event, by the names of its attributes. */
export const ATTRIBUTES: Readonly<Record<string, string>> = {
  specversion: '1.0',
  id: 'event-1',
  source: '/signup/runs',
  type: 'signup.welcome',
};
export const DATA = { username: 'ada', tags: ['a', 1, null, 1.5] };

/** What became of a request: the event as the handler saw it and the status, or the failure. */
export interface Outcome {
  readonly event?: CloudEvent;
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  /** Pointers of the mistakes. */
  readonly at?: readonly string[];
}

const check = compile({
  type: 'object',
  required: ['username'],
  properties: { username: { type: 'string' } },
});

/** Sends to an event handler that acknowledges; a body that is neither text nor bytes goes as JSON. */
export const send = async (
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<Outcome> => {
  let event: CloudEvent | undefined;
  const handler = onEvent({ name: 'greet', check }, async (given) => {
    event = given;
  });
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const request = new Request('http://test.local/', {
    method: 'POST',
    headers,
    body: (raw ? body : (JSON.stringify(body) ?? null)) as Exclude<RequestInit['body'], undefined>,
  });
  try {
    const { status } = await handler(request, testContext({ id: 'request-1' }));
    return { ...(event && { event }), status };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const { status, code, message: detail, errors } = thrown;
    return { ...(event && { event }), status, code, detail, at: errors.map((one) => one.pointer) };
  }
};

const encode = (value: string): string =>
  value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent);

/** In binary mode, encoded as the HTTP binding says; `undefined` leaves an attribute out. */
export const sendBinary = (
  attributes: Readonly<Record<string, string | undefined>> = {},
  data: unknown = DATA,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): Promise<Outcome> => {
  const fields = Object.entries({ ...ATTRIBUTES, ...attributes }).flatMap(([name, value]) =>
    value === undefined ? [] : [[`ce-${name}`, encode(value)] as const],
  );
  return send({ ...Object.fromEntries(fields), ...headers }, data);
};

/** In structured mode; `undefined` leaves a member out. */
export const sendStructured = (
  members: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Outcome> =>
  send(
    { 'content-type': 'application/cloudevents+json', ...headers },
    { ...ATTRIBUTES, data: DATA, ...members },
  );
