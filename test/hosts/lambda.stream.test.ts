/** Answers that go out part by part, by a runtime that does what Lambda's does. */
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { lambdaHandler } from '../../shared/hosts/lambda';
import type { AwsLambda, StreamHead } from '../../shared/hosts/lambda/runtime';
import { HOST_CASES } from '../contracts/host';
import { HOST_DIFFERENCES } from '../contracts/host-differences';
import { lambdaContext, loggedWhile, toEventV2 } from '../support/lambda';
import { probes } from '../support/probe/functions';
import type { RawAnswer, RawRequest } from '../support/raw-http';

/** What a client sees of a stream. The head goes out with the first write, and never without one. */
class Client extends Writable {
  readonly parts: string[] = [];
  head: StreamHead | undefined;
  promised: StreamHead | undefined;

  constructor(private readonly pace = 0) {
    super({ highWaterMark: 4_096 });
  }

  override _write(part: Buffer, _encoding: string, done: () => void): void {
    this.head ??= this.promised;
    if (part.length > 0) this.parts.push(part.toString('latin1'));
    setTimeout(done, this.pace);
  }

  answer(broken: boolean): RawAnswer {
    const { statusCode = 0, headers = {}, cookies = [] } = this.head ?? {};
    return {
      status: statusCode,
      headers: [
        ...Object.entries(headers),
        ...cookies.map((cookie) => ['set-cookie', cookie] as const),
      ],
      body: Buffer.from(this.parts.join(''), 'latin1'),
      broken,
    };
  }
}

const streaming = (client: Client): AwsLambda => ({
  streamifyResponse: (handler) => async (event, context) => {
    await handler(event, client, context);
  },
  HttpResponseStream: {
    from: (stream, head) => {
      client.promised = head;
      return stream;
    },
  },
});

const environment = {
  NODE_ENV: 'development',
  LAMBDA_STREAMING: 'true',
  PIPELINES_DIR: mkdtempSync(path.join(os.tmpdir(), 'faas-')),
};

const call = async (
  request: RawRequest,
  { client = new Client(), context = lambdaContext() } = {},
): Promise<RawAnswer> => {
  let broken = false;
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  client.on('error', () => {
    broken = true;
  });
  const handler = lambdaHandler({ catalogue: probes, environment, awslambda: streaming(client) });
  await loggedWhile(async () => handler(await toEventV2(request), context));
  await closed;
  return client.answer(broken);
};

/** One that breaks is cut here, as on Node. */
const onlyWhole = (name: string) =>
  HOST_DIFFERENCES.some(({ host, cases }) => host === 'lambda' && cases?.includes(name));

describe('streamed, the Lambda host does what every host does', () => {
  test('apart from answers that break', () => {
    expect(HOST_CASES.filter(({ name }) => onlyWhole(name))).toHaveLength(1);
  });

  test.each(HOST_CASES)('$name', async ({ request, expect: check }) => {
    check(await call(request));
  });
});

test('parts go out as they come', async () => {
  const client = new Client();
  const answer = await call({ path: '/probe-stream/parts' }, { client });
  expect([answer.status, client.parts]).toEqual([200, ['one ', 'two ', 'three']]);
});

test('what is not answered in time is 503', async () => {
  const answer = await call({ path: '/probe-stream/wait' }, { context: lambdaContext(400) });
  expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([503, 'stopping']);
});

test('without the runtime for it answers go out in one piece, and the log says so', async () => {
  const { result, lines } = await loggedWhile(async () => {
    const handler = lambdaHandler({ catalogue: probes, environment, awslambda: undefined });
    return handler(await toEventV2({ path: '/probe-stream/parts' }), lambdaContext());
  });
  expect(result).toMatchObject({ statusCode: 200, body: 'one two three' });
  expect(lines.map(({ message }) => message)).toEqual(['cannot_stream']);
});
