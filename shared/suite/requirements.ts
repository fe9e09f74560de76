/** What the served functions need of the environment, and whether the values in it can be used. Opens nothing. */
import type { Mistake } from '../config';
import type { Need } from '../define';
import { deriveKeys } from '../keys';
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

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Restate's calls begin runs: who makes them is known by a key, or is on this machine. */
export const restateMistakes = (config: SuiteConfig, production: boolean): readonly Mistake[] => {
  const { ENGINE_URL, RESTATE_IDENTITY_KEYS, RESTATE_PORT, RESTATE_SERVICE_URL: url } = config;
  if (!ENGINE_URL?.startsWith('restate+') || RESTATE_IDENTITY_KEYS !== undefined) return [];
  const isLocal = url === undefined || (URL.canParse(url) && LOOPBACK.test(new URL(url).hostname));
  const why = isLocal
    ? production && RESTATE_PORT === undefined && 'in production, unless RESTATE_PORT is set'
    : 'with a RESTATE_SERVICE_URL that is not on this machine';
  return why ? [{ name: 'RESTATE_IDENTITY_KEYS', message: `is required ${why}` }] : [];
};

/** Gives the complaint about a value, or throws a TypeError that is one. */
type Check = (value: string) => Promise<string | undefined> | string | undefined;

/** Each part is tried as it will be made, and loaded only when there is a value for it. */
const CHECKS: Readonly<Partial<Record<Name, Check>>> = {
  STORE_URL: async (url) => (await import('../store/open')).checkStoreUrl(url),
  ENGINE_URL: async (url) => (await import('../pipeline/open')).checkEngineUrl(url),
  SECRET_KEY: (value) => {
    deriveKeys(value);
    return undefined;
  },
  WEBHOOK_SECRET: async (value) => {
    (await import('../webhook/sign')).parseWebhookSecrets(value);
    return undefined;
  },
  WEBHOOK_ALLOW: async (value) => {
    (await import('../webhook/allow')).parseAllow(value);
    return undefined;
  },
  SMTP_URL: async (url) => {
    (await import('../senders/smtp')).smtpSender({ url, from: 'a@example.com' });
    return undefined;
  },
  MAIL_FROM: async (value) =>
    (await import('../mail-address')).parseMailbox(value)
      ? undefined
      : 'must be one address, or Name <address>',
};

export const checkValues = async (config: SuiteConfig): Promise<readonly Mistake[]> => {
  const mistakes: Mistake[] = [];
  for (const [name, check] of Object.entries(CHECKS)) {
    const value = config[name as Name];
    const message = typeof value === 'string' ? await complaintOf(check, value) : undefined;
    if (message) mistakes.push({ name, message });
  }
  return mistakes;
};

const complaintOf = async (check: Check, value: string): Promise<string | undefined> => {
  try {
    return await check(value);
  } catch (thrown) {
    if (thrown instanceof TypeError) return thrown.message;
    throw thrown;
  }
};
