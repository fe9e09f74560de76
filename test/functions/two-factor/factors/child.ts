/** A process that uses factors up in a store of many, told by each line what to do; each line it prints is JSON. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createFactors } from '../../../../functions/two-factor/factors/factors';
import { deriveKeys } from '../../../../shared/keys';
import type { Platform } from '../../../../shared/platform';
import { systemRandom } from '../../../../shared/random';
import { redisStore } from '../../../../shared/store/redis';
import { sqliteStore } from '../../../../shared/store/sqlite';

export interface Order {
  readonly use: 'useTotp' | 'useRecoveryCode';
  readonly userDigest: string;
  /** Each is tried `times` times, all at once. */
  readonly codes: readonly string[];
  readonly times: number;
  /** ms since the epoch */
  readonly now: number;
}

/** How often each code was right, wrong, and not known. */
export type Report = Readonly<Record<string, { right: number; wrong: number; failed: number }>>;

const [place, secret] = process.argv.slice(2) as [string, string];
const store = place.startsWith('redis:')
  ? redisStore({ url: place, timeout: 20_000 })
  : sqliteStore({ path: place });
let now = 0;
const factors = createFactors({
  store,
  clock: { now: () => now },
  random: systemRandom,
  keys: deriveKeys(secret),
  log: { warn: (message: string) => print({ message }) },
} as unknown as Platform);

const print = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const follow = async ({ use, userDigest, codes, times, ...order }: Order): Promise<Report> => {
  now = order.now;
  const report: Record<string, { right: number; wrong: number; failed: number }> = {};
  const tries = Array.from({ length: times }, () => codes).flat();
  await Promise.all(
    tries.map(async (code) => {
      const verdict = await factors[use](userDigest, code).then(
        (right) => (right ? 'right' : 'wrong'),
        () => 'failed' as const,
      );
      report[code] ??= { right: 0, wrong: 0, failed: 0 };
      report[code][verdict] += 1;
    }),
  );
  return report;
};

const work = async (): Promise<void> => {
  await store.get('ready');
  print('ready');
  for await (const line of createInterface({ input: process.stdin }))
    print(await follow(JSON.parse(line) as Order));
};

void work();
