/** A gateway before one bundle, as API Gateway is: bytes come as bytes. `node lambda-gateway.cjs BUNDLE` */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LambdaHandler } from '../../shared/hosts/lambda';
import { lambdaContext, type ResultV2, toEventV2, toRawAnswer } from './lambda';

const { handler } = require(process.argv[2] as string) as { readonly handler: LambdaHandler };

const server = http.createServer(async (request, response) => {
  const headers: [string, string][] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2)
    headers.push([request.rawHeaders[i] as string, request.rawHeaders[i + 1] as string]);
  const event = await toEventV2({
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers,
    body: request,
  });
  const answer = toRawAnswer((await handler(event, lambdaContext(29_000))) as ResultV2);
  response.writeHead(answer.status, answer.headers.flat()).end(answer.body);
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  // As hosts announce themselves.
  process.stdout.write(`${JSON.stringify({ message: 'listening', port })}\n`);
});
