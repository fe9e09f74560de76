/** Lambda as its runtime and its gateways are: requests become events, results become answers. */
import type { LambdaHandler } from '../../shared/hosts/lambda';
import type { LambdaContext } from '../../shared/hosts/lambda/runtime';
import type { RawAnswer, RawRequest } from './raw-http';

/** An invocation that has this long, ms. */
export const lambdaContext = (time = 10_000): LambdaContext => {
  const end = Date.now() + time;
  return { awsRequestId: 'invocation-1', getRemainingTimeInMillis: () => end - Date.now() };
};

export interface ResultV2 {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** As HTTP API writes version 2.0: names in lower case, values joined, cookies apart, the body as text where it can be one. */
export const toEventV2 = async (
  { method = 'GET', path, headers = [], body }: RawRequest,
  more: object = {},
) => {
  const [, rawPath = '', rawQueryString = ''] = /^([^?]*)\??(.*)$/.exec(path) ?? [];
  const fields = new Map<string, string>();
  const cookies: string[] = [];
  const bytes = await collect(body);
  const all = [['host', 'api.example.com'], ...headers] as const;
  for (const [given, value] of all) {
    const name = (given as string).toLowerCase();
    if (name === 'cookie') cookies.push(value as string);
    else fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : (value as string));
  }
  if (bytes.length > 0) fields.set('content-length', String(bytes.length));
  const isText = bytes.equals(Buffer.from(bytes.toString()));
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers: Object.fromEntries(fields),
    requestContext: {
      requestId: 'gateway-1',
      stage: '$default',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1' },
    },
    ...(bytes.length > 0 && { body: bytes.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: !isText,
    ...more,
  };
};

const collect = async (body: RawRequest['body']): Promise<Buffer> => {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string' || body instanceof Uint8Array) return Buffer.from(body as string);
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
};

/** What a gateway makes of a result. */
export const toRawAnswer = ({
  statusCode,
  headers,
  cookies = [],
  body,
  isBase64Encoded,
}: ResultV2): RawAnswer => ({
  status: statusCode,
  headers: [
    ...Object.entries(headers),
    ...cookies.map((cookie) => ['set-cookie', cookie] as const),
  ],
  body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
  broken: false,
});

/** One request through a handler. */
export const invokeLambda = async (
  handler: LambdaHandler,
  request: RawRequest,
  more: object = {},
  context = lambdaContext(),
): Promise<RawAnswer> =>
  toRawAnswer((await handler(await toEventV2(request, more), context)) as ResultV2);

/** Reads the lines that a host has logged to standard output meanwhile. */
export const loggedWhile = async <T>(
  work: () => Promise<T>,
): Promise<{
  readonly result: T;
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}> => {
  const { stdout } = process;
  const write = stdout.write;
  let text = '';
  stdout.write = ((part: string | Uint8Array) => {
    text += String(part);
    return true;
  }) as typeof write;
  try {
    const result = await work();
    const lines = text.split('\n').filter((line) => line.startsWith('{"severity"'));
    return { result, lines: lines.map((line) => JSON.parse(line)) };
  } finally {
    stdout.write = write;
  }
};
