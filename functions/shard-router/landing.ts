/** How one try ends, for who keeps count: in order, whatever the order is in which the host tells of it. */
import type { Clock } from '../../shared/clock';
import type { Flight, Outcome } from './choice';

/** The last byte of a whole answer may come before its head has been looked at. */
export class Landing {
  #isAnswered = false;
  #isOver = false;

  constructor(
    private readonly flight: Flight,
    private readonly clock: Clock,
  ) {}

  answered(): void {
    this.flight.settle('answered', this.clock.now());
    this.#isAnswered = true;
    if (this.#isOver) this.flight.end();
  }

  failed(outcome: Outcome): void {
    this.flight.settle(outcome, this.clock.now());
    this.flight.end();
  }

  readonly over = (): void => {
    this.#isOver = true;
    if (this.#isAnswered) this.flight.end();
  };
}
