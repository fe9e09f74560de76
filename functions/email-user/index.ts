/**
 * Greets a new user by mail, on an event or a plain POST. Fails closed: what is not exactly one plain address gets
 * no mail at all.
 *
 * At least once: a repeat of what was sent is answered and not sent again; after a crash in between it is sent once
 * more, with the same Message-ID, so that receivers can drop it.
 */
import { defineFunction } from '../../shared/define';
import { onEvent } from '../../shared/event';
import { idempotentFunction } from '../../shared/idempotency/of-function';
import { requireAddress } from '../../shared/mail-address';
import type { Platform } from '../../shared/platform';
import { compile } from '../../shared/schema';
import { renderLetter } from '../../shared/templates/letter';
import { chooseLocale } from '../../shared/templates/locale';
import { LOCALES, welcome } from './letters';
import { greetableName } from './name';

/** The rest of a sign-up may come along; nothing of it is read. */
interface NewUser {
  readonly email: string;
  readonly username?: string;
  readonly locale?: string;
}

const check = compile({
  type: 'object',
  required: ['email'],
  properties: {
    email: { type: 'string', format: 'email' },
    username: { type: 'string' },
    locale: { type: 'string' },
  },
});

const greet = (platform: Platform) =>
  onEvent<NewUser>({ name: 'email-user', check }, async ({ data, key }, context) => {
    const to = requireAddress(data.email);
    const locale = chooseLocale(data.locale, LOCALES);
    const letter = welcome(locale, {
      name: greetableName(data.username),
      url: platform.publicUrl(),
    });
    await platform.mail(
      { to, ...renderLetter(letter) },
      { idempotencyKey: `email-user ${key ?? context.id}`, signal: context.signal },
    );
    context.log.info('mail_sent', { locale });
  });

export default defineFunction({
  name: 'email-user',
  kind: 'event',
  summary: 'Greets a new user by mail, in their language.',
  runsAt: ['node'],
  callers: 'backend',
  body: { mode: 'json' },
  needs: ['store', 'secret', 'mail'],
  config: {},
  routes: {
    'POST /': {
      summary: 'Sends the welcome to `email`; 204 once the mail server has taken it.',
      example: { body: { username: 'first-user', email: 'user@example.com', locale: 'en' } },
    },
  },
  create: (_, platform) => ({
    'POST /': idempotentFunction(platform, 'email-user', { lockFor: LOCK })(greet(platform)),
  }),
});

/** ms; longer than a mail may take. */
const LOCK = 30_000;
