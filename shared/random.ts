/** Randomness as an option. The default is the operating system's generator, fit for secrets. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';

export interface Random {
  bytes(count: number): Uint8Array;
  /** An integer from 0 up to and without `limit`, evenly spread. */
  below(limit: number): number;
  uuid(): string;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (limit) => randomInt(limit),
  uuid: () => randomUUID(),
};

/** 128 random bits in 22 URL-safe characters: an id that is also a capability. */
export const randomId = (random: Random): string =>
  Buffer.from(random.bytes(16)).toString('base64url');
