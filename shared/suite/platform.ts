/** The real parts behind `Platform`, each opened at first use. */
import path from 'node:path';
import type { Environment } from '../config';
import { deriveKeys, type Keyring, type Keys } from '../keys';
import type { Destination } from '../pipeline/attempt';
import type { Engine } from '../pipeline/engine';
import { openEngine } from '../pipeline/open';
import type { Platform } from '../platform';
import { outboxSenders } from '../senders/outbox';
import { smtpSender } from '../senders/smtp';
import { twilioSender } from '../senders/twilio';
import { openStore } from '../store/open';
import type { Store } from '../store/store';
import { parseWebhookSecrets } from '../webhook/sign';
import { developmentSecret } from './development-secret';
import type { SuiteConfig } from './environment';
import type { SuiteOptions } from './suite';

export interface OpenPlatform extends Platform {
  /** Begins nothing new and waits for the work under way, until the signal aborts it. */
  stop(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface PlatformOptions extends SuiteOptions {
  readonly config: SuiteConfig;
  readonly production: boolean;
}

export const createPlatform = (options: PlatformOptions): OpenPlatform => {
  const { config, production, folder, ownUrl, log, clock, random, environment } = options;
  const data = path.join(folder, '.data');
  const keys = once(() => deriveKeys(config.SECRET_KEY ?? developmentSecret(data, random)));
  const store = once(() =>
    openStore(inFolder(folder, config.STORE_URL ?? 'sqlite:./.data/faas.db'), { clock }),
  );
  const outbox = once(() => outboxSenders(store(), clock));
  const mail = once(() =>
    config.SMTP_URL
      ? smtpSender({ url: config.SMTP_URL, from: config.MAIL_FROM as string })
      : Object.assign(outbox().mail, { close: async () => {} }),
  );
  const sms = once(() =>
    config.TWILIO_ACCOUNT_SID ? twilioSender(twilioOptions(config)) : outbox().sms,
  );
  const engine = once(() =>
    openEngine(inFolder(folder, config.ENGINE_URL ?? 'local:./.data/runs.db'), {
      clock,
      random,
      log,
      destination: destinationOf({
        environment,
        keys: keys(),
        functionsUrl: () => config.FUNCTIONS_URL ?? ownUrl(),
      }),
    }),
  );
  return {
    production,
    clock,
    random,
    log,
    keys: (label) => keys()(label),
    get store(): Store {
      return store();
    },
    get engine(): Engine {
      return engine();
    },
    mail: (message, how) => mail()(message, how),
    sms: (message, how) => sms()(message, how),
    publicUrl: () => (config.PUBLIC_URL ?? ownUrl()).replace(/\/$/, ''),
    stop: async (signal) => {
      if (engine.used()) await engine().close(signal);
    },
    close: async () => {
      if (mail.used()) await mail().close();
      if (store.used()) await store().close();
    },
  };
};

const twilioOptions = (config: SuiteConfig): Parameters<typeof twilioSender>[0] => ({
  accountSid: config.TWILIO_ACCOUNT_SID as string,
  authToken: config.TWILIO_AUTH_TOKEN as string,
  from: config.TWILIO_FROM as string,
  ...(config.TWILIO_BASE_URL && { baseUrl: config.TWILIO_BASE_URL }),
});

interface DestinationOptions {
  readonly environment: Environment;
  readonly keys: Keys;
  readonly functionsUrl: () => string;
}

/** Our own functions are called with a key that never leaves the suite, so no receiver of webhooks can forge such a call. */
const destinationOf =
  ({ environment, keys, functionsUrl }: DestinationOptions): Destination =>
  ({ target }) => {
    if ('function' in target)
      return {
        url: `${functionsUrl().replace(/\/$/, '')}/${target.function}`,
        keys: [first(keys('step'))],
      };
    const url = environment[target.webhook]?.trim();
    return url ? { url, keys: parseWebhookSecrets(environment[target.secret] ?? '') } : undefined;
  };

const first = (ring: Keyring): Uint8Array => ring.current.bytes;

/** The same URL with the path of a file made absolute. */
const inFolder = (folder: string, url: string): string =>
  url.replace(
    /^(sqlite:|local:)(.+)$/,
    (_, scheme: string, file: string) => scheme + path.resolve(folder, file),
  );

/** Made at the first call, the same ever after; `used` tells whether there was one. */
const once = <T>(make: () => T): (() => T) & { used(): boolean } => {
  let made: { readonly value: T } | undefined;
  const get = () => {
    made ??= { value: make() };
    return made.value;
  };
  return Object.assign(get, { used: () => made !== undefined });
};
