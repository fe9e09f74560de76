/** The world as a function may see it. Parts are opened at first use, so a function pays only for what it needs. */
import type { Clock } from './clock';
import type { Log } from './handler';
import type { Keys } from './keys';
import type { Engine } from './pipeline/engine';
import type { Random } from './random';
import type { Mail, Sender, Sms } from './senders/sender';
import type { Store } from './store/store';

export interface Platform {
  readonly production: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Keys derived from SECRET_KEY. */
  readonly keys: Keys;
  readonly store: Store;
  readonly mail: Sender<Mail>;
  readonly sms: Sender<Sms>;
  readonly engine: Engine;
  /** Base of links that leave the suite, without a slash at its end; never taken from a Host header. */
  publicUrl(): string;
}
