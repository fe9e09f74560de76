/** The world as a function may see it. Parts are opened at first use, so a function pays only for what it needs. */
import type { Clock } from './clock';
import type { Log } from './handler';
import type { Keys } from './keys';
import type { Engine } from './pipeline/engine';
import type { Random } from './random';
import type { Mail, Sender, Sms, SmsReports } from './senders/sender';
import type { Store } from './store/store';

/** The files beside a function. */
export interface Files {
  /** UTF-8, at start. Throws a TypeError that names the file when it cannot be read. */
  readNow(path: string): string;
  /** UTF-8. Rejects with a TypeError that names the file when it cannot be read. */
  read(path: string): Promise<string>;
}

/** What a name server answers. */
export interface Names {
  /** All addresses of a host, of both families, in no order. Rejects when there is no answer in time. */
  addresses(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** All SRV records (RFC 2782) of a name, in no order. Rejects when there is no answer in time. */
  services(name: string, signal: AbortSignal): Promise<readonly ServiceRecord[]>;
}

export interface ServiceRecord {
  /** A host name, without the dot at its end. */
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

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
  /** `undefined` where there are none, as at the edge. */
  readonly files?: Files | undefined;
  /** `undefined` where nobody can be asked, as at the edge. */
  readonly names?: Names | undefined;
  /**
   * Work that comes again and again, whoever asks: begins once the host listens, and must end soon after the signal
   * aborts. Not called where `freezes`.
   */
  background(work: (signal: AbortSignal) => Promise<void>): void;
}
