/**
 * The sharded service, from the side of its clients: a router that takes the shard key out of a request, finds the shard
 * that owns it as nginx, twemproxy, Envoy or HAProxy would, and lets the host forward.
 *
 * Fails closed: without a key, a table or a shard that may be asked, the answer says so and nobody else is asked.
 */
import type { ConfigOf, Settings } from '../../shared/config';
import { inSetting } from '../../shared/config/in-setting';
import { defineFunction } from '../../shared/define';
import type { Files } from '../../shared/platform';
import { complete } from '../../shared/shard/complete';
import { DEMO_CONFIG } from '../../shared/shard/config/demo';
import { loadRouterConfig, type RouterConfig } from './config';
import { demoShards } from './demo';
import { openRouter } from './open';
import { urlsOf } from './urls';

export { type ShardRouterOptions, shardRouter } from './shard-router';

const SETTINGS = {
  SHARD_ROUTER_CONFIG: {
    type: 'string',
    description:
      'The topology and what stands beside it (docs/shard-router.md): a file, or the JSON itself; at the edge only the latter. Three shards that show what reaches them in development.',
    required: 'production',
    example: './router.json',
  },
} as const satisfies Settings;

export default defineFunction({
  name: 'shard-router',
  kind: 'decorator',
  summary:
    'Sends each request to the shard that owns its key, as nginx, twemproxy, Envoy or HAProxy would.',
  runsAt: ['node', 'edge'],
  callers: 'public',
  body: { mode: 'stream' },
  config: SETTINGS,
  routes: {
    'GET /owner': {
      summary:
        'Who owns a key: its shard and where that is, with the epoch and digest of the table.',
      callers: 'backend',
      example: { path: '/owner?key=7' },
    },
    'GET /owner/explain': {
      summary:
        'Why: what was hashed, the hash, the point, who comes next, and how the servers are.',
      callers: 'admin',
      example: { path: '/owner/explain?key=7' },
    },
    'GET /owner/table': {
      summary: 'The table of now: its shards, epoch and digest, warnings, and how the servers are.',
      callers: 'backend',
    },
    'PUT /owner/table': {
      summary:
        'Other members, where they come from the store; If-Match names the epoch they replace.',
      callers: 'admin',
    },
    '* /*': {
      summary: 'Any other request: passed on to the shard that owns its key.',
      example: { path: '/users/7' },
    },
  },
  needsWith: (settings, files) =>
    readable(settings, files)?.members.from === 'store' ? ['store'] : [],
  calls: (settings, files) => {
    const config = readable(settings, files);
    return config && settings.SHARD_ROUTER_CONFIG !== undefined
      ? complete(config.topology).shards.flatMap(urlsOf)
      : [];
  },
  create: (settings, platform) => {
    const { clock, random, log, files, names } = platform;
    const router = openRouter({
      config: inSetting('SHARD_ROUTER_CONFIG', () => read(settings, files)),
      clock,
      random,
      log,
      files,
      names,
      store: () => platform.store,
      background: platform.freezes ? undefined : (work) => platform.background(work),
      runtime: files ? 'node' : 'edge',
    });
    const handler = router.handler();
    return {
      'GET /owner': router.directory.owner,
      'GET /owner/explain': router.directory.explain,
      'GET /owner/table': router.directory.table,
      'PUT /owner/table': router.publish,
      '* /*': settings.SHARD_ROUTER_CONFIG === undefined ? demoShards(handler) : handler,
    };
  },
});

type Config = ConfigOf<typeof SETTINGS>;

const read = ({ SHARD_ROUTER_CONFIG: source = DEMO_CONFIG }: Config, files: Files | undefined) =>
  loadRouterConfig(source, files);

/** `undefined` where there is a mistake, which is for `create` to tell. */
const readable = (settings: Config, files: Files | undefined): RouterConfig | undefined => {
  try {
    return read(settings, files);
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
};
