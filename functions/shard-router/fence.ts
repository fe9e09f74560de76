/**
 * The fence: what a forwarded request says of the table by which its shard was chosen, so that a shard with another table
 * can refuse it (`shard-owner`), and what such a refusal looks like.
 *
 * Fails closed: what a client has put into these fields is replaced, and none of ours goes out to it.
 */
import type { ShardTable } from '../../shared/shard/table';
import type { Role } from './choice';

const EPOCH = 'shard-epoch';
const DIGEST = 'shard-digest';
const ROLE = 'shard-role';
const NAMES = [EPOCH, DIGEST, ROLE] as const;

export type FenceFields = Readonly<Record<(typeof NAMES)[number], string>>;

/** The same object for every request of a table in a role. */
export const fenceOf = (table: ShardTable, role: Role): FenceFields => {
  let roles = known.get(table);
  if (!roles) {
    roles = {};
    known.set(table, roles);
  }
  roles[role] ??= { [EPOCH]: `${table.epoch}`, [DIGEST]: table.digest, [ROLE]: role };
  return roles[role];
};

const known = new WeakMap<ShardTable, Partial<Record<Role, FenceFields>>>();

/** Whether a shard says that it does not own the key. An application's own 421 has no digest, and goes to the client. */
export const isMisdirected = ({ status, headers }: Response): boolean =>
  status === 421 && headers.has(DIGEST);

/** The same answer, without what only routers and shards have to know. */
export const withoutFence = (response: Response): Response => {
  const { headers } = response;
  for (const name of NAMES) if (headers.has(name)) headers.delete(name);
  return response;
};
