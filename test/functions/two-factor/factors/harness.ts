import { createAudit } from '../../../../functions/two-factor/audit';
import { decodeBase32 } from '../../../../functions/two-factor/factors/base32';
import {
  createFactors,
  type FactorsOptions,
} from '../../../../functions/two-factor/factors/factors';
import { STEP, totp } from '../../../../functions/two-factor/factors/totp';
import { problem } from '../../../../shared/http/response';
import { routeTo } from '../../../../shared/http/routes';
import { deriveKeys, mac } from '../../../../shared/keys';
import type { Platform } from '../../../../shared/platform';
import { invoke, testContext } from '../../../support/invoke';
import { testPlatform } from '../../../support/test-platform';

export const SECRET = 'a test secret of at least 32 characters';

/** The same platform with other parts. */
export const withParts = (platform: Platform, parts: Partial<Platform>): Platform =>
  Object.assign(Object.create(platform) as Platform, parts);

/** As challenges name a user, under the current key. */
export const digestOf = (user: string, secret = SECRET): string =>
  mac(deriveKeys(secret)('two-factor digest').current, 'user', user).toString('base64url');

/** The factors on a platform, with their failures as the host shows them, and all they ever said. */
export const startFactors = (overrides: Partial<Platform> = {}, options?: FactorsOptions) => {
  const logged = testContext();
  const platform = testPlatform({ log: logged.log, ...overrides });
  return { platform, ...serveFactors(platform, options), logged: logged.lines };
};

export const serveFactors = (platform: Platform, options?: FactorsOptions) => {
  const audit = createAudit(platform, {
    TWO_FACTOR_AUDIT_SINK: undefined,
    WEBHOOK_SECRET: undefined,
  });
  const factors = createFactors(platform, { audit, ...options });
  const handler = routeTo(factors.routes);
  const context = testContext();
  const call = async (path: string, body: unknown) => {
    const response = await invoke(handler, path, { method: 'POST', body }, context).catch(
      (thrown: unknown) => problem(thrown, context.id),
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  return {
    factors,
    call,
    lines: context.lines,
    enrol: async (user = 'user-1', more: object = {}) =>
      (await call('/totp', { user, ...more })).body as { secret: string; url: string; qr: string },
    confirm: async (code: string, user = 'user-1') =>
      (await call('/totp/confirm', { user, code })).status,
    recoveryCodes: async (user = 'user-1') =>
      (await call('/recovery-codes', { user })).body.codes as string[],
  };
};

/** All that a store holds, as one text. */
export const dump = async ({ store }: Pick<Platform, 'store'>): Promise<string> =>
  JSON.stringify((await store.list('', { limit: 1000 })).entries);

export const PHONE = '+12025550123';
export const MAIL = 'user@example.com';

/** With an authenticator that is confirmed, in the step behind that of its confirmation. */
export const enrolled = async (started = startFactors(), user = 'user-1') => {
  const secret = decodeBase32((await started.enrol(user)).secret) as Uint8Array;
  const { clock } = started.platform;
  await started.confirm(totp(secret, clock.now()), user);
  await clock.advance(STEP);
  return { ...started, clock, secret, code: () => totp(secret, clock.now()) };
};
