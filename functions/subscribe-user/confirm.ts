/**
 * The link in the mail. GET only shows a button, since mail scanners follow every link; POST acts.
 * Fails closed, and all bad links look the same.
 */
import type { Handler } from '../../shared/handler';
import type { Platform } from '../../shared/platform';
import { changeSubscription } from './change';
import { readForm, tokenOfQuery } from './form';
import { readLink } from './links';
import { askPage, badLinkPage, donePage } from './pages';
import { decideConfirmation, subscriptionKey } from './subscription';

/** `GET /confirm` */
export const showConfirm =
  (platform: Platform): Handler =>
  (request) => {
    const link = readLink(platform, 'confirm', tokenOfQuery(request));
    return link ? askPage('confirm', link) : badLinkPage('confirm', request);
  };

/** `POST /confirm`, the token in the query or in a form. As often as one likes: confirmed stays confirmed. */
export const confirm =
  (platform: Platform): Handler =>
  async (request) => {
    const token = tokenOfQuery(request) ?? (await readForm(request)).get('token') ?? null;
    const link = readLink(platform, 'confirm', token);
    if (!link) return badLinkPage('confirm', request);
    const { list, addressHash, generation } = link;
    const confirmed = await changeSubscription(
      platform.store,
      subscriptionKey(list, addressHash),
      (known) => decideConfirmation(known, { generation, now: platform.clock.now() }),
    );
    return confirmed ? donePage('confirm', link) : badLinkPage('confirm', request);
  };
