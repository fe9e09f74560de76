import { defineFunction } from '../../../shared/define';
import { edgeHandler } from '../../../shared/hosts/edge';
import { readJson } from '../../../shared/http/json';
import { json, text } from '../../../shared/http/response';

const probeCallers = defineFunction({
  name: 'probe-callers',
  kind: 'serving',
  summary: 'Shows who may call, and as whom.',
  runsAt: ['edge'],
  callers: 'backend',
  body: { mode: 'json' },
  needsWith: ({ PROBE_CALLERS_STORE }) => (PROBE_CALLERS_STORE ? ['store'] : []),
  config: {
    PROBE_CALLERS_STORE: { type: 'boolean', default: false, description: 'Whether it needs one.' },
    PROBE_CALLERS_LIMIT: { type: 'integer', minimum: 1, default: 3, description: 'A number.' },
    PROBE_CALLERS_TOPIC: {
      type: 'string',
      default: 'none',
      description: 'What production must say.',
    },
  },
  routes: {
    'POST /': { summary: 'The body.' },
    'GET /public': { summary: 'Who calls.', callers: 'public' },
    'GET /encoded': { summary: 'Bytes that are said to be gzip.', callers: 'public' },
    'GET /bodiless': { summary: 'A body where none may be.', callers: 'public' },
    'GET /admin': { summary: 'For admins.', callers: 'admin' },
    'GET /background': { summary: 'Work that goes on.', callers: 'public' },
  },
  create: (
    { PROBE_CALLERS_LIMIT, PROBE_CALLERS_TOPIC },
    { production, random, keys, files, names },
  ) => {
    if (PROBE_CALLERS_LIMIT === 13) throw new TypeError('13 cannot work');
    return {
      'POST /': async (request) => json(await readJson(request)),
      'GET /public': (_request, { clientAddress, id, traceparent }) =>
        json({
          address: clientAddress ?? null,
          id,
          traceparent,
          production,
          limit: PROBE_CALLERS_LIMIT,
          topic: PROBE_CALLERS_TOPIC,
          parts: [typeof files, typeof names],
          key: keys('a label').current.id,
          drawn: [random.below(1), random.bytes(3).length, random.uuid().length],
          node: [typeof Buffer, typeof process],
        }),
      'GET /encoded': () => text('as they are', { headers: { 'content-encoding': 'gzip' } }),
      'GET /bodiless': () => text('x', { status: 304 }),
      'GET /admin': () => json('admin'),
      'GET /background': (_request, { waitUntil, log }) => {
        waitUntil(
          new Promise((resolve) => setTimeout(resolve, 100)).then(() =>
            log.info('background_done'),
          ),
        );
        waitUntil(Promise.reject(new Error('it broke')));
        log.info('probe', { token: 'canary-1', url: 'https://u:canary2@host/', fine: 'shown' });
        return json({});
      },
    };
  },
});

export default edgeHandler(probeCallers);
