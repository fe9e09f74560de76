/** What a router says itself: who owns a key, and where to go for it. */
import { empty, text } from '../../shared/http/response';
import type { KeySource, KeyValue } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';
import type { Shard } from '../../shared/shard/topology';
import { urlsOf } from './urls';

export interface Answers {
  /**
   * 200 with `{ key, shard, address, urls, epoch, digest, ttl }`: `shard` and `address` are null and `urls` empty where the
   * key decides nothing; `key` is null where it is no text; `ttl` is in seconds, and how long the answer may be kept.
   */
  owner(key: KeyValue | undefined, owner: Shard | undefined, table: ShardTable): Response;
  /**
   * 307 (RFC 9110 section 15.4.8): the same method and body, at the same path and query, which are as they came. Kept by
   * nobody unless a ttl was set.
   */
  redirect(url: string, path: string): Response;
}

export interface AnswersOptions {
  /** ms; `undefined`: nobody has said, then an owner holds for 5 s, and a redirect is not kept. */
  readonly ttl: number | undefined;
  readonly key: KeySource;
}

/** As long as routers themselves may be behind their members. */
const LOOKUP_TTL = 5_000;

export const createAnswers = ({ ttl, key: source }: AnswersOptions): Answers => {
  const seconds = Math.floor((ttl ?? LOOKUP_TTL) / 1000);
  const owned = { headers: { 'content-type': 'application/json', ...kept(seconds, source) } };
  const sentOn = kept(Math.floor((ttl ?? 0) / 1000), source);
  /** The same for all keys of a shard, so that it is written once. */
  const tails = new WeakMap<ShardTable, Map<Shard | undefined, string>>();
  const tailOf = (owner: Shard | undefined, table: ShardTable): string => {
    let known = tails.get(table);
    if (!known) {
      known = new Map();
      tails.set(table, known);
    }
    let tail = known.get(owner);
    if (tail === undefined) {
      tail = writeTail(owner, table, seconds);
      known.set(owner, tail);
    }
    return tail;
  };
  return {
    owner: (key, owner, table) =>
      text(
        `{"key":${typeof key === 'string' ? JSON.stringify(key) : 'null'}${tailOf(owner, table)}`,
        owned,
      ),
    redirect: (url, path) =>
      empty({
        status: 307,
        headers: { location: url + path, ...sentOn },
      }),
  };
};

const writeTail = (owner: Shard | undefined, table: ShardTable, ttl: number): string => {
  const told = {
    shard: owner?.name ?? null,
    address: owner?.address ?? null,
    urls: owner ? urlsOf(owner) : [],
    epoch: table.epoch,
    digest: table.digest,
    ttl,
  };
  return `,${JSON.stringify(told).slice(1)}`;
};

/** For whoever asks alone, since what is told may need a token; and only for requests with the same key. */
const kept = (seconds: number, source: KeySource): Readonly<Record<string, string>> => {
  if (seconds === 0) return { 'cache-control': 'no-store' };
  const fields = [...new Set(fieldsOf(source))];
  return {
    'cache-control': `private, max-age=${seconds}`,
    ...(fields.length > 0 && { vary: fields.join(', ') }),
  };
};

const fieldsOf = (source: KeySource): readonly string[] => {
  if ('header' in source) return [source.header.toLowerCase()];
  if ('cookie' in source) return ['cookie'];
  if ('all' in source) return source.all.flatMap(fieldsOf);
  return 'first' in source ? source.first.flatMap(fieldsOf) : [];
};
