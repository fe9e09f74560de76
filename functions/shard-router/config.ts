/**
 * What a router is told: the settings that all who place requests share (shared/shard/config), and its own beside them.
 *
 * Fails closed: with a mistake there is no router, and all mistakes are told at once.
 */
import { parseDuration } from '../../shared/duration';
import type { InputError } from '../../shared/failure';
import type { Files } from '../../shared/platform';
import { complete } from '../../shared/shard/complete';
import { loadConfig } from '../../shared/shard/config/load';
import { explainConfig, readShardConfig, type ShardConfig } from '../../shared/shard/config/read';
import type { CheckShards } from '../../shared/shard/members/document';
import { type PlainSchema, validate } from '../../shared/shard/validate';
import type { OnDown } from './choice';
import { DEFAULTS, LONGEST } from './defaults';
import { ROUTER_PROPERTIES } from './schema';
import { urlsOf } from './urls';

/** How a request is answered: passed on, sent on by 307, or told who owns its key. */
export type AnswerMode = 'proxy' | 'redirect' | 'lookup';

/** Checked, with every default filled in; durations are ms. */
export interface RouterConfig extends ShardConfig {
  readonly onDown: OnDown;
  /** How long `pin-retry` tries. */
  readonly retryFor: number;
  readonly answer: AnswerMode;
  /** How long a client may keep the owner it was told; `undefined`: nobody has said. */
  readonly ttl: number | undefined;
  /** How much more than its part a shard may have in flight; `undefined`: as much as comes. */
  readonly bound: number | undefined;
  readonly health: {
    /** Consecutive ones that open the circuit of a server. */
    readonly failures: number;
    readonly open: number;
    readonly active: ActiveCheck | undefined;
  };
  /** How long to wait for the head of an answer. */
  readonly timeout: number;
  readonly streams: {
    readonly window: number;
    readonly grace: number;
    readonly retry: number;
    readonly maxAge: number | undefined;
    readonly idle: number;
  };
}

export interface ActiveCheck {
  readonly path: string;
  readonly every: number;
  readonly timeout: number;
}

/** The router's own part, as it is written. */
interface Written {
  readonly onDown?: OnDown;
  readonly retryFor?: string;
  readonly answer?: AnswerMode;
  readonly ttl?: string;
  readonly bound?: number | boolean;
  readonly health?: {
    readonly failures?: number;
    readonly open?: string;
    readonly active?: { readonly path: string; readonly every?: string; readonly timeout?: string };
  };
  readonly timeout?: string;
  readonly streams?: Partial<Record<'window' | 'grace' | 'retry' | 'maxAge' | 'idle', string>>;
}

/** From the JSON itself, or from the file that is named. Throws a TypeError that says all that is wrong. */
export const loadRouterConfig = (source: string, files: Files | undefined): RouterConfig => {
  const read = readRouterConfig(loadConfig(source, files));
  if ('mistakes' in read) throw new TypeError(explainConfig(read.mistakes));
  return read.config;
};

export type ReadRouterConfig =
  | { readonly config: RouterConfig }
  | { readonly mistakes: readonly InputError[] };

/** All mistakes at once, each with its JSON Pointer. */
export const readRouterConfig = (value: object): ReadRouterConfig => {
  const shared = readShardConfig(value);
  const shape = validate(SHAPE, value);
  const written = value as Written;
  const mistakes = [
    ...('mistakes' in shared ? shared.mistakes : membersOf(shared.config, written.answer)),
    ...shape,
    ...valuesOf(written),
  ];
  if (mistakes.length > 0 || 'mistakes' in shared) return { mistakes };
  return { config: { ...shared.config, ...filledIn(written) } };
};

const SHAPE: PlainSchema = { type: 'object', properties: ROUTER_PROPERTIES };

/** Names and addresses of members that are known already; those of live ones are looked at as they come. */
function* membersOf(
  { topology, missing, members }: ShardConfig,
  answer: AnswerMode = DEFAULTS.answer,
): Generator<InputError> {
  if (members.from !== 'static') return;
  const { shards } = complete(topology);
  const fixed = typeof missing === 'object' && 'fixed' in missing ? missing.fixed : undefined;
  if (fixed !== undefined && !shards.some(({ name }) => name === fixed))
    yield { pointer: '/missing/fixed', message: 'must be the name of a shard' };
  yield* unreachable(answer)(shards);
}

/** Shards that no request can go to; where nobody is sent, any address will do. */
export const unreachable = (answer: AnswerMode): CheckShards =>
  function* (shards) {
    if (answer === 'lookup') return;
    for (const [i, shard] of shards.entries())
      if (!urlsOf(shard).every(isOrigin))
        yield {
          pointer: `/shards/${i}/urls`,
          message: 'is required: http:// and the address make no URL',
        };
  };

/** An address may be a path, or a name that no URL takes. */
const isOrigin = (url: string): boolean =>
  /^https?:\/\/[^/?#@\s]+$/i.test(url) && URL.canParse(url);

/** Of another type nothing is said here: that is a matter of the shape. */
function* valuesOf(written: Written): Generator<InputError> {
  const { bound, health, streams } = written;
  if (bound === false || (typeof bound === 'number' && !(bound > 1 && bound <= LONGEST.bound)))
    yield { pointer: '/bound', message: `must be true or > 1 and <= ${LONGEST.bound}` };
  yield* duration('/retryFor', written.retryFor, LONGEST.retryFor);
  yield* duration('/ttl', written.ttl, LONGEST.ttl, 0);
  yield* duration('/timeout', written.timeout, LONGEST.timeout);
  yield* duration('/health/open', health?.open, LONGEST.open);
  if (typeof health?.active?.path === 'string' && !/^\/[!-~]*$/.test(health.active.path))
    yield { pointer: '/health/active/path', message: 'must be a path, as it goes on the wire' };
  yield* duration('/health/active/every', health?.active?.every, LONGEST.every, 100);
  yield* duration('/health/active/timeout', health?.active?.timeout, LONGEST.checkTimeout);
  for (const [name, longest] of Object.entries(LONGEST.streams))
    yield* duration(`/streams/${name}`, streams?.[name as 'window'], longest, 0);
}

function* duration(
  pointer: string,
  text: unknown,
  longest: string,
  least = 1,
): Generator<InputError> {
  if (typeof text !== 'string') return;
  const ms = parseDuration(text);
  if (ms === undefined) yield { pointer, message: 'must be a duration such as 10s' };
  else if (ms < least) yield { pointer, message: `must be at least ${least}ms` };
  else if (ms > msOf(longest)) yield { pointer, message: `must be at most ${longest}` };
}

const filledIn = (written: Written): Omit<RouterConfig, keyof ShardConfig> => {
  const { health = {}, streams = {}, bound, ttl } = written;
  const { active } = health;
  return {
    onDown: written.onDown ?? DEFAULTS.onDown,
    retryFor: msOf(written.retryFor ?? DEFAULTS.retryFor),
    answer: written.answer ?? DEFAULTS.answer,
    ttl: ttl === undefined ? undefined : msOf(ttl),
    bound: bound === true ? DEFAULTS.bound : (bound as number | undefined),
    health: {
      failures: health.failures ?? DEFAULTS.health.failures,
      open: msOf(health.open ?? DEFAULTS.health.open),
      active: active && {
        path: active.path,
        every: msOf(active.every ?? DEFAULTS.health.active.every),
        timeout: msOf(active.timeout ?? DEFAULTS.health.active.timeout),
      },
    },
    timeout: msOf(written.timeout ?? DEFAULTS.timeout),
    streams: {
      window: msOf(streams.window ?? DEFAULTS.streams.window),
      grace: msOf(streams.grace ?? DEFAULTS.streams.grace),
      retry: msOf(streams.retry ?? DEFAULTS.streams.retry),
      maxAge: streams.maxAge === undefined ? undefined : msOf(streams.maxAge),
      idle: msOf(streams.idle ?? DEFAULTS.streams.idle),
    },
  };
};

/** Of a text that is known to be one. */
const msOf = (text: string): number => parseDuration(text) as number;
