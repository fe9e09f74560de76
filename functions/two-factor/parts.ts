/** What the routes of two-factor share: its platform, and the parts that each stand for themselves. */
import type { Platform } from '../../shared/platform';
import type { Audit } from './audit';
import type { Budgets } from './budget/budgets';
import type { Delivery } from './drain';
import type { Factors } from './factors/factors';
import type { LoginService } from './login-service';
import type { Records } from './records';

export interface Parts {
  readonly platform: Platform;
  readonly records: Records;
  readonly budgets: Budgets;
  readonly factors: Factors;
  readonly audit: Audit;
  /** Learns of each code, to verify it by itself. @default there is none */
  readonly loginService: LoginService | undefined;
  /** Countries whose numbers get codes. @default all */
  readonly countries: readonly string[] | undefined;
}

/** With the queue of messages, which is made of the others. */
export interface PartsWithDelivery extends Parts {
  readonly delivery: Delivery;
}
