/** A function that only hands on, and shows what the host tells of it. */
import { defineFunction } from '../../../shared/define';
import type { LiveStream } from '../../../shared/handler';
import { rawQuery } from '../../../shared/http/raw-query';
import { json } from '../../../shared/http/response';

export const probeForward = defineFunction({
  name: 'probe-forward',
  kind: 'decorator',
  summary: 'Hands on.',
  runsAt: ['node', 'edge'],
  callers: 'public',
  body: { mode: 'stream' },
  config: {
    PROBE_FORWARD_ORIGIN: {
      type: 'string',
      format: 'uri',
      required: 'always',
      description: 'Where it goes.',
    },
  },
  routes: {
    'GET /streams': { summary: 'What is under way, and what has ended.' },
    'POST /end': { summary: 'Ends all streams.' },
    '* /*': { summary: 'All else is handed on.' },
  },
  create: ({ PROBE_FORWARD_ORIGIN: origin }) => {
    const streams = new Set<LiveStream>();
    const counts = { begun: 0, settled: 0, ended: 0, streamsEnded: 0 };
    return {
      'GET /streams': () =>
        json({ ...counts, streams: [...streams].map(({ protocol }) => protocol) }),
      'POST /end': () => {
        for (const stream of streams) stream.end({ retry: 1234 });
        return json({});
      },
      '* /*': async (request, context) => {
        counts.begun += 1;
        // What goes on for the request, such as a record of it, holds up nothing.
        if (request.headers.has('x-linger'))
          context.waitUntil(new Promise((resolve) => setTimeout(resolve, 4_000)));
        try {
          return await context.forward(origin, {
            path: context.path + rawQuery(request.url),
            headers: { 'x-set': 'ours', 'x-removed': undefined },
            timeout: 500,
            idle: 700,
            onStream: (stream) => {
              streams.add(stream);
              stream.ended.then(() => {
                streams.delete(stream);
                counts.streamsEnded += 1;
              });
            },
            onEnd: () => {
              counts.ended += 1;
            },
          });
        } finally {
          counts.settled += 1;
        }
      },
    };
  },
});
