/** The generator of the operating system, as Node has it. At the edge `system-random.edge.ts` stands in. */
import { randomFillSync, randomInt, randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { Random } from './random';

/** A call of the generator costs as much as a small request, so a few bytes come from a stock, as node's UUIDs do. */
const stock = Buffer.alloc(8192);
let used = stock.length;

/** The first stock comes from where OpenSSL has its seed, as loading that would be a tenth of a start. */
let isFirst = process.platform !== 'win32';

const fillStock = (): void => {
  const done = isFirst && readGenerator();
  isFirst = false;
  if (!done) randomFillSync(stock);
};

/** `false`: it cannot be read here. */
const readGenerator = (): boolean => {
  try {
    const file = openSync('/dev/urandom', 'r');
    try {
      return readSync(file, stock) === stock.length;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
};

const take = (count: number): Uint8Array => {
  if (used + count > stock.length) {
    fillStock();
    used = 0;
  }
  const taken = new Uint8Array(stock.subarray(used, used + count));
  // What was given out is in one place only.
  stock.fill(0, used, used + count);
  used += count;
  return taken;
};

export const systemRandom: Random = {
  bytes: (count) =>
    count > stock.length / 2 ? randomFillSync(new Uint8Array(count)) : take(count),
  below: (limit) => randomInt(limit),
  uuid: () => randomUUID(),
};
