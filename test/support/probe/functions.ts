/** Two functions that show every face of a host: one that reads JSON, one that streams. */
import { defineFunction } from '../../../shared/define';
import { Failure } from '../../../shared/failure';
import { readJson } from '../../../shared/http/json';
import { empty, json, text } from '../../../shared/http/response';

/** Not Node's: these functions run at the edge, too. */
const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const left: string[] = [];

export const probeJson = defineFunction({
  name: 'probe-json',
  kind: 'serving',
  summary: 'Reads JSON.',
  runsAt: ['node', 'edge'],
  callers: 'public',
  body: { mode: 'json' },
  config: {
    PROBE_JSON_LIMIT: { type: 'integer', minimum: 1, default: 3, description: 'A number.' },
    PROBE_JSON_WAIT: {
      type: 'string',
      format: 'duration',
      default: '5s',
      description: 'A duration.',
    },
  },
  routes: {
    'POST /': { summary: 'The body, as JSON again.' },
    'GET /items/:id': { summary: 'The id.' },
    'PUT /items/:id': { summary: 'The id and the body.' },
    'GET /failure': { summary: 'A failure with all its parts.' },
    'GET /throw': { summary: 'An error that nobody foresaw.' },
    'GET /reject': { summary: 'The same, later.' },
    'GET /nothing': { summary: 'No response at all.' },
  },
  create: () => ({
    'POST /': async (request) => json(await readJson(request)),
    'GET /items/:id': (_request, { params }) => json(params),
    'PUT /items/:id': async (request, { params }) =>
      json({ ...params, body: await readJson(request) }),
    'GET /failure': () => {
      throw new Failure('in_progress', {
        detail: 'Wait for it.',
        errors: [{ pointer: '/a', message: 'is required' }],
        headers: { 'retry-after': '7' },
        cause: new Error('a secret cause'),
      });
    },
    'GET /throw': () => {
      throw new Error('a secret at /srv/app/file.ts');
    },
    'GET /reject': async () => {
      await delay(5);
      throw new Error('a secret at /srv/app/file.ts');
    },
    'GET /nothing': () => undefined as unknown as Response,
  }),
});

export const probeStream = defineFunction({
  name: 'probe-stream',
  kind: 'serving',
  summary: 'Streams.',
  runsAt: ['node', 'edge'],
  callers: 'public',
  body: { mode: 'stream' },
  config: {
    PROBE_STREAM_ORIGIN: { type: 'string', format: 'uri', description: 'Where forward goes.' },
  },
  routes: { '* /*': { summary: 'By the path.' } },
  create: ({ PROBE_STREAM_ORIGIN }) => ({
    '* /*': async (request, context) => {
      switch (context.path) {
        case '/bytes': {
          const body = request.body as ReadableStream<Uint8Array> | null;
          return new Response(body as ConstructorParameters<typeof Response>[0], {
            headers: { 'content-type': 'application/octet-stream' },
          });
        }
        case '/count': {
          let size = 0;
          for await (const part of (request.body ?? []) as AsyncIterable<Uint8Array>)
            size += part.length;
          return json({ size });
        }
        case '/headers':
          return json({
            headers: [...request.headers.entries()].filter(
              ([name]) => name.startsWith('x-') || name === 'cookie',
            ),
          });
        case '/client':
          return json({ address: context.clientAddress ?? null });
        case '/target':
          return text(`${request.method} ${request.url.replace(/^http:\/\/[^/]+/, '')}`);
        case '/empty':
          return empty();
        case '/cookies': {
          const response = text('two');
          response.headers.append('set-cookie', 'a=1; Path=/');
          response.headers.append('set-cookie', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT');
          return response;
        }
        case '/real-cookies': {
          const headers = new Headers([['content-type', 'text/plain']]);
          headers.append('set-cookie', 'a=1; Path=/');
          headers.append('set-cookie', 'b=2');
          return new Response('real', { status: 201, headers });
        }
        case '/parts':
          return new Response(
            new ReadableStream({
              async start(controller) {
                for (const part of ['one ', 'two ', 'three']) {
                  controller.enqueue(new TextEncoder().encode(part));
                  await delay(5);
                }
                controller.close();
              },
            }),
          );
        case '/late':
          return new Response(
            new ReadableStream({
              async start(controller) {
                controller.enqueue(new TextEncoder().encode('a beginning'));
                await delay(20);
                controller.error(new Error('a secret at /srv/app/file.ts'));
              },
            }),
          );
        case '/slow':
          await delay(Number(new URL(request.url).searchParams.get('ms')));
          return text('slow');
        case '/wait':
          await new Promise<void>((resolve) =>
            context.signal.addEventListener('abort', () => resolve()),
          );
          left.push(context.id);
          return text('nobody reads this');
        case '/left':
          return json(left);
        case '/background':
          context.waitUntil(delay(300).then(() => context.log.info('background_done')));
          return empty({ status: 202 });
        case '/log':
          context.log.info('probe', {
            token: 'canary-1',
            nested: { password: 'canary-2' },
            header: 'Bearer canary3',
            url: 'https://u:canary4@host/',
            fine: 'shown',
          });
          return json({ id: context.id, traceparent: context.traceparent });
        default:
          if (context.path.startsWith('/forward'))
            return context.forward(PROBE_STREAM_ORIGIN as string, {
              timeout: 1_000,
              path: context.path.slice('/forward'.length) + (/\?.*/.exec(request.url)?.[0] ?? ''),
            });
          throw new Failure('not_found');
      }
    },
  }),
});

export const probes = {
  'probe-json': async () => ({ default: probeJson }),
  'probe-stream': async () => ({ default: probeStream }),
};
