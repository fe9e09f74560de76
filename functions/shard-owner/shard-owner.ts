/**
 * Stands in front of one shard and lets through only what this shard owns by its own table, so that a router that is
 * behind, or somebody who comes past the routers, cannot make two shards execute for one key.
 *
 * Fails closed: what another owns is answered 421 (RFC 9110 section 15.5.20) with the table's epoch and digest; without
 * a table, or with one that its source has not confirmed for `staleAfter`, nothing is executed and the answer is 503.
 *
 * What remains open. A table that moves a key is known to its new owner and to its old one at different moments. Until
 * the old one has heard of it, it still takes what routers that have not heard either send it, while the new one may
 * have begun: under a second with a store that is watched, the interval of a source that is polled, and `staleAfter` for
 * a shard that is cut off; beside that, whatever was let through before still runs to its end. What the source itself
 * has not heard nobody here can know: a file that nobody writes any more, a resolver that answers from its cache. Whoever
 * can not live with that fences what the shards write to: each request says in `shard-epoch` by which table it was let
 * through, a number that only grows where members come from the store, so that the lower one can be refused there.
 */

import type { Clock } from '../../shared/clock';
import { Failure } from '../../shared/failure';
import type { Context, Decorator } from '../../shared/handler';
import { withBody } from '../../shared/http/with-body';
import { withFields } from '../../shared/http/with-fields';
import type { MissingPolicy } from '../../shared/shard/config/missing';
import type { Key, KeyReader, NoKey } from '../../shared/shard/key/key';
import type { LiveTable } from '../../shared/shard/members/source';
import type { ShardTable } from '../../shared/shard/table';
import { unsure } from '../../shared/shard/unsure';
import { fenceFields, readFence } from './fence';
import { createLookout } from './lookout';
import { ownerOf } from './owner-of';
import { type Fence, type Ownership, ownershipOf, type StandIn } from './ownership';

export interface ShardOwnerOptions {
  /** This shard's, as the table has it. */
  readonly name: string;
  /** As the routers read it, but never one that mints: a key that is not there is not this shard's to make. */
  readonly key: KeyReader;
  readonly table: LiveTable;
  readonly clock: Clock;
  /** As the routers have it. @default 'reject' */
  readonly missing?: MissingPolicy;
  /** In which roles this shard takes what it does not own, on a router's word: all have to share their data then. @default none */
  readonly roles?: readonly StandIn[];
  /** How long the source of the table may be silent, ms. @default 30000 */
  readonly staleAfter?: number;
  /** How long a request waits for the source, ms. @default 2000 */
  readonly patience?: number;
}

/** The handler behind sees `shard-epoch`, `shard-digest` and `shard-role` as this shard has found them. */
export const shardOwner = (options: ShardOwnerOptions): Decorator => {
  const { name, key, table, clock, missing = 'reject', roles = [] } = options;
  const { staleAfter = 30_000, patience = 2_000 } = options;
  if (!(staleAfter > 0)) throw new TypeError('staleAfter must be above 0');
  const standsIn: ReadonlySet<StandIn> = new Set(roles);
  const lookout = createLookout({ table, clock, staleAfter, patience });

  const judge = (
    found: Key | NoKey,
    fence: Fence | undefined,
    by: ShardTable,
    isRefreshed: boolean,
  ): Ownership =>
    ownershipOf({
      name,
      owner: ownerOf(found, missing, by),
      isMember: isMember(by, name),
      epoch: by.epoch,
      digest: by.digest,
      isFresh: lookout.isFresh(),
      isRefreshed,
      fence,
      standsIn,
    });

  return (next) => {
    const settle = (
      ownership: Ownership,
      { epoch, digest }: ShardTable,
      { request, context, found }: Call,
    ): Response | Promise<Response> => {
      if (ownership.kind === 'foreign') throw misdirected(ownership);
      if (ownership.kind !== 'owned') throw unsure();
      const whole = found.body ? withBody(request, found.body, { verbatim: true }) : request;
      return next(withFields(whole, fenceFields({ epoch, digest, role: ownership.role })), context);
    };
    const look = async (fence: Fence | undefined, call: Call): Promise<Response> => {
      const now = await lookout.look(fence);
      if (!now) throw unsure();
      return settle(judge(call.found, fence, now, true), now, call);
    };
    const decide = (call: Call): Response | Promise<Response> => {
      const fence = readFence(call.request);
      const isVain = lookout.isVain(fence);
      const now = table.current();
      if (!now) {
        if (isVain) throw unsure();
        return look(fence, call);
      }
      const ownership = judge(call.found, fence, now, isVain);
      return ownership.kind === 'refresh' ? look(fence, call) : settle(ownership, now, call);
    };
    return (request, context) => {
      const found = key.read(request, context);
      return 'then' in found
        ? found.then((read) => decide({ request, context, found: read }))
        : decide({ request, context, found });
    };
  };
};

interface Call {
  readonly request: Request;
  readonly context: Context;
  readonly found: Key | NoKey;
}

const isMember = ({ shards }: ShardTable, wanted: string): boolean =>
  shards.some(({ name, down, ejected }) => name === wanted && !down && !ejected);

const misdirected = ({ epoch, digest }: { readonly epoch: number; readonly digest: string }) =>
  new Failure('misdirected', {
    headers: { 'shard-epoch': `${epoch}`, 'shard-digest': digest },
  });
