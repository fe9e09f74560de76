/** Somebody waits for an answer, and gets it in one piece. */
import { isUtf8 } from 'node:buffer';
import { Failure } from '../../failure';
import type { Answer } from '../../http/answer';
import { givenRequestId } from '../../http/request-id';
import { empty, problem } from '../../http/response';
import { type AnswerSink, SunkAnswer, toIncoming } from './exchange';
import type { AnswerForm, GatewayRequest } from './gateway';
import type { Instance } from './instance';
import { type Invocation, outOfTime } from './invocation';

/** What Lambda takes of an answer in one piece, bytes of its JSON. */
export const MAX_ANSWER = 6 * 1_048_576;

export interface WholeAnswer {
  readonly status: number;
  /** Name and value in turn. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

/** Never rejects: what cannot be answered is answered with a problem. */
export const answerRequest = async (
  request: GatewayRequest,
  instance: Instance | undefined,
  invocation: Invocation,
): Promise<object> => {
  const answer = await wholeAnswer(request, instance, invocation);
  const result = resultOf(request.form, answer);
  const isLarge = answer.body.length > MAX_ANSWER / 8;
  if (!isLarge || Buffer.byteLength(JSON.stringify(result)) <= MAX_ANSWER) return result;
  invocation.warn('answer_too_large', { bytes: answer.body.length });
  const failure = new Failure('internal', { detail: 'The answer is larger than Lambda takes.' });
  return resultOf(request.form, problemAnswer(failure, request, invocation));
};

/** Of the function, or of the host where that cannot. Never rejects. */
export const wholeAnswer = async (
  request: GatewayRequest,
  instance: Instance | undefined,
  invocation: Invocation,
  vouched = false,
): Promise<WholeAnswer> => {
  const early = earlyAnswer(request, instance, invocation);
  if (early) return early;
  const sink = new Collected();
  const end = await exchange(request, instance as Instance, invocation, sink, vouched);
  if (end === undefined) return sink.whole();
  return problemAnswer(end, request, invocation);
};

/** What needs no function; `undefined`: the function is asked. */
export const earlyAnswer = (
  request: GatewayRequest,
  instance: Instance | undefined,
  invocation: Invocation,
): WholeAnswer | undefined => {
  const health = healthOf(request, instance);
  if (health) return ours(health, request);
  if (instance) return undefined;
  return problemAnswer(new Failure('internal'), request, invocation);
};

export const problemAnswer = (
  failure: Failure,
  request: GatewayRequest,
  invocation: Invocation,
): WholeAnswer => {
  const id = idOf(request, invocation);
  const { fields, ...answer } = ours(problem(failure, id), request);
  return { ...answer, fields: [...fields, 'x-request-id', id] };
};

/** Resolves when the sink has the whole answer, or with why it has not. */
export const exchange = (
  request: GatewayRequest,
  instance: Instance,
  invocation: Invocation,
  sink: AnswerSink,
  vouched: boolean,
): Promise<Failure | undefined> =>
  new Promise((resolve) => {
    const incoming = toIncoming(request);
    if (!incoming) return resolve(new Failure('invalid_request'));
    const answer = new SunkAnswer(incoming, sink);
    const { stopped } = invocation;
    // The function is told by the same signal, before its answer is taken away.
    const late = () => {
      resolve(outOfTime());
      answer.destroy();
    };
    answer
      .on('error', () => undefined)
      .once('close', () => {
        stopped.removeEventListener('abort', late);
        resolve(answer.writableFinished ? undefined : new Failure('internal'));
      });
    instance.serve(
      { incoming, outgoing: answer.asOutgoing(), body: request.body, vouched },
      invocation,
    );
    if (stopped.aborted) late();
    else stopped.addEventListener('abort', late, { once: true });
  });

class Collected implements AnswerSink {
  private status = 200;
  private fields: readonly string[] = [];
  private readonly parts: Buffer[] = [];

  head(status: number, fields: readonly string[]): void {
    this.status = status;
    this.fields = fields;
  }

  write(part: Buffer, done: () => void): void {
    this.parts.push(Buffer.from(part));
    done();
  }

  end(done: () => void): void {
    done();
  }

  whole(): WholeAnswer {
    return { status: this.status, fields: this.fields, body: Buffer.concat(this.parts) };
  }
}

const idOf = ({ fields, id }: GatewayRequest, invocation: Invocation): string => {
  const at = fields.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'x-request-id');
  const given = at < 0 ? null : (fields[at + 1] ?? null);
  return givenRequestId(given) ?? id ?? invocation.id;
};

const healthOf = (
  { method, target }: GatewayRequest,
  instance: Instance | undefined,
): Response | undefined => {
  if (target !== '/health/liveness' && target !== '/health/readiness') return undefined;
  if (method !== 'GET' && method !== 'HEAD')
    return empty({ status: 405, headers: { allow: 'GET, HEAD' } });
  const isWell = target === '/health/liveness' || instance !== undefined;
  return empty({ status: isWell ? 200 : 503, headers: { 'cache-control': 'no-store' } });
};

const ours = (response: Response, { method }: GatewayRequest): WholeAnswer => {
  const { status, headers, whole } = response as unknown as Answer;
  const body = Buffer.from(whole ?? '');
  const fields = [...headers.raw(), 'content-length', String(body.length)];
  return { status, fields, body: method === 'HEAD' ? Buffer.alloc(0) : body };
};

/** A gateway frames its answers by itself. */
const HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'trailer',
]);

/** Values of each field, by its name in lower case. */
export const groupFields = (fields: readonly string[]): Map<string, string[]> => {
  const found = new Map<string, string[]>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    if (!HOP.has(name)) found.set(name, [...(found.get(name) ?? []), fields[i + 1] as string]);
  }
  return found;
};

/** One value a field, cookies apart: a comma stands inside of a cookie, too. */
export const joinFields = (fields: readonly string[]) => {
  const grouped = groupFields(fields);
  const cookies = grouped.get('set-cookie') ?? [];
  grouped.delete('set-cookie');
  const headers = Object.fromEntries(
    [...grouped].map(([name, values]) => [name, values.join(', ')]),
  );
  return { headers, cookies };
};

/** Bytes that are UTF-8 stay a text, which is the same bytes again on the wire; all others go as base64. */
const resultOf = (form: AnswerForm, { status, fields, body }: WholeAnswer): object => {
  const isText = isUtf8(body);
  const content = {
    statusCode: status,
    body: body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  };
  if (form === 'multiple')
    return { ...content, multiValueHeaders: Object.fromEntries(groupFields(fields)) };
  const { headers, cookies } = joinFields(fields);
  if (form === 'v2') return { ...content, headers, ...(cookies.length > 0 && { cookies }) };
  const [cookie] = cookies;
  return {
    ...content,
    headers: { ...headers, ...(cookie !== undefined && { 'set-cookie': cookie }) },
  };
};
