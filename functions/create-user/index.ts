/**
 * Keeps a user record, one for each mail address. Fails closed: without the store nobody is created.
 *
 * Of the input only username and email are taken; whatever else comes along, a password too, is not kept anywhere.
 */
import { defineFunction } from '../../shared/define';
import { readEvent } from '../../shared/event';
import { Failure } from '../../shared/failure';
import type { Handler } from '../../shared/handler';
import { json } from '../../shared/http/response';
import { sha256 } from '../../shared/idempotency/fingerprint';
import { idempotentFunction } from '../../shared/idempotency/of-function';
import { addressKey, canonicalAddress } from '../../shared/mail-address';
import type { Platform } from '../../shared/platform';
import { type Check, compile } from '../../shared/schema';
import { ABSENT } from '../../shared/store/store';
import { answerOf, isRepeat, type User } from './user';

interface Input {
  readonly username: string;
  readonly email: string;
}

const checkFields = compile({
  type: 'object',
  required: ['username', 'email'],
  properties: {
    // Not only spaces; no controls, no line separators, and none of the marks that turn the writing direction around.
    username: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      pattern: '^(?=.*\\S)[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u202A-\\u202E\\u2066-\\u2069]+$',
    },
    email: { type: 'string', maxLength: 254 },
  },
});

const check: Check = (value) => {
  const errors = checkFields(value);
  return errors.length > 0 || canonicalAddress((value as Input).email) !== undefined
    ? errors
    : [{ pointer: '/email', message: 'must be one mail address' }];
};

const createUser =
  ({ store, clock, random }: Platform): Handler =>
  async (request, context) => {
    const { data, key } = await readEvent<Input>(request, context, { name: 'create-user', check });
    const email = canonicalAddress(data.email) as string;
    const user: User = {
      id: random.uuid(),
      username: data.username,
      email,
      createdAt: new Date(clock.now()).toISOString(),
      ...(key !== undefined && { key: sha256(key) }),
    };
    const place = `create-user/email/${sha256(addressKey(email) as string)}`;
    const created = await store.compareAndSwap(place, ABSENT, user);
    if (created) return json(answerOf(user), { status: 201 });
    const existing = await store.get<User>(place);
    if (existing && isRepeat(existing.value, user.key))
      return json(answerOf(existing.value), { status: 201 });
    throw new Failure('user_exists');
  };

export default defineFunction({
  name: 'create-user',
  kind: 'event',
  summary: 'Keeps a user record, unique by mail address.',
  runsAt: ['node'],
  callers: 'backend',
  body: { mode: 'json' },
  needs: ['store', 'secret'],
  config: {},
  routes: {
    'POST /': {
      summary: 'Creates a user; 422 user_exists when the address is taken.',
      example: { body: { username: 'first-user', email: 'user@example.com' } },
    },
  },
  create: (_config, platform) => ({
    'POST /': idempotentFunction(platform, 'create-user')(createUser(platform)),
  }),
});
