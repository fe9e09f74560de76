/**
 * Requests as gateways hand them over: HTTP API and function URL (payload 2.0), REST API (1.0), application load balancer.
 *
 * Path and query stay as they came, but for the stage before them. A payload of version 1.0 has its query decoded: it is
 * written anew, which means the same.
 */
import type { PlainRequest } from './exchange';
import { isObject, type Members } from './kind';

/** How the answer is to be written. `single`: one value a field, as a load balancer has it unless told otherwise. */
export type AnswerForm = 'v2' | 'multiple' | 'single';

export interface GatewayRequest extends PlainRequest {
  readonly form: AnswerForm;
}

/** `undefined`: the event is no request. */
export const readGateway = (event: Members): GatewayRequest | undefined => {
  const { requestContext } = event;
  if (!isObject(requestContext)) return undefined;
  if (isObject(requestContext.http) && typeof event.rawPath === 'string')
    return readVersion2(event, requestContext, requestContext.http);
  if (typeof event.httpMethod === 'string' && typeof event.path === 'string')
    return readVersion1(event, requestContext, event.httpMethod, event.path);
  return undefined;
};

const readVersion2 = (event: Members, about: Members, http: Members): GatewayRequest => {
  const fields = fieldsOf(event.headers);
  const cookies = Array.isArray(event.cookies) ? event.cookies.map(String) : [];
  const query = textOf(event.rawQueryString) ?? '';
  return {
    form: 'v2',
    method: textOf(http.method) ?? 'GET',
    target: targetOf(belowStage(String(event.rawPath), textOf(about.stage)), query),
    // A function URL has them among the fields as well.
    fields:
      cookies.length > 0
        ? [...without(fields, 'cookie'), 'cookie', asBytes(cookies.join('; '))]
        : fields,
    body: bodyOf(event),
    peer: textOf(http.sourceIp),
    id: textOf(about.requestId),
  };
};

const readVersion1 = (
  event: Members,
  about: Members,
  method: string,
  path: string,
): GatewayRequest => {
  const isBalancer = isObject(about.elb);
  // A load balancer leaves the query as it came.
  const write = isBalancer ? (text: string) => text : encodeURIComponent;
  const { multiValueHeaders, headers, multiValueQueryStringParameters, queryStringParameters } =
    event;
  const query = pairsOf(multiValueQueryStringParameters ?? queryStringParameters)
    .map(([name, value]) => `${write(name)}=${write(value)}`)
    .join('&');
  return {
    form: isBalancer && !isObject(multiValueHeaders) ? 'single' : 'multiple',
    method,
    target: targetOf(path, query),
    fields: fieldsOf(multiValueHeaders ?? headers),
    body: bodyOf(event),
    peer: isObject(about.identity) ? textOf(about.identity.sourceIp) : undefined,
    id: textOf(about.requestId),
  };
};

/** A stage with a name stands before each path. */
const belowStage = (path: string, stage: string | undefined): string => {
  const prefix = `/${stage}`;
  if (stage === undefined || stage === '$default') return path;
  return path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
};

/** What a gateway has decoded must not end the path, nor the line. */
const targetOf = (path: string, query: string): string => {
  const whole = path.startsWith('/') ? path : `/${path}`;
  return plain(whole.replace(/[?#]/g, encodeURIComponent)) + (query && `?${plain(query)}`);
};

const plain = (text: string): string => text.replace(/[^\x21-\x7e]+/g, encodeLossy);

/** A half of a pair has no UTF-8. */
const encodeLossy = (text: string): string =>
  encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));

const fieldsOf = (headers: unknown): string[] =>
  pairsOf(headers).flatMap(([name, value]) => [name, asBytes(value)]);

/** One pair for each value. */
const pairsOf = (members: unknown): (readonly [string, string])[] =>
  Object.entries(isObject(members) ? members : {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) =>
      one === undefined || one === null ? [] : [[name, String(one)] as const],
    ),
  );

const without = (fields: readonly string[], name: string): string[] =>
  fields.filter((_, i) => fields[i - (i % 2)]?.toLowerCase() !== name);

/** Fields are bytes, one a character, as on the wire; a gateway may have read them as UTF-8. */
const asBytes = (text: string): string =>
  /[^\0-\xff]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;

const bodyOf = ({ body, isBase64Encoded }: Members): Buffer | undefined =>
  typeof body === 'string' && body !== ''
    ? Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8')
    : undefined;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
