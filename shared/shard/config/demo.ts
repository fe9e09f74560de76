/** Three shards that are not there, for development where no others are set: routers and shards show what they make of them. */

/** `GET /users/7` belongs to user 7, and so does `GET /orders?user=7`. */
export const DEMO_CONFIG = JSON.stringify({
  mode: 'native',
  shards: ['shard-1', 'shard-2', 'shard-3'].map((name) => ({ address: name })),
  key: { first: [{ header: 'x-user' }, { query: 'user' }, { path: 2 }] },
});
