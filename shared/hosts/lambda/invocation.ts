/**
 * The time that one invocation has: what it serves is told to stop a little before the end, and work that goes on after the
 * answer is waited for as long as there is time. Whatever were left would be frozen in the middle.
 */
import { Failure } from '../../failure';
import type { Log, LogFields } from '../../handler';
import type { LambdaContext } from './runtime';

/** What an answer needs at the end to leave in time, ms; of a short invocation a quarter. */
const MARGIN = 500;
/** Work behind the answer ends this long before the invocation is cut, ms. */
const LAST = 100;

export class Invocation {
  private readonly stopping = new AbortController();
  private readonly works = new Set<Promise<unknown>>();
  private readonly late: NodeJS.Timeout;

  constructor(
    private readonly context: LambdaContext,
    private readonly log: Log,
  ) {
    const left = context.getRemainingTimeInMillis();
    this.late = setTimeout(
      () => this.stopping.abort(outOfTime()),
      Math.max(0, left - Math.min(MARGIN, left / 4)),
    );
  }

  /** Aborts when there is time for no more than an answer. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /** As the platform names it. */
  get id(): string {
    return this.context.awsRequestId;
  }

  warn(message: string, fields: LogFields): void {
    this.log.warn(message, { id: this.id, ...fields });
  }

  readonly waitUntil = (work: Promise<unknown>): void => {
    const kept = work
      .catch((error: unknown) => this.log.error('background_failed', { error }))
      .finally(() => this.works.delete(kept));
    this.works.add(kept);
  };

  /** Waits for the work that goes on, as long as there is time. */
  async end(): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    const cut = new Promise<void>((resolve) => {
      const left = this.context.getRemainingTimeInMillis() - LAST;
      patience = setTimeout(
        () => {
          if (this.works.size > 0) this.log.warn('background_cut', { works: this.works.size });
          resolve();
        },
        Math.max(0, left),
      );
    });
    // Work may bring more work.
    const all = async () => {
      while (this.works.size > 0) await Promise.all(this.works);
    };
    await Promise.race([all(), cut]);
    clearTimeout(patience);
    clearTimeout(this.late);
  }
}

export const outOfTime = (): Failure =>
  new Failure('stopping', {
    detail: 'There was not enough time for an answer; try again.',
    headers: { 'retry-after': '1' },
  });
