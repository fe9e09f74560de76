/** Randomness as an option. The default is the operating system's generator, fit for secrets. */
import { toBase64url } from './bytes';

export { systemRandom } from './system-random';

export interface Random {
  bytes(count: number): Uint8Array;
  /** An integer from 0 up to and without `limit`, evenly spread. */
  below(limit: number): number;
  uuid(): string;
}

/** 128 random bits in 22 URL-safe characters: an id that is also a capability. */
export const randomId = (random: Random): string => toBase64url(random.bytes(16));

/** Makes ids for requests, of 144 random bits in 24 URL-safe characters: a hundred from one text. */
export const requestIds = (random: Random): (() => string) => {
  let text = '';
  let at = 0;
  return () => {
    if (at === text.length) {
      text = toBase64url(random.bytes(18 * 100));
      at = 0;
    }
    at += 24;
    return text.slice(at - 24, at);
  };
};
