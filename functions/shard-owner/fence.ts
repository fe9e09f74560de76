/** What a router says of its table, on the wire: three fields, each well-formed, or nothing that counts. */
import type { Fence, Role } from './ownership';

const ROLES: ReadonlySet<string> = new Set<Role>(['owner', 'replica', 'next', 'bound', 'spread']);

const isRole = (text: string): text is Role => ROLES.has(text);

/** `undefined` when a field is missing, comes twice, or is not what a router writes: then the own table decides alone. */
export const readFence = ({ headers }: Request): Fence | undefined => {
  const digest = headers.get('shard-digest');
  if (digest === null || !/^[\da-f]{16}$/.test(digest)) return undefined;
  const epoch = headers.get('shard-epoch') ?? '';
  const role = headers.get('shard-role') ?? '';
  if (!/^\d{1,16}$/.test(epoch) || !Number.isSafeInteger(Number(epoch)) || !isRole(role))
    return undefined;
  return { epoch: Number(epoch), digest, role };
};

/** What the handler behind is told: by which table of this shard, and as what, it may execute. */
export const fenceFields = ({ epoch, digest, role }: Fence): Readonly<Record<string, string>> => ({
  'shard-epoch': `${epoch}`,
  'shard-digest': digest,
  'shard-role': role,
});
