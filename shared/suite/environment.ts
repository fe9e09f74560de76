/** The environment of the suite itself; a function's own variables are in its declaration. */
import type { ConfigOf, Settings } from '../config';

export const SUITE_SETTINGS = {
  PORT: {
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
    default: 8080,
    description: 'Port to listen on; 0 takes a free one.',
  },
  HOST: {
    type: 'string',
    description: 'Address to listen on. Default: 127.0.0.1 in development, 0.0.0.0 in production.',
  },
  NODE_ENV: {
    type: 'string',
    default: 'development',
    description:
      'production closes what is open in development: callers need tokens, settings have no defaults.',
  },
  FUNCTION_TARGET: { type: 'string', description: 'Serve this function only. Default: all.' },
  FUNCTIONS_URL: {
    type: 'string',
    format: 'uri',
    description:
      'Base URL of the functions that pipeline steps call; {function} stands for the name where each has a host of its own. Default: this host, when it serves all; needed where FUNCTION_TARGET is a pipeline.',
  },
  STORE_URL: {
    type: 'string',
    secret: true,
    required: 'production',
    example: 'sqlite:./.data/faas.db',
    description:
      'Where functions keep their records: memory:, sqlite:PATH, or redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=NAME (rediss: for TLS). Development: sqlite:./.data/faas.db.',
  },
  ENGINE_URL: {
    type: 'string',
    required: 'production',
    example: 'local:./.data/runs.db',
    description:
      'What carries pipeline runs through: local:PATH, or restate+http://HOST:PORT, the ingress of a Restate cluster. Development: local:./.data/runs.db.',
  },
  RESTATE_ADMIN_URL: {
    type: 'string',
    format: 'uri',
    description: "Admin interface of Restate. Default: port 9070 of the ingress' host.",
  },
  RESTATE_PORT: {
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
    description:
      'Port on which Restate calls this host in HTTP/2, several times faster than request by request; 0 takes a free one. Default: none, it calls /restate on PORT.',
  },
  RESTATE_SERVICE_URL: {
    type: 'string',
    format: 'uri',
    description:
      'Where Restate reaches this host, or the balancer before all that are like it. Default: on the same machine.',
  },
  RESTATE_IDENTITY_KEYS: {
    type: 'string',
    format: 'list',
    description:
      'Public keys by which requests of Restate are known, publickeyv1_…. Without them only the same machine may call.',
  },
  PIPELINES_DIR: {
    type: 'string',
    default: './pipelines',
    description: 'Folder of pipeline files; each is a function.',
  },
  SECRET_KEY: {
    type: 'string',
    secret: true,
    required: 'production',
    description:
      'Root of all keys: at least 32 characters; several, comma-separated, for rotation. Development: made once, in .data/secret-key.',
  },
  WEBHOOK_SECRET: {
    type: 'string',
    secret: true,
    pattern: '^whsec_[A-Za-z0-9+/]{32,88}={0,2}(,\\s*whsec_[A-Za-z0-9+/]{32,88}={0,2})*$',
    description:
      'Signs calls to outside webhooks (Standard Webhooks, whsec_ and base64). Needed as soon as a webhook has its URL.',
  },
  WEBHOOK_ALLOW: {
    type: 'string',
    example: 'hooks.internal,10.20.0.0/16,localhost:9000',
    description:
      'Who outside of the public internet may be called by webhooks: hosts, host:port, or CIDRs, comma-separated.',
  },
  K_SINK: {
    type: 'string',
    format: 'uri',
    description:
      'Where the events go that pipelines emit, as Knative sets it. Default: to the pipelines of this suite that are started by them.',
  },
  SMTP_URL: {
    type: 'string',
    secret: true,
    required: 'production',
    pattern: '^smtps?://',
    example: 'smtps://user:password@mail.example.com',
    description: 'Mail server. Development: messages go to /outbox.',
  },
  MAIL_FROM: {
    type: 'string',
    required: 'production',
    example: 'hello@example.com',
    description: 'Sender of mails.',
  },
  TWILIO_ACCOUNT_SID: {
    type: 'string',
    required: 'production',
    pattern: '^AC[0-9a-f]{32}$',
    description: 'Twilio account. Development: messages go to /outbox.',
  },
  TWILIO_AUTH_TOKEN: {
    type: 'string',
    secret: true,
    required: 'production',
    description: 'Twilio auth token.',
  },
  TWILIO_FROM: {
    type: 'string',
    required: 'production',
    pattern: '^(\\+[1-9]\\d{6,14}|MG[0-9a-f]{32})$',
    description: 'Sender of messages: a number in E.164 or a Messaging Service SID.',
  },
  TWILIO_BASE_URL: {
    type: 'string',
    format: 'uri',
    description: 'Another address for the Twilio API: tests and proxies.',
  },
  CALLER_TOKENS: {
    type: 'string',
    secret: true,
    format: 'list',
    description: 'Bearer tokens that may call backend routes in production.',
  },
  ADMIN_TOKENS: {
    type: 'string',
    secret: true,
    format: 'list',
    description: 'Bearer tokens that may call admin routes in production.',
  },
  PUBLIC_URL: {
    type: 'string',
    format: 'uri',
    required: 'production',
    description: 'Base of links in mails. Development: http://localhost:PORT.',
  },
  TRUSTED_PROXY_HOPS: {
    type: 'integer',
    minimum: 0,
    maximum: 16,
    default: 0,
    description:
      'Proxies of yours that every request comes through, each adding its caller to X-Forwarded-For: what budgets by address believe. 0: the socket; at the edge, whom the platform names.',
  },
  EDGE_BINDINGS: {
    type: 'string',
    format: 'list',
    example: 'http://10.0.0.7:8080=SHARD_A,http://10.0.0.8:8080=SHARD_B',
    description:
      'At the edge: origins that are reached by a service binding and not over the network, each as ORIGIN=BINDING. A table keeps its addresses, so that it means the same everywhere.',
  },
  DRAIN_DELAY: {
    type: 'string',
    format: 'duration',
    pattern: '^(?:\\d{1,6}ms|\\d{1,3}s)$',
    description:
      'How long a host that is told to stop is served as before, while its readiness says no: as long as those need who send it requests to see that. Default: 0s in development, 3s in production.',
  },
  LOG_LEVEL: {
    type: 'string',
    enum: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    description: 'The least severity that is logged.',
  },
} as const satisfies Settings;

/** The settings behind each part of the platform: required only where a served function needs that part. */
export const NEEDED_SETTINGS = {
  store: ['STORE_URL'],
  secret: ['SECRET_KEY'],
  engine: ['ENGINE_URL', 'SECRET_KEY'],
  mail: ['SMTP_URL', 'MAIL_FROM', 'PUBLIC_URL'],
  sms: ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM', 'PUBLIC_URL'],
} as const;

export type SuiteConfig = ConfigOf<typeof SUITE_SETTINGS>;
