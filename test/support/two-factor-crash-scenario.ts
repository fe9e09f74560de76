/** What is killed, and what must come of it. Each begins in peace, is killed in `act`, and goes on with a new process. */
import type { World } from './two-factor-crash-world';

export interface Scenario {
  /** In peace; the rest of the case: what is killed, and what follows. */
  begin(world: World): Promise<Rest>;
}

export interface Rest {
  act(): Promise<unknown>;
  /** `acted`: what `act` gave, when it was not killed before. */
  check(acted: unknown): Promise<void>;
}
