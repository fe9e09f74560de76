/** The packages that the settings ask for: one that is not installed is told before anything listens, not at its first use. */
import type { Mistake } from '../config';
import type { Need } from '../define';
import type { SuiteConfig } from './environment';
import { missingPackage } from './installed';

export interface MissingPackagesOptions {
  readonly production: boolean;
  /** @default what this build knows */
  readonly missing?: typeof missingPackage;
}

export const missingPackages = (
  needs: ReadonlySet<Need>,
  config: SuiteConfig,
  { production, missing = missingPackage }: MissingPackagesOptions,
): readonly Mistake[] =>
  wanted(needs, config, production).flatMap(([name, wish]) => {
    const message = wish && missing(wish);
    return message ? [{ name, message }] : [];
  });

type Wish = readonly [setting: keyof SuiteConfig, name: string | undefined];

const wanted = (
  needs: ReadonlySet<Need>,
  { STORE_URL, ENGINE_URL, SMTP_URL, TWILIO_ACCOUNT_SID }: SuiteConfig,
  production: boolean,
): readonly Wish[] => {
  // Production has no defaults, and says so.
  const byDefault = (url: string) => (production ? undefined : url);
  // Without an account messages go to the outbox, which is in the store.
  const keeps =
    needs.has('store') ||
    (needs.has('mail') && SMTP_URL === undefined) ||
    (needs.has('sms') && TWILIO_ACCOUNT_SID === undefined);
  return [
    ...(keeps ? [['STORE_URL', ofStore(STORE_URL ?? byDefault('sqlite:'))] as const] : []),
    ...(needs.has('engine')
      ? ([
          ['ENGINE_URL', ofEngine(ENGINE_URL ?? byDefault('local:'))],
          ['ENGINE_URL', 'axios'],
        ] as const)
      : []),
    ...(needs.has('mail') && SMTP_URL !== undefined ? [['SMTP_URL', 'nodemailer'] as const] : []),
    ...(needs.has('sms') && TWILIO_ACCOUNT_SID !== undefined
      ? [['TWILIO_ACCOUNT_SID', 'twilio'] as const]
      : []),
  ];
};

const ofStore = (url = ''): string | undefined =>
  url.startsWith('sqlite:') ? 'libsql' : /^rediss?:/i.test(url) ? '@redis/client' : undefined;

const ofEngine = (url = ''): string | undefined =>
  url.startsWith('local:') ? 'libsql' : undefined;
