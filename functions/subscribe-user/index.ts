/**
 * Puts an address on a mailing list once its owner says so (double opt-in). Fails closed: nobody is on a list
 * without having followed the link in the mail, nobody stays on it who has left, and without the store nothing is sent.
 *
 * The answer is the same whether the address is new, waiting or confirmed, so it tells nobody who subscribes.
 * Its time may differ, which only matters to callers that we trust: they wait until the mail server has the mail.
 */
import { defineFunction } from '../../shared/define';
import { readEvent } from '../../shared/event';
import type { Handler } from '../../shared/handler';
import { json } from '../../shared/http/response';
import { idempotentFunction } from '../../shared/idempotency/of-function';
import { addressKey, requireAddress } from '../../shared/mail-address';
import type { Platform } from '../../shared/platform';
import { compile } from '../../shared/schema';
import { chooseLocale } from '../../shared/templates/locale';
import { confirm, showConfirm } from './confirm';
import { LOCALES } from './letters';
import { subscribe } from './subscribe';
import { showUnsubscribe, unsubscribe } from './unsubscribe';

/** The rest of a sign-up may come along; nothing of it is read. */
interface Wish {
  readonly email: string;
  readonly list?: string;
  readonly locale?: string;
}

const check = compile({
  type: 'object',
  required: ['email'],
  properties: {
    email: { type: 'string', format: 'email' },
    list: { type: 'string', pattern: '^[a-z0-9-]{1,40}$' },
    locale: { type: 'string' },
  },
});

export default defineFunction({
  name: 'subscribe-user',
  kind: 'event',
  summary: 'Puts an address on a mailing list, once its owner has confirmed by mail.',
  runsAt: ['node'],
  callers: 'backend',
  body: { mode: 'json' },
  needs: ['store', 'secret', 'mail'],
  config: {
    SUBSCRIBE_USER_CONFIRM_TTL: {
      type: 'string',
      format: 'duration',
      default: '2d',
      description: 'How long the link in the mail is good, and an unconfirmed address is kept.',
    },
    SUBSCRIBE_USER_UNSUBSCRIBE_TTL: {
      type: 'string',
      format: 'duration',
      default: '365d',
      description: 'How long the link by which one leaves the list is good.',
    },
  },
  routes: {
    'POST /': {
      summary: 'Mails a confirmation link to `email` for `list` (newsletter); 202 in any case.',
      example: { body: { email: 'user@example.com', list: 'newsletter' } },
    },
    'GET /confirm': { summary: 'Shows the button behind the link.', callers: 'public' },
    'POST /confirm': { summary: 'Confirms the subscription.', callers: 'public' },
    'GET /unsubscribe': { summary: 'Shows the button to leave the list.', callers: 'public' },
    'POST /unsubscribe': {
      summary: 'Leaves the list, by the button or by a mail program (one-click, RFC 8058).',
      callers: 'public',
    },
  },
  create: (config, platform) => {
    const {
      SUBSCRIBE_USER_CONFIRM_TTL: confirmTtl,
      SUBSCRIBE_USER_UNSUBSCRIBE_TTL: unsubscribeTtl,
    } = config;
    if (confirmTtl < MIN_TTL) throw new TypeError('SUBSCRIBE_USER_CONFIRM_TTL must be at least 5m');
    if (unsubscribeTtl < confirmTtl)
      throw new TypeError(
        'SUBSCRIBE_USER_UNSUBSCRIBE_TTL must not be below SUBSCRIBE_USER_CONFIRM_TTL',
      );
    return {
      'POST /': idempotentFunction(platform, 'subscribe-user', { lockFor: LOCK })(
        takeWish(platform, { confirmTtl, unsubscribeTtl }),
      ),
      'GET /confirm': showConfirm(platform),
      'POST /confirm': confirm(platform),
      'GET /unsubscribe': showUnsubscribe(platform),
      'POST /unsubscribe': unsubscribe(platform),
    };
  },
});

/** ms. Mail is slow, and the link must outlive the attempts to send it. */
const MIN_TTL = 300_000;

/** ms; longer than a mail may take. */
const LOCK = 60_000;

const takeWish =
  (
    platform: Platform,
    ttls: { readonly confirmTtl: number; readonly unsubscribeTtl: number },
  ): Handler =>
  async (request, context) => {
    const { data, key } = await readEvent<Wish>(request, context, {
      name: 'subscribe-user',
      check,
    });
    const address = requireAddress(data.email);
    await subscribe(platform, context, {
      address,
      addressKey: addressKey(address) as string,
      list: data.list ?? 'newsletter',
      locale: chooseLocale(data.locale, LOCALES),
      key,
      ...ttls,
    });
    return json({ status: 'pending' }, { status: 202 });
  };
