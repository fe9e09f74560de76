/**
 * The router: finds out whose a request is, and has it answered as the settings say. Where nothing has to be waited for,
 * nothing is: a key in a header whose owner is well costs no promise before the forward.
 *
 * Fails closed: without a table nobody is asked, and without a key only whom the settings name.
 */
import type { Context, Handler } from '../../shared/handler';
import { rawQuery } from '../../shared/http/raw-query';
import { withBody } from '../../shared/http/with-body';
import type { Key, NoKey } from '../../shared/shard/key/key';
import type { ShardTable } from '../../shared/shard/table';
import { outgoingOf } from './body';
import { withCookie } from './cookie';
import { candidatesOf, type Placement, placeRequest } from './missing';
import type { Parts } from './parts';
import { Passage } from './passage';
import { refusal } from './refusal';

/** What is known of a request so far. */
interface Call {
  readonly request: Request;
  readonly context: Context;
  readonly found: Key | NoKey;
}

const NONE: ReadonlySet<string> = new Set();

/** `here` answers what belongs to the shard that this process is. @default it is none */
export const createRouter = (
  parts: Parts,
  here?: { readonly shard: string; readonly handler: Handler },
): Handler => {
  const { config, reader, live, servers, clock, answers } = parts;

  const route = (call: Call, table: ShardTable): Response | Promise<Response> => {
    const { request, context, found } = call;
    const placement = placeRequest(found, config.missing, table);
    if (here && (placement.owner ? placement.owner.name === here.shard : true))
      return here.handler(asItCame(call), context);
    if (config.answer === 'proxy') return pass(call, placement, table);
    const { owner, key } = placement;
    const response =
      config.answer === 'lookup'
        ? answers.owner(key?.value, owner, table)
        : answers.redirect(urlFor(placement, table), context.path + rawQuery(request.url));
    return withCookie(response, key);
  };

  const pass = (
    { request, context, found }: Call,
    placement: Placement,
    table: ShardTable,
  ): Response | Promise<Response> => {
    const outgoing = outgoingOf(request, found.body);
    return 'then' in outgoing
      ? outgoing.then((kept) =>
          new Passage(parts, request, context, found, table, placement, kept).go(),
        )
      : new Passage(parts, request, context, found, table, placement, outgoing).go();
  };

  /** Nothing is sent, so there is nothing to wait for and nothing to learn. */
  const urlFor = (placement: Placement, table: ShardTable): string => {
    const now = clock.now();
    const choice = servers.choose(
      {
        owner: placement.owner,
        candidates: () => candidatesOf(placement, table),
        tried: NONE,
        since: Number.NEGATIVE_INFINITY,
      },
      now,
    );
    if (choice.kind === 'go') return choice.url;
    throw refusal(choice.kind === 'refused' ? choice.retryAfter : choice.ms);
  };

  const found = (request: Request, context: Context, key: Key | NoKey) => {
    const call = { request, context, found: key };
    const table = live.current();
    return table ? route(call, table) : live.ready(context.signal).then((now) => route(call, now));
  };

  return (request, context) => {
    const key = reader.read(request, context);
    return 'then' in key
      ? key.then((read) => found(request, context, read))
      : found(request, context, key);
  };
};

const asItCame = ({ request, found: { body } }: Call): Request =>
  body ? withBody(request, body, { verbatim: true }) : request;
