/** The world as a function may see it. Parts are opened at first use, so a function pays only for what it needs. */
import type { Clock } from './clock';
import type { Log } from './handler';
import type { Keys } from './keys';
import type { Engine } from './pipeline/engine';
import type { Random } from './random';
import type { Mail, Sender, Sms, SmsReports } from './senders/sender';
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
  /** Of the provider behind `sms`. @default it makes none, as the outbox */
  readonly smsReports?: SmsReports | undefined;
  readonly engine: Engine;
  /** Base of links that leave the suite, without a slash at its end; never taken from a Host header. */
  publicUrl(): string;
  /** Whether the platform may stop the process between two requests, as Lambda does: work must end before the answer. */
  readonly freezes: boolean;
  /**
   * Work that comes again and again, whoever asks: begins once the host listens, and must end soon after the signal
   * aborts. Not called where `freezes`.
   */
  background(work: (signal: AbortSignal) => Promise<void>): void;
}
