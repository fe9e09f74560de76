/** What the Lambda host does beyond the contract of all hosts: its gateways, its limits, its time, its start. */
import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { defineFunction } from '../../shared/define';
import { type LambdaHandler, lambdaHandler } from '../../shared/hosts/lambda';
import { json, text } from '../../shared/http/response';
import { ADDRESS_CASES } from '../contracts/client-address';
import {
  invokeLambda,
  lambdaContext,
  loggedWhile,
  type ResultV2,
  toEventV2,
} from '../support/lambda';
import { probes } from '../support/probe/functions';

const PIPELINES_DIR = mkdtempSync(path.join(os.tmpdir(), 'faas-'));
const ENVIRONMENT = { NODE_ENV: 'development', PIPELINES_DIR, LOG_LEVEL: 'info' };
const probe = lambdaHandler({ catalogue: probes, environment: ENVIRONMENT });

const shown = async (handler: LambdaHandler, path: string, event: object = {}) =>
  (await invokeLambda(handler, { path }, event)).body.toString();

describe('a request', () => {
  test('is found below a stage that has a name, and only where it stands before the path', async () => {
    const at = (rawPath: string) =>
      shown(probe, '/', { rawPath, requestContext: { stage: 'dev', http: { method: 'GET' } } });
    expect(await at('/dev/probe-stream/target')).toBe('GET /probe-stream/target');
    expect(await at('/probe-stream/target')).toBe('GET /probe-stream/target');
    expect(JSON.parse(await at('/developer/probe-stream')).code).toBe('not_found');
  });

  test('that a gateway has decoded cannot end its path, nor its line', async () => {
    expect(await shown(probe, '/', { rawPath: '/probe-stream/target' })).toBe(
      'GET /probe-stream/target',
    );
    const { body } = await invokeLambda(
      probe,
      { path: '/' },
      {
        rawPath: '/probe-json/items/a b?c#ü\r\nx: y',
      },
    );
    expect(JSON.parse(body.toString())).toEqual({ id: 'a b?c#ü\r\nx: y' });
  });

  test('with a field that would be two is refused', async () => {
    const refused = lambdaHandler({ catalogue: probes, environment: ENVIRONMENT });
    const answer = await invokeLambda(
      refused,
      { path: '/probe-stream/headers' },
      {
        headers: { 'x-a': 'b\r\nx-c: d' },
      },
    );
    expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([
      400,
      'invalid_request',
    ]);
  });

  test('has the id of the gateway, unless it brings its own', async () => {
    const id = async (headers: readonly (readonly [string, string])[]) =>
      JSON.parse(
        (await invokeLambda(probe, { path: '/probe-stream/log', headers })).body.toString(),
      ).id;
    const { result } = await loggedWhile(async () => [
      await id([]),
      await id([['X-Request-Id', 'mine-1']]),
    ]);
    expect(result).toEqual(['gateway-1', 'mine-1']);
  });

  test('of a function URL has its cookies once', async () => {
    const answer = await invokeLambda(
      probe,
      { path: '/probe-stream/headers' },
      {
        cookies: ['a=1', 'b=2'],
        headers: { cookie: 'a=1; b=2' },
      },
    );
    expect(JSON.parse(answer.body.toString()).headers).toContainEqual(['cookie', 'a=1; b=2']);
  });

  test.each(ADDRESS_CASES)(
    'comes from whom the gateway says: $name',
    async ({ forwardedFor, addresses }) => {
      for (const [hops, address] of addresses.entries()) {
        const handler = lambdaHandler({
          catalogue: probes,
          environment: { ...ENVIRONMENT, TRUSTED_PROXY_HOPS: String(hops) },
        });
        const headers = forwardedFor.map((value) => ['x-forwarded-for', value] as const);
        const answer = await invokeLambda(handler, { path: '/probe-stream/client', headers });
        expect(JSON.parse(answer.body.toString())).toEqual({ address });
      }
    },
  );
});

const restEvent = (more: object) => ({
  httpMethod: 'POST',
  path: '/probe-stream/bytes',
  multiValueHeaders: { Host: ['api.example.com'], 'X-A': ['1', '2'], Cookie: ['a=1; b=2'] },
  multiValueQueryStringParameters: { a: ['/', 'b c'], ü: ['&'] },
  requestContext: { stage: 'dev', requestId: 'rest-1', identity: { sourceIp: '192.0.2.7' } },
  body: Buffer.from([0, 255]).toString('base64'),
  isBase64Encoded: true,
  ...more,
});

describe('of the other gateways', () => {
  test('a REST API is understood and answered, with its query written anew', async () => {
    const target = await probe(restEvent({ path: '/probe-stream/target' }), lambdaContext());
    expect(target).toMatchObject({
      statusCode: 200,
      body: 'POST /probe-stream/target?a=%2F&a=b%20c&%C3%BC=%26',
      multiValueHeaders: {
        'content-type': ['text/plain; charset=utf-8'],
        'x-request-id': ['rest-1'],
      },
    });
    const bytes = await probe(restEvent({}), lambdaContext());
    expect(bytes).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
    const cookies = await probe(restEvent({ path: '/probe-stream/cookies' }), lambdaContext());
    expect((cookies as { multiValueHeaders: object }).multiValueHeaders).toMatchObject({
      'set-cookie': ['a=1; Path=/', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
    });
    const client = await probe(restEvent({ path: '/probe-stream/client' }), lambdaContext());
    expect(client).toMatchObject({ body: '{"address":"192.0.2.7"}' });
  });

  test('a load balancer is understood, with its query as it came, and answered in its one form', async () => {
    const event = {
      httpMethod: 'GET',
      path: '/probe-stream/target',
      headers: { host: 'lb.example.com' },
      queryStringParameters: { 'a%20b': 'c%2F' },
      requestContext: { elb: { targetGroupArn: 'arn' } },
      body: '',
      isBase64Encoded: false,
    };
    expect(await probe(event, lambdaContext())).toMatchObject({
      statusCode: 200,
      body: 'GET /probe-stream/target?a%20b=c%2F',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  });
});

const declare = (name: string, create: Parameters<typeof defineFunction>[0]['create']) => ({
  [name]: async () => ({
    default: defineFunction({
      name,
      kind: 'serving',
      summary: 'For tests.',
      runsAt: ['node'],
      callers: 'public',
      body: { mode: 'stream' },
      config: {},
      routes: { '* /*': { summary: 'All.' } },
      create,
    }),
  }),
});

describe('an answer', () => {
  const large = lambdaHandler({
    catalogue: declare('large', () => ({
      '* /*': (_request, { path }) => text('x'.repeat(Number(path.slice(1)))),
    })),
    environment: ENVIRONMENT,
  });

  test('goes out up to what Lambda takes, and is a clear failure above', async () => {
    const { result } = await loggedWhile(async () => [
      await invokeLambda(large, { path: '/large/6290000' }),
      await invokeLambda(large, { path: '/large/6291456' }),
    ]);
    expect(result.map(({ status, body }) => [status, body.length > 1_000])).toEqual([
      [200, true],
      [500, false],
    ]);
    expect(JSON.parse((result[1]?.body ?? '').toString()).detail).toBe(
      'The answer is larger than Lambda takes.',
    );
  });
});

describe('the time of an invocation', () => {
  let reason: unknown;
  const slow = lambdaHandler({
    catalogue: declare('slow', () => ({
      '* /*': (_request, { path, signal, waitUntil, log }) => {
        if (path === '/background') {
          waitUntil(sleep(150).then(() => log.info('background_done')));
          waitUntil(Promise.reject(new Error('it broke')));
          return json({});
        }
        if (path === '/endless') {
          waitUntil(new Promise(() => {}));
          return json({});
        }
        signal.addEventListener('abort', () => {
          reason = signal.reason;
        });
        return new Promise(() => {});
      },
    })),
    environment: ENVIRONMENT,
  });
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

  test('aborts the signal a little before its end, and the answer is 503', async () => {
    const context = lambdaContext(800);
    const answer = await invokeLambda(slow, { path: '/slow/never' }, {}, context);
    expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([503, 'stopping']);
    expect(new Map(answer.headers).get('retry-after')).toBe('1');
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0);
    expect(reason).toMatchObject({ code: 'stopping' });
  });

  test('holds the work behind the answer, and what breaks of it is logged', async () => {
    const { lines } = await loggedWhile(() => invokeLambda(slow, { path: '/slow/background' }));
    expect(lines.map(({ message }) => message).sort()).toEqual([
      'background_done',
      'background_failed',
    ]);
  });

  test('cuts work that has no end, and says so', async () => {
    const context = lambdaContext(600);
    const { lines } = await loggedWhile(() =>
      invokeLambda(slow, { path: '/slow/endless' }, {}, context),
    );
    expect(lines.map(({ message }) => message)).toEqual(['background_cut']);
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0);
  });
});

describe('forward', () => {
  test('goes by the forwarder of Node, with the body as it came', async () => {
    const seen: string[] = [];
    const server = http.createServer((request, response) => {
      request.setEncoding('latin1');
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${body} ${request.headers['x-forwarded-for']}`);
        response.writeHead(201, ['set-cookie', 'a=1', 'set-cookie', 'b=2']).end('behind');
      });
    });
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const handler = lambdaHandler({
      catalogue: probes,
      environment: { ...ENVIRONMENT, PROBE_STREAM_ORIGIN: `http://127.0.0.1:${port}` },
    });
    try {
      const answer = await invokeLambda(handler, {
        method: 'POST',
        path: '/probe-stream/forward/a%2Fb?c=%20',
        body: Buffer.from([0xff, 0x41]),
      });
      expect([answer.status, answer.body.toString()]).toEqual([201, 'behind']);
      expect(answer.headers.filter(([name]) => name === 'set-cookie')).toHaveLength(2);
      expect(seen).toEqual(['POST /a%2Fb?c=%20 ÿA 127.0.0.1']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a start', () => {
  const needy = declare('needy', () => ({ '* /*': () => json({}) }));
  const needing = {
    needy: async () => ({
      default: { ...(await needy.needy?.())?.default, needs: ['store', 'engine', 'mail'] } as never,
    }),
  };

  test('that is wrong tells all mistakes in one message, with every request, and never exits', async () => {
    const { result, lines } = await loggedWhile(async () => {
      const handler = lambdaHandler({
        catalogue: needing,
        target: 'needy',
        environment: {
          NODE_ENV: 'development',
          STORE_URL: 'memory:',
          ENGINE_URL: 'local:./runs.db',
          RESTATE_PORT: '9080',
          LAMBDA_STREAMING: 'perhaps',
        },
      });
      return [
        await invokeLambda(handler, { path: '/needy' }),
        await invokeLambda(handler, { path: '/health/readiness' }),
        await invokeLambda(handler, { path: '/health/liveness' }),
      ];
    });
    expect(result.map(({ status }) => status)).toEqual([500, 503, 200]);
    expect(JSON.parse(result[0]?.body.toString() ?? '')).toMatchObject({
      code: 'internal',
      instance: 'urn:request:gateway-1',
    });
    expect(result[0]?.body.toString()).not.toMatch(/STORE_URL/);
    expect(lines).toHaveLength(3);
    for (const { severity, message, reason } of lines) {
      expect([severity, message]).toEqual(['ERROR', 'cannot_start']);
      for (const name of [
        'STORE_URL',
        'ENGINE_URL',
        'RESTATE_PORT',
        'LAMBDA_STREAMING',
        'SECRET_KEY',
        'PUBLIC_URL',
      ])
        expect(reason).toContain(name);
    }
  });

  test('that is wrong leaves events where they are', async () => {
    const handler = lambdaHandler({ catalogue: needing, target: 'needy', environment: {} });
    const event = { id: '1', source: 'a', 'detail-type': 'b', detail: {} };
    await loggedWhile(() =>
      expect(handler(event, lambdaContext())).rejects.toThrow('could not be started'),
    );
  });

  test('without NODE_ENV is production', async () => {
    const catalogue = declare('who', (_config, { production, freezes }) => ({
      '* /*': () => json({ production, freezes }),
    }));
    const environment = { PIPELINES_DIR };
    const answer = await invokeLambda(lambdaHandler({ catalogue, environment }), { path: '/who' });
    expect(JSON.parse(answer.body.toString())).toEqual({ production: true, freezes: true });
  });

  test('never begins background work', async () => {
    let begun = 0;
    const catalogue = declare('worker', (_config, { background }) => {
      background(async () => {
        begun += 1;
      });
      return { '* /*': () => json({}) };
    });
    const handler = lambdaHandler({ catalogue, environment: ENVIRONMENT });
    expect((await invokeLambda(handler, { path: '/worker' })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begun).toBe(0);
  });

  test('that fails for a reason that may pass is tried again with the next request', async () => {
    let tries = 0;
    const catalogue = {
      late: async () => {
        tries += 1;
        if (tries === 1) throw new Error('not yet');
        return {
          default: (await declare('late', () => ({ '* /*': () => json({}) })).late?.())
            ?.default as never,
        };
      },
    };
    const { result } = await loggedWhile(async () => {
      const handler = lambdaHandler({ catalogue, target: 'late', environment: ENVIRONMENT });
      return [
        await invokeLambda(handler, { path: '/late' }),
        await invokeLambda(handler, { path: '/late' }),
      ];
    });
    expect(result.map(({ status }) => status)).toEqual([500, 200]);
  });

  test('happens once for all invocations', async () => {
    let made = 0;
    const catalogue = declare('once', () => {
      made += 1;
      return { '* /*': () => json({}) };
    });
    const handler = lambdaHandler({ catalogue, environment: ENVIRONMENT });
    await Promise.all([1, 2, 3].map(() => invokeLambda(handler, { path: '/once' })));
    expect(made).toBe(1);
  });
});

test('an invocation that is no request and no event is refused in words', async () => {
  const { lines } = await loggedWhile(async () => {
    for (const event of [{ hello: 1 }, null, [], 'text', { Records: [{ eventSource: 'aws:s3' }] }])
      await expect(probe(event, lambdaContext())).rejects.toThrow(
        /^an invocation must|^this is no/,
      );
  });
  expect(lines.filter(({ message }) => message === 'event_refused')).toHaveLength(5);
});

test('a result is what the gateway takes: text where it is text, cookies apart', async () => {
  const event = await toEventV2({ path: '/probe-stream/cookies' });
  const result = (await probe(event, lambdaContext())) as ResultV2;
  expect(result).toMatchObject({ statusCode: 200, body: 'two', isBase64Encoded: false });
  expect(result.cookies).toEqual(['a=1; Path=/', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT']);
  expect(Object.keys(result.headers)).not.toContain('set-cookie');
});
