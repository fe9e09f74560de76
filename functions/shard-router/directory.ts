/**
 * The directory service: who owns a key, why, and what table that is. Read only; who may ask is said by the declaration.
 *
 * Fails closed: without a table nobody is told an owner.
 */
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { json } from '../../shared/http/response';
import type { Key, KeyReader, NoKey } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';
import type { Answers } from './answers';
import { candidatesOf, placeRequest } from './missing';
import type { Parts } from './parts';
import { urlsOf } from './urls';

export interface Directory {
  /** `GET /owner?key=…`. */
  readonly owner: Handler;
  /** `GET /owner/explain?key=…`, or of the key that the request itself has. */
  readonly explain: Handler;
  /** `GET /owner/table`. */
  readonly table: Handler;
}

/** What a client asks for by its query, and how that is answered. */
export interface Asked {
  /** Reads the key at once. */
  readonly reader: KeyReader;
  readonly answers: Answers;
}

export const createDirectory = (parts: Parts, { reader: asked, answers }: Asked): Directory => {
  const { live, reader, config, servers, clock } = parts;

  const withTable = (
    signal: () => AbortSignal,
    answer: (table: ShardTable) => Response,
  ): Response | Promise<Response> => {
    const table = live.current();
    return table ? answer(table) : live.ready(signal()).then(answer);
  };

  const explain = (found: Key | NoKey, table: ShardTable): Response => {
    const placement = placeRequest(found, config.missing, table);
    const { owner, key } = placement;
    const candidates = candidatesOf(placement, table);
    const names = new Set(candidates.map(({ name }) => name));
    const { epoch, digest } = table;
    const explained = key
      ? table.explain(key)
      : { key: null, bytes: null, hash: null, point: null, pinned: false, epoch, digest };
    return json(
      {
        source: key?.source ?? null,
        ...explained,
        shard: owner?.name ?? null,
        address: owner?.address ?? null,
        urls: owner ? urlsOf(owner) : [],
        candidates: [...names],
        // Of a key that decides nothing, and of no key, any will do: `spread` is what becomes of both.
        decided: owner !== undefined,
        health: servers.states(clock.now()).filter(({ shard }) => names.has(shard)),
      },
      NOT_KEPT,
    );
  };

  return {
    owner: (request, context) => {
      const key = asked.read(request, context) as Key | NoKey;
      if ('missing' in key) throw noKey();
      return withTable(
        () => context.signal,
        (table) => answers.owner(key.value, table.place(key.value), table),
      );
    },
    explain: async (request, context) => {
      const given = asked.read(request, context) as Key | NoKey;
      const found = 'missing' in given ? await reader.read(request, context) : given;
      return withTable(
        () => context.signal,
        (table) => explain(found, table),
      );
    },
    table: (_, context) =>
      withTable(
        () => context.signal,
        (table) =>
          json(describeTable(table, parts), {
            headers: { ...NOT_KEPT.headers, etag: `"${table.epoch}"` },
          }),
      ),
  };
};

const NOT_KEPT = { headers: { 'cache-control': 'no-store' } };

const noKey = (): Failure =>
  new Failure('key_missing', { detail: 'Ask for a key: GET /owner?key=…' });

/** What a table is made of, what is odd about it, and how its servers are. */
export const describeTable = (
  table: ShardTable,
  { config, servers, streams, clock, reader }: Parts,
) => ({
  mode: table.mode,
  epoch: table.epoch,
  digest: table.digest,
  members: config.members.from,
  shards: table.shards.map((shard) => ({ ...shard, urls: urlsOf(shard) })),
  warnings: [...table.warnings, ...reader.warnings],
  health: servers.states(clock.now()),
  streams: streams.counts(),
});
