/**
 * Two-factor authentication: one-time codes by SMS or mail, TOTP and recovery codes, with budgets that no resend, new
 * challenge, channel or address gets around. Fails closed: without the store nothing is sent and nothing is verified.
 * No log line, error, answer or stored record holds a code, a number or an address in the clear.
 */
import { defineFunction } from '../../shared/define';
import { isPhoneCountry } from '../../shared/phone';
import { AUDIT_SETTINGS, createAudit } from './audit';
import { createBudgets } from './budget/budgets';
import { BUDGET_SETTINGS, readLimits } from './budget/settings';
import { createDelivery } from './drain';
import { createFactors, FACTOR_SETTINGS } from './factors/factors';
import { createLoginService, LOGIN_SETTINGS } from './login-service';
import { checkMessages } from './message';
import type { Parts } from './parts';
import { createRecords } from './records';
import { challengeRoutes } from './routes';
import { takeStatus } from './status';

export default defineFunction({
  name: 'two-factor',
  kind: 'event',
  summary: 'Sends one-time codes by SMS or mail and verifies them, also TOTP and recovery codes.',
  runsAt: ['node'],
  callers: 'backend',
  body: { mode: 'json' },
  needs: ['store', 'secret', 'sms', 'mail'],
  config: {
    TWO_FACTOR_COUNTRIES: {
      type: 'string',
      format: 'list',
      description:
        'Countries whose phone numbers get codes, as ISO 3166-1 alpha-2 codes in upper case; unset: all.',
      example: 'US,CA,DE',
    },
    ...BUDGET_SETTINGS,
    ...FACTOR_SETTINGS,
    ...AUDIT_SETTINGS,
    ...LOGIN_SETTINGS,
  },
  routes: {
    'POST /': {
      summary: 'Issues a challenge: 202 with its id, once it is sure that the code goes out.',
      example: { body: { user: 'first-user', phoneNumber: '+12025550123' } },
    },
    'POST /verify': {
      summary: 'Verifies a code: 200 with a token, or 401 verification_failed whatever the reason.',
    },
    'POST /token': { summary: 'Redeems the token of a verification, once: who has verified what.' },
    'POST /resend': { summary: 'Sends a fresh code for a challenge, which voids the one before.' },
    'POST /totp': { summary: 'Makes the secret for an authenticator app, to be confirmed.' },
    'POST /totp/confirm': { summary: 'Confirms it with its first code.' },
    'POST /recovery-codes': { summary: 'Makes ten codes for the day when the phone is lost.' },
    'POST /status': {
      summary: 'Takes the reports of Twilio on its messages, signed by it.',
      callers: 'public',
    },
  },
  calls: ({ LOGIN_SERVICE_URL, TWO_FACTOR_AUDIT_SINK }) =>
    [LOGIN_SERVICE_URL, TWO_FACTOR_AUDIT_SINK].filter((url) => url !== undefined),
  create: (config, platform) => {
    const countries = config.TWO_FACTOR_COUNTRIES;
    const unknown = countries?.filter((code) => !isPhoneCountry(code)) ?? [];
    if (unknown.length > 0)
      throw new TypeError(`TWO_FACTOR_COUNTRIES: not a country: ${unknown.join(', ')}`);
    if (platform.production) checkMessages(platform.publicUrl());
    const { store, clock, log } = platform;
    const records = createRecords(platform);
    const audit = createAudit(platform, config);
    const parts: Parts = {
      platform,
      records,
      budgets: createBudgets({ store, clock, log, ...readLimits(config), settle: records.settle }),
      factors: createFactors(platform, { issuer: config.TWO_FACTOR_ISSUER, audit }),
      audit,
      loginService: createLoginService(platform, config),
      countries,
    };
    const { routes } = parts.factors;
    return {
      ...challengeRoutes({ ...parts, delivery: createDelivery(parts) }),
      ...routes,
      'POST /status': takeStatus(parts),
    };
  },
});
