/** `faas-patterns/store`: state with compare-and-swap, versions and watch, and the decorator that answers a key once. */
export { idempotentFunction } from '../../shared/idempotency/of-function';
export { type IdempotentOptions, idempotent } from '../../shared/idempotent';
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from '../../shared/store/memory';
export { checkStoreUrl, type OpenStoreOptions, openStore } from '../../shared/store/open';
export { type RedisStoreOptions, redisStore } from '../../shared/store/redis';
export { type SqliteStoreOptions, sqliteStore } from '../../shared/store/sqlite';
export {
  ABSENT,
  type Capabilities,
  type Entry,
  type ListOptions,
  type Page,
  type Store,
  type Version,
  type WriteOptions,
} from '../../shared/store/store';
