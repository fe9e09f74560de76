/**
 * The JSON Schema (draft 7) of a router's configuration: a topology, and what stands beside it. For checks and for editors;
 * what it cannot say, `config.ts` does.
 */
import { MISSING_SCHEMA } from '../../shared/shard/config/missing';
import { KEY_SCHEMA } from '../../shared/shard/key/check';
import { MEMBERS_SCHEMA } from '../../shared/shard/members/check';
import { TOPOLOGY_SCHEMA } from '../../shared/shard/schema';
import { DEFAULTS } from './defaults';

const DURATION = { type: 'string', pattern: '^\\d+(?:\\.\\d+)?(?:ms|s|m|h|d)$' } as const;

const duration = (description: string, fallback?: string) => ({
  ...DURATION,
  description,
  ...(fallback !== undefined && { default: fallback }),
});

const NAME = { type: 'string', minLength: 1, maxLength: 1024 } as const;

/** What only a router reads. */
export const ROUTER_PROPERTIES = {
  onDown: {
    type: 'string',
    enum: ['fail', 'next', 'replica', 'pin-retry'],
    description:
      'What becomes of a key whose shard is down: 503 at once, the next candidate, another url of the same shard, or the same shard again for as long as retryFor says.',
    default: DEFAULTS.onDown,
  },
  retryFor: duration('How long pin-retry tries.', DEFAULTS.retryFor),
  answer: {
    type: 'string',
    enum: ['proxy', 'redirect', 'lookup'],
    description: 'Passes requests on, sends clients on by 307, or tells who owns the key.',
    default: DEFAULTS.answer,
  },
  ttl: duration(
    'How long a client may keep the owner that a lookup or a redirect has told. Default: a lookup says 5s, a redirect is not kept.',
  ),
  bound: {
    type: ['number', 'boolean'],
    description:
      'Bounded load: a shard takes at most so many times its part of what is in flight, the rest goes to the next candidate. true is 1.25. Default: no bound.',
    anyOf: [{ type: 'number', exclusiveMinimum: 1 }, { enum: [true] }],
  },
  health: {
    type: 'object',
    additionalProperties: false,
    description: 'When a server counts as down.',
    properties: {
      failures: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        description: 'So many failures, one after the other, open its circuit.',
        default: DEFAULTS.health.failures,
      },
      open: duration('How long it stays open; then one request tries.', DEFAULTS.health.open),
      active: {
        type: 'object',
        required: ['path'],
        additionalProperties: false,
        description: 'Checks of our own, by GET; any answer below 400 is well. Default: none.',
        properties: {
          path: { ...NAME, pattern: '^/[!-~]*$', description: 'Such as /health.' },
          every: duration('How often each server is asked.', DEFAULTS.health.active.every),
          timeout: duration('How long its answer may take.', DEFAULTS.health.active.timeout),
        },
      },
    },
  },
  timeout: duration('How long to wait for the head of an answer.', DEFAULTS.timeout),
  streams: {
    type: 'object',
    additionalProperties: false,
    description: 'Answers that go on for long: event streams, WebSockets, others without a length.',
    properties: {
      window: duration(
        'Those whose key has moved are ended at moments spread over this time.',
        DEFAULTS.streams.window,
      ),
      grace: duration(
        'How long one that has no way to say goodbye may go on before it is cut.',
        DEFAULTS.streams.grace,
      ),
      retry: duration('What an event stream is told as its retry.', DEFAULTS.streams.retry),
      maxAge: duration('The longest that any may go on. Default: for ever.'),
      idle: duration(
        'How long nothing may come of an answer that has begun.',
        DEFAULTS.streams.idle,
      ),
    },
  },
} as const;

export const ROUTER_SCHEMA = {
  ...TOPOLOGY_SCHEMA,
  title: "A shard router's configuration",
  required: ['mode', 'key'],
  properties: {
    ...TOPOLOGY_SCHEMA.properties,
    key: KEY_SCHEMA,
    missing: MISSING_SCHEMA,
    members: MEMBERS_SCHEMA,
    ...ROUTER_PROPERTIES,
  },
} as const;
