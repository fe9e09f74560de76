/**
 * Answers that go on for long, at the edge: there a timer belongs to the request that has set it and ends with it, so each
 * stream has one of its own, and nobody else's. Members never change there, so age is all that ends one.
 */
import type { Streams, StreamsOptions } from './streams';

export const createStreamsAlone = ({
  maxAge,
  retry,
  clock,
  random,
}: Pick<StreamsOptions, 'maxAge' | 'retry' | 'clock' | 'random'>): Streams => {
  let open = 0;
  return {
    watch: (stream) => {
      open += 1;
      const over = new AbortController();
      if (maxAge !== undefined)
        clock.sleep(maxAge - random.below(Math.max(1, Math.floor(maxAge / 10))), over.signal).then(
          () => stream.end({ retry }),
          () => undefined,
        );
      void stream.ended.then(() => {
        open -= 1;
        over.abort();
      });
    },
    change: () => {},
    counts: () => ({ open, moving: 0 }),
    stop: () => {},
  };
};
