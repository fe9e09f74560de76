/** What the served functions need of the environment, and whether the values in it can be used. Opens nothing. */
import type { Mistake } from '../config';
import type { Need } from '../define';
import { deriveKeys } from '../keys';
import { parseMailbox } from '../mail-address';
import { checkEngineUrl } from '../pipeline/open';
import { smtpSender } from '../senders/smtp';
import { checkStoreUrl } from '../store/open';
import { parseWebhookSecrets } from '../webhook/sign';
import { NEEDED_SETTINGS, SUITE_SETTINGS, type SuiteConfig } from './environment';

type Name = keyof SuiteConfig;

/** Settings of one account: with one of them, all are needed. */
const ACCOUNTS: readonly (readonly Name[])[] = [
  ['SMTP_URL', 'MAIL_FROM'],
  ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM'],
];

/** Production has no defaults: each part that a served function uses must be set. Development needs whole accounts. */
export const missingSettings = (
  needs: ReadonlySet<Need>,
  config: SuiteConfig,
  production: boolean,
): readonly Mistake[] => {
  const needed = production
    ? new Set([...needs].flatMap((need) => NEEDED_SETTINGS[need]))
    : ACCOUNTS.filter((names) => names.some((name) => config[name] !== undefined)).flat();
  return [...needed]
    .filter((name) => config[name] === undefined)
    .map((name) => ({
      name,
      message: `is required${production ? ' in production' : ' with the others of its account'}: ${SUITE_SETTINGS[name].description}`,
    }));
};

/** Gives the complaint about a value, or throws a TypeError that is one. */
type Check = (value: string) => string | undefined;

/** Each part is tried as it will be made. */
const CHECKS: Readonly<Partial<Record<Name, Check>>> = {
  STORE_URL: checkStoreUrl,
  ENGINE_URL: checkEngineUrl,
  SECRET_KEY: (value) => (deriveKeys(value) ? undefined : ''),
  WEBHOOK_SECRET: (value) => (parseWebhookSecrets(value) ? undefined : ''),
  SMTP_URL: (url) => (smtpSender({ url, from: 'a@example.com' }) ? undefined : ''),
  MAIL_FROM: (value) =>
    parseMailbox(value) ? undefined : 'must be one address, or Name <address>',
};

export const checkValues = (config: SuiteConfig): readonly Mistake[] =>
  Object.entries(CHECKS).flatMap(([name, check]) => {
    const value = config[name as Name];
    const message = typeof value === 'string' ? complaintOf(check, value) : undefined;
    return message ? [{ name, message }] : [];
  });

const complaintOf = (check: Check, value: string): string | undefined => {
  try {
    return check(value);
  } catch (thrown) {
    if (thrown instanceof TypeError) return thrown.message;
    throw thrown;
  }
};
