/** A function that hands everything on, keeps what goes on for long, and ends it when it is told to. */
import { defineFunction } from '../../../shared/define';
import { isUnforwarded } from '../../../shared/failure';
import type { LiveStream } from '../../../shared/handler';
import { json, text } from '../../../shared/http/response';

const probe = defineFunction({
  name: 'probe-upgrade',
  kind: 'decorator',
  summary: 'Hands on.',
  runsAt: ['node'],
  callers: 'public',
  body: { mode: 'stream' },
  config: {
    PROBE_UPGRADE_ORIGIN: { type: 'string', format: 'uri', description: 'Where all goes.' },
    PROBE_UPGRADE_IDLE: { type: 'integer', default: 60_000, description: 'In ms.' },
  },
  routes: { '* /*': { summary: 'By the path.' } },
  create: ({ PROBE_UPGRADE_ORIGIN, PROBE_UPGRADE_IDLE }) => {
    const streams = new Set<LiveStream>();
    let ended = 0;
    return {
      '* /*': async (request, context) => {
        const query = /\?.*/.exec(request.url)?.[0] ?? '';
        const forward = () =>
          context.forward(PROBE_UPGRADE_ORIGIN as string, {
            timeout: 1_500,
            idle: PROBE_UPGRADE_IDLE,
            ...(context.path.startsWith('/never') && { signal: new AbortController().signal }),
            ...(context.path.startsWith('/soon') && { signal: AbortSignal.timeout(200) }),
            path:
              (context.path.replace(/^\/(forward|dropped|late|throws|never|soon)/, '') || '/') +
              query,
            onStream: (stream) => {
              if (context.path.startsWith('/throws')) throw new Error('a mistake');
              streams.add(stream);
              void stream.ended.then(() => streams.delete(stream));
            },
            onEnd: () => {
              ended += 1;
            },
          });
        if (/^\/(forward|throws|never|soon)/.test(context.path)) return forward();
        if (context.path.startsWith('/late')) {
          const answer = await forward();
          await new Promise((resolve) => setTimeout(resolve, 200));
          return answer;
        }
        if (context.path.startsWith('/dropped')) {
          await forward();
          return text('something else');
        }
        if (context.path === '/try') {
          // One server after the other, as long as nothing was sent.
          let thrown: unknown = new Error('nobody to try');
          for (const port of query.slice(1).split(','))
            try {
              return await context.forward(`http://127.0.0.1:${port}`, { timeout: 500 });
            } catch (error) {
              thrown = error;
              if (!isUnforwarded(error)) break;
            }
          throw thrown;
        }
        if (context.path === '/end') for (const stream of streams) stream.end();
        if (context.path === '/echo')
          return json({
            method: request.method,
            fields: [...request.headers.keys()].length,
            last: request.headers.get('x-last'),
            body: await request.text(),
          });
        const protocols = [...streams].map(({ protocol }) => protocol);
        return json({ streams: protocols, ended });
      },
    };
  },
});

export const probes = { 'probe-upgrade': async () => ({ default: probe }) };
