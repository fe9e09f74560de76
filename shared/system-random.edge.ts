/** The generator of the platform, by what the web has. Works while a request is served, not before. */
import type { Random } from './random';

const WORD = 2 ** 32;

const word = (): number => crypto.getRandomValues(new Uint32Array(1))[0] as number;

export const systemRandom: Random = {
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  below: (limit) => {
    if (!Number.isInteger(limit) || limit < 1 || limit > WORD)
      throw new RangeError('the limit must be a whole number from 1 to 2^32');
    // The words that are left over behind the last whole multiple would make small numbers likelier.
    const end = WORD - (WORD % limit);
    for (;;) {
      const drawn = word();
      if (drawn < end) return drawn % limit;
    }
  },
  uuid: () => crypto.randomUUID(),
};
