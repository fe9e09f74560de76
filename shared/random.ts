/** Randomness as an option. The default is the operating system's generator, fit for secrets. */
import { randomFillSync, randomInt, randomUUID } from 'node:crypto';

export interface Random {
  bytes(count: number): Uint8Array;
  /** An integer from 0 up to and without `limit`, evenly spread. */
  below(limit: number): number;
  uuid(): string;
}

/** A call of the generator costs as much as a small request, so a few bytes come from a stock, as node's UUIDs do. */
const stock = Buffer.alloc(4096);
let used = stock.length;

const take = (count: number): Uint8Array => {
  if (used + count > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  const taken = new Uint8Array(stock.subarray(used, used + count));
  // What was given out is in one place only.
  stock.fill(0, used, used + count);
  used += count;
  return taken;
};

export const systemRandom: Random = {
  bytes: (count) => (count > 64 ? randomFillSync(new Uint8Array(count)) : take(count)),
  below: (limit) => randomInt(limit),
  uuid: () => randomUUID(),
};

/** 128 random bits in 22 URL-safe characters: an id that is also a capability. */
export const randomId = (random: Random): string =>
  Buffer.from(random.bytes(16)).toString('base64url');

/** Makes ids for requests, of 144 random bits in 24 URL-safe characters: a hundred from one text. */
export const requestIds = (random: Random): (() => string) => {
  let text = '';
  let at = 0;
  return () => {
    if (at === text.length) {
      text = Buffer.from(random.bytes(18 * 100)).toString('base64url');
      at = 0;
    }
    at += 24;
    return text.slice(at - 24, at);
  };
};
