/**
 * So many at a time, so many who wait, and no more: what is dear in memory and processor time cannot be piled up by who
 * asks for it. Fails closed: who finds the queue full is refused at once.
 */
import { Failure } from '../../../shared/failure';

export interface LanesOptions {
  /** Node's pool has four threads, and DNS and files need some as well. @default 2 */
  readonly lanes?: number;
  /** @default 100 */
  readonly waiting?: number;
}

/** Rejects with `store_unavailable` when too many wait, else as the work does. Who came first goes first. */
export type Lanes = <T>(work: () => Promise<T>) => Promise<T>;

export const createLanes = ({ lanes = 2, waiting = 100 }: LanesOptions = {}): Lanes => {
  const queue: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= lanes) {
      if (queue.length >= waiting)
        throw new Failure('store_unavailable', {
          detail: 'Too much is being checked now; try again.',
          headers: { 'retry-after': '1' },
        });
      // Who leaves hands its lane over, so nobody can slip in between.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else busy += 1;
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else busy -= 1;
    }
  };
};
