/**
 * The real parts behind `Platform`: the code of each is loaded only where a served function declares the need of it,
 * and opened at first use. A start costs what it serves.
 */
import path from 'node:path';
import type { Need } from '../define';
import { nodeFiles } from '../hosts/node-files';
import { nodeNames } from '../hosts/node-names';
import { deriveKeys } from '../keys';
import type { HostedEngine } from '../pipeline/open';
import type { Platform } from '../platform';
import type { Mail, Sender, Sms, SmsReports } from '../senders/sender';
import type { Store } from '../store/store';
import { createBackground } from './background';
import { developmentSecret } from './development-secret';
import type { SuiteConfig } from './environment';
import type { SuiteOptions } from './suite';

export interface OpenPlatform extends Platform {
  /** With what only a host needs of it. */
  readonly engine: HostedEngine;
  /** The store, also where no function needs one: for the pages of the suite itself. */
  openStore(): Promise<Store>;
  /** Begins the background works; called once the host can be reached. */
  resume(): void;
  /** Begins nothing new and waits for the work under way, until the signal aborts it. */
  stop(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface PlatformOptions extends SuiteOptions {
  readonly config: SuiteConfig;
  readonly production: boolean;
  /** What the served functions declare; using any other part throws. */
  readonly needs: ReadonlySet<Need>;
  /** Names of the functions that an event of this type starts. */
  readonly subscribers: (type: string) => readonly string[];
}

export const createPlatform = async (options: PlatformOptions): Promise<OpenPlatform> => {
  const { config, production, needs, folder, ownUrl, log, clock, random, environment } = options;
  const data = path.join(folder, '.data');
  const keys = once(() => deriveKeys(config.SECRET_KEY ?? developmentSecret(data, random)));
  const loadStore = () => import('../store/open');
  let storeModule = needs.has('store') ? await loadStore() : undefined;
  const openEngine = needs.has('engine')
    ? await (await import('./engine')).prepareEngine(
        inFolder(folder, config.ENGINE_URL ?? 'local:./.data/runs.db'),
      )
    : undefined;
  const store = once(() => {
    const url = inFolder(folder, config.STORE_URL ?? 'sqlite:./.data/faas.db');
    return declared(storeModule, 'store').openStore(url, { clock });
  });
  const openStore = async () => {
    storeModule ??= await loadStore();
    return store();
  };
  const outbox = once(async () => {
    const { outboxSenders } = await import('../senders/outbox');
    return outboxSenders(await openStore(), clock);
  });
  const mail = once(async (): Promise<Sender<Mail> & { close?(): Promise<void> }> => {
    if (!config.SMTP_URL) return (await outbox()).mail;
    const { smtpSender } = await import('../senders/smtp');
    return smtpSender({ url: config.SMTP_URL, from: config.MAIL_FROM as string });
  });
  const sms = once(async (): Promise<Sender<Sms>> => {
    if (!config.TWILIO_ACCOUNT_SID) return (await outbox()).sms;
    const { twilioSender } = await import('../senders/twilio');
    const { authTokens, ...account } = twilioOf(config);
    return twilioSender({ ...account, authToken: authTokens[0] as string });
  });
  const openReports =
    needs.has('sms') && config.TWILIO_ACCOUNT_SID
      ? (await import('../senders/twilio-reports')).twilioReports
      : undefined;
  const smsReports = once(() => openReports?.(twilioOf(config)));
  const background = createBackground({ clock, log });
  const engine = once(() =>
    declared(
      openEngine,
      'engine',
    )({
      functionsUrl: () => config.FUNCTIONS_URL ?? ownUrl(),
      keys: keys(),
      environment,
      subscribers: options.subscribers,
      restate: restateOf(options),
      clock,
      random,
      log,
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
    get engine(): HostedEngine {
      return engine();
    },
    mail: async (message, how) => (await mail())(message, how),
    sms: async (message, how) => (await sms())(message, how),
    get smsReports(): SmsReports | undefined {
      return smsReports();
    },
    freezes: options.freezes === true,
    files: nodeFiles(folder),
    names: nodeNames(),
    background: background.add,
    resume: background.begin,
    publicUrl: () => (config.PUBLIC_URL ?? ownUrl()).replace(/\/$/, ''),
    openStore,
    stop: async (signal) => {
      await Promise.all([
        background.stop(signal),
        engine.used() ? engine().close(signal) : undefined,
      ]);
    },
    close: async () => {
      if (mail.used()) await (await mail()).close?.();
      if (store.used()) await store().close();
    },
  };
};

/** Of the auth tokens the first sends, and each signs callbacks. */
const twilioOf = (config: SuiteConfig) => ({
  accountSid: config.TWILIO_ACCOUNT_SID as string,
  authTokens: (config.TWILIO_AUTH_TOKEN ?? '').split(',').map((token) => token.trim()),
  from: config.TWILIO_FROM as string,
  ...(config.TWILIO_BASE_URL && { baseUrl: config.TWILIO_BASE_URL }),
});

const declared = <T>(part: T | undefined, need: Need): T => {
  if (part === undefined) throw new Error(`a function uses the ${need} but does not declare it`);
  return part;
};

const restateOf = ({ config, production, ownUrl }: PlatformOptions) => {
  const { RESTATE_PORT: port, RESTATE_IDENTITY_KEYS: identityKeys, HOST } = config;
  const everywhere = HOST ?? (production ? '0.0.0.0' : '127.0.0.1');
  return {
    adminUrl: config.RESTATE_ADMIN_URL,
    serviceUrl: config.RESTATE_SERVICE_URL,
    // Who is not known by a key must be on this machine.
    listen:
      port === undefined ? undefined : { port, host: identityKeys ? everywhere : '127.0.0.1' },
    identityKeys,
    scope: config.FUNCTION_TARGET,
    ownUrl,
  };
};

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
