/**
 * `PUT /owner/table`: puts other members in the place of those of now, for all routers that follow the same entry.
 *
 * By compare-and-swap: who writes says in If-Match (RFC 9110 section 13.1.1) which epoch it has seen. Fails closed: what
 * makes no table, and what would overwrite an epoch that its writer has not seen, is not written.
 */
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { readJson } from '../../shared/http/json';
import { json } from '../../shared/http/response';
import { publishMembers } from '../../shared/shard/members/publish';
import { DEFAULT_MEMBERS_KEY } from '../../shared/shard/members/stored';
import { ABSENT, type Store, type Version } from '../../shared/store/store';
import { unreachable } from './config';
import { describeTable } from './directory';
import type { Parts } from './parts';

/** `store`: `undefined` where members come from elsewhere; every request is refused with 405 then. */
export const publishTable = (parts: Parts, store: Store | undefined): Handler => {
  const { config, live } = parts;
  const { members, topology } = config;
  if (!store || members.from !== 'store')
    return () => {
      throw new Failure('method_not_allowed', {
        detail: 'The members of this router do not come from the store.',
        headers: { allow: 'GET, HEAD' },
      });
    };
  return async (request, context) => {
    const expected = expectedOf(request);
    const key = members.key ?? DEFAULT_MEMBERS_KEY;
    const published = await publishMembers(store, key, await readJson(request), {
      topology,
      expected,
      check: unreachable(config.answer),
    });
    if ('mistakes' in published) throw new Failure('invalid_input', { errors: published.mistakes });
    if ('lostTo' in published)
      throw new Failure('table_changed', {
        detail:
          published.lostTo === ABSENT
            ? 'There are no members yet: If-None-Match: * writes the first.'
            : `The table is of epoch ${published.lostTo} now.`,
        headers: { etag: etagOf(published.lostTo) },
      });
    context.log.info('shard_table_published', { epoch: published.epoch });
    const table = await live.refresh(context.signal);
    return json(describeTable(table, parts), {
      headers: { etag: etagOf(published.epoch), 'cache-control': 'no-store' },
    });
  };
};

const etagOf = (version: Version): string => `"${version}"`;

/** Throws `invalid_request`: nobody overwrites what was not looked at. */
const expectedOf = ({ headers }: Request): Version => {
  if (headers.get('if-none-match')?.trim() === '*') return ABSENT;
  const [, epoch] = /^\s*"(\d{1,16})"\s*$/.exec(headers.get('if-match') ?? '') ?? [];
  if (epoch !== undefined && Number.isSafeInteger(Number(epoch))) return Number(epoch);
  throw new Failure('invalid_request', {
    detail:
      'Say which epoch this replaces, as the ETag of GET /owner/table has it: If-Match: "7", or If-None-Match: * for the first.',
  });
};
