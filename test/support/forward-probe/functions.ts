/** A function that forwards whatever it gets, as a field of the request says, and keeps hold of what goes on for long. */
import { defineFunction } from '../../../shared/define';
import { asFailure, isUnforwarded } from '../../../shared/failure';
import type { ForwardOptions, LiveStream } from '../../../shared/handler';
import { empty, json } from '../../../shared/http/response';

/** JSON of `Wishes` in the field `x-wishes`. */
export interface Wishes {
  readonly origin?: string;
  /** Tried first. */
  readonly before?: string;
  readonly options?: ForwardOptions;
  /** Reads the answer and gives it anew. */
  readonly reads?: boolean;
  readonly watches?: boolean;
}

const streams = new Set<LiveStream>();
const counts = { ends: 0, streams: 0, seconds: 0 };

const forwardProbe = defineFunction({
  name: 'forward-probe',
  kind: 'serving',
  summary: 'Forwards.',
  runsAt: ['node'],
  callers: 'public',
  body: { mode: 'stream' },
  config: {
    FORWARD_PROBE_ORIGIN: { type: 'string', format: 'uri', description: 'Where forward goes.' },
  },
  routes: { '* /*': { summary: 'By the path.' } },
  create: ({ FORWARD_PROBE_ORIGIN }) => ({
    '* /*': async (request, context) => {
      if (context.path === '/second') counts.seconds += 1;
      if (context.path === '/counts') return json({ ...counts, open: streams.size });
      if (context.path === '/count')
        return json({ size: (await request.arrayBuffer()).byteLength });
      if (context.path === '/end') {
        const retry = /retry=(\d+)/.exec(request.url)?.[1];
        for (const stream of streams)
          stream.end({ retry: retry === undefined ? undefined : Number(retry) });
        return empty();
      }
      const wishes = JSON.parse(request.headers.get('x-wishes') ?? '{}') as Wishes;
      const { origin = FORWARD_PROBE_ORIGIN as string, before, options, watches } = wishes;
      const all: ForwardOptions = {
        timeout: 1_000,
        ...options,
        headers: { 'x-wishes': undefined, ...options?.headers },
        onEnd: () => {
          counts.ends += 1;
        },
        ...(watches && {
          onStream: (stream) => {
            counts.streams += 1;
            streams.add(stream);
            void stream.ended.then(() => streams.delete(stream));
          },
        }),
      };
      if (before !== undefined)
        try {
          return await context.forward(before, all);
        } catch (thrown) {
          if (!isUnforwarded(thrown)) throw asFailure(thrown);
        }
      const answer = await context.forward(origin, all);
      return wishes.reads ? json({ status: answer.status, text: await answer.text() }) : answer;
    },
  }),
});

export const probes = { 'forward-probe': async () => ({ default: forwardProbe }) };
