/**
 * What the edge has of `Platform`: time, chance, keys and a log. It has no store, no senders, no engine, no files and no
 * name server. Fails closed: a function that declares a need of those is refused at start.
 */
import { systemClock } from '../../clock';
import type { Need } from '../../define';
import type { Log } from '../../handler';
import { deriveKeys } from '../../keys';
import type { Platform } from '../../platform';
import { systemRandom } from '../../random';

export interface EdgePlatformOptions {
  readonly production: boolean;
  readonly log: Log;
  readonly secretKey: string | undefined;
  readonly publicUrl: string | undefined;
}

/** What no worker has; `undefined`: it is there. */
export const missingAtEdge = (need: Need): string | undefined =>
  need === 'secret' ? undefined : `needs the ${NAMES[need]}, which the edge does not have`;

const NAMES: Readonly<Record<Exclude<Need, 'secret'>, string>> = {
  store: 'store',
  mail: 'mail server',
  sms: 'text messages',
  engine: 'engine of pipelines',
};

const absent = (what: string): never => {
  throw new TypeError(`there is no ${what} at the edge`);
};

/** Throws a TypeError for a secret that is too short. */
export const edgePlatform = ({
  production,
  log,
  secretKey,
  publicUrl,
}: EdgePlatformOptions): Platform => ({
  production,
  clock: systemClock,
  random: systemRandom,
  log,
  keys: secretKey === undefined ? () => absent('SECRET_KEY') : deriveKeys(secretKey),
  // Between two requests nothing goes on here.
  freezes: true,
  background: () => {},
  publicUrl: () => publicUrl ?? absent('PUBLIC_URL'),
  get store() {
    return absent('store');
  },
  mail: async () => absent('mail server'),
  sms: async () => absent('provider of text messages'),
  get engine() {
    return absent('engine');
  },
});
