/**
 * The way out, from the list and from a request that nobody has confirmed yet. GET only shows a button; POST acts,
 * be it the button or a mail program's own (RFC 8058).
 *
 * Fails closed: only a link of ours unsubscribes, and nobody is told that they are off the list before it is written.
 */
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { empty } from '../../shared/http/response';
import type { Platform } from '../../shared/platform';
import { changeSubscription } from './change';
import { readForm, tokenOfQuery } from './form';
import { readLink } from './links';
import { askPage, badLinkPage, donePage } from './pages';
import { decideUnsubscription, subscriptionKey } from './subscription';

/** `GET /unsubscribe` */
export const showUnsubscribe =
  (platform: Platform): Handler =>
  (request) => {
    const link = readLink(platform, 'unsubscribe', tokenOfQuery(request));
    return link ? askPage('unsubscribe', link) : badLinkPage('unsubscribe', request);
  };

/** `POST /unsubscribe`, the token in the query or in a form. Repeats, and addresses that are gone, change nothing and look the same. */
export const unsubscribe =
  (platform: Platform): Handler =>
  async (request) => {
    const form = await readForm(request);
    const link = readLink(
      platform,
      'unsubscribe',
      tokenOfQuery(request) ?? form.get('token') ?? null,
    );
    // RFC 8058 section 3.2: sent by a mail program, for nobody to see.
    const oneClick = form.get('List-Unsubscribe') === 'One-Click';
    if (!link) {
      if (oneClick) throw new Failure('invalid_request', { detail: 'This link does not work.' });
      return badLinkPage('unsubscribe', request);
    }
    await changeSubscription(
      platform.store,
      subscriptionKey(link.list, link.addressHash),
      (known) => decideUnsubscription(known, platform.clock.now()),
    );
    return oneClick ? empty({ status: 200 }) : donePage('unsubscribe', link);
  };
