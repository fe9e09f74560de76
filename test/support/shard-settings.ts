/** What the functions of shards must be told in production, for tests that are about something else. */
const config = {
  mode: 'native',
  shards: [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:2' }],
  key: { header: 'x-shard-key' },
};

export const SHARD_SETTINGS = {
  SHARD_ROUTER_CONFIG: JSON.stringify(config),
  SHARD_OWNER_CONFIG: JSON.stringify(config),
  SHARD_OWNER_NAME: '127.0.0.1:1',
  SHARD_OWNER_TARGET: 'http://127.0.0.1:1',
} as const;
