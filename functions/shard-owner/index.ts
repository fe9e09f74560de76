/**
 * The sharded service, from the side of a shard: a decorator in front of one that executes only what it owns.
 *
 * Fails closed: see shard-owner.ts.
 */
import { inSetting } from '../../shared/config/in-setting';
import { defineFunction } from '../../shared/define';
import { echo } from '../../shared/echo';
import { proxyTo } from '../../shared/http/proxy';
import type { Files } from '../../shared/platform';
import { complete } from '../../shared/shard/complete';
import { DEMO_CONFIG } from '../../shared/shard/config/demo';
import { loadConfig } from '../../shared/shard/config/load';
import { explainConfig, readShardConfig, type ShardConfig } from '../../shared/shard/config/read';
import { keyReader } from '../../shared/shard/key/reader';
import { liveTable } from '../../shared/shard/members/live-table';
import type { StandIn } from './ownership';
import { shardOwner } from './shard-owner';
import { withoutMint } from './without-mint';

export { type ShardOwnerOptions, shardOwner } from './shard-owner';

/** In development, where no other is set. */
const BUILT_IN_NAME = 'shard-1';

export default defineFunction({
  name: 'shard-owner',
  kind: 'decorator',
  summary: 'Lets through only the requests whose key this shard owns, and passes them on to it.',
  runsAt: ['node', 'edge'],
  callers: 'public',
  body: { mode: 'stream' },
  config: {
    SHARD_OWNER_CONFIG: {
      type: 'string',
      description:
        "The routers' configuration, SHARD_ROUTER_CONFIG: a file, or the JSON itself; at the edge only the latter. In development those of the routers' demonstration.",
      required: 'production',
      example: './router.json',
    },
    SHARD_OWNER_NAME: {
      type: 'string',
      description: "This shard's name, as the table has it. In development shard-1.",
      required: 'production',
      example: 'shard-1',
    },
    SHARD_OWNER_TARGET: {
      type: 'string',
      format: 'uri',
      description: 'URL of the shard behind; may have a path. In development an echo by default.',
      required: 'production',
      example: 'http://127.0.0.1:9000',
    },
    SHARD_OWNER_TIMEOUT: {
      type: 'string',
      format: 'duration',
      description: 'How long the shard may take to begin its answer.',
      default: '30s',
    },
    SHARD_OWNER_IDLE: {
      type: 'string',
      format: 'duration',
      description: 'How long nothing may come of an answer that has begun, or of a WebSocket.',
      default: '5m',
    },
    SHARD_OWNER_ROLES: {
      type: 'string',
      format: 'list',
      pattern: '^\\s*(?:next|bound|spread)\\s*(?:,\\s*(?:next|bound|spread)\\s*)*$',
      description:
        'What this shard takes for others, on the word of a router with the same table: next, bound, spread. Only where all shards share their data. Default: nothing.',
      example: 'next,bound',
    },
    SHARD_OWNER_STALE_AFTER: {
      type: 'string',
      format: 'duration',
      description:
        'How long the source of the table may be silent before this shard executes nothing any more.',
      default: '30s',
    },
  },
  routes: {
    '* /*': {
      summary: 'Any request: passed on when this shard owns its key, else 421.',
      example: { path: '/users/7' },
    },
  },
  needsWith: ({ SHARD_OWNER_CONFIG: source }, files) => (isStored(source, files) ? ['store'] : []),
  calls: ({ SHARD_OWNER_TARGET }) => (SHARD_OWNER_TARGET ? [SHARD_OWNER_TARGET] : []),
  create: (settings, platform) => {
    const { SHARD_OWNER_NAME: name = BUILT_IN_NAME, SHARD_OWNER_TARGET: target } = settings;
    const { clock, random, log, files, names } = platform;
    const config = readConfig(settings.SHARD_OWNER_CONFIG, files);
    const { topology, members, missing } = config;
    checkName(name, config);
    const key = inSetting('SHARD_OWNER_CONFIG', () =>
      keyReader(withoutMint(config.key), {
        mode: topology.mode,
        runtime: files ? 'node' : 'edge',
        random,
      }),
    );
    const store = members.from === 'store' ? platform.store : undefined;
    const table = inSetting('SHARD_OWNER_CONFIG', () =>
      liveTable({ topology, members, clock, random, log, files, names, store }),
    );
    for (const { code, message } of key.warnings) log.warn('shard_key', { warning: code, message });
    table.onChange(({ epoch, digest, shards }) => {
      if (!shards.some((shard) => shard.name === name))
        log.warn('shard_not_a_member', { name, epoch, digest });
    });
    if (!platform.freezes) platform.background((signal) => table.follow(signal));
    const decorator = shardOwner({
      name,
      key,
      table,
      clock,
      missing,
      roles: (settings.SHARD_OWNER_ROLES ?? []) as readonly StandIn[],
      staleAfter: settings.SHARD_OWNER_STALE_AFTER,
    });
    const { SHARD_OWNER_TIMEOUT: timeout, SHARD_OWNER_IDLE: idle } = settings;
    const shard = target
      ? inSetting('SHARD_OWNER_TARGET', () => proxyTo(target, { timeout, idle }))
      : echo;
    return { '* /*': decorator(shard) };
  },
});

/** What is wrong with the setting `create` tells. */
const isStored = (source: string | undefined, files: Files | undefined): boolean => {
  try {
    return readConfig(source, files).members.from === 'store';
  } catch {
    return false;
  }
};

/** What the setting says, or what is built in. */
const readConfig = (source: string | undefined, files: Files | undefined): ShardConfig =>
  inSetting('SHARD_OWNER_CONFIG', () => {
    const read = readShardConfig(loadConfig(source ?? DEMO_CONFIG, files));
    if ('mistakes' in read) throw new TypeError(explainConfig(read.mistakes));
    return read.config;
  });

/** Of live members nobody knows yet: until it is one, such a shard takes nothing. */
const checkName = (name: string, { topology, members }: ShardConfig): void => {
  const known = complete(topology).shards.map((shard) => shard.name);
  if (members.from === 'static' && !known.includes(name))
    throw new TypeError(
      `SHARD_OWNER_NAME: ${name} is none of the shards: ${known.slice(0, 10).join(', ')}`,
    );
};
