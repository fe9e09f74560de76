/** One time step, one recovery code, one success: with several processes on one store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeBase32 } from '../../../../functions/two-factor/factors/base32';
import { STEP, totp } from '../../../../functions/two-factor/factors/totp';
import { redisStore } from '../../../../shared/store/redis';
import { sqliteStore } from '../../../../shared/store/sqlite';
import type { Store } from '../../../../shared/store/store';
import { type Child, startChild } from '../../../support/child';
import { type RedisServer, startRedis } from '../../../support/redis';
import type { Order, Report } from './child';
import { digestOf, SECRET, startFactors } from './harness';

const SCRIPT = 'test/functions/two-factor/factors/child.ts';
const PROCESSES = 4;

const folder = mkdtempSync(join(tmpdir(), 'factors-'));
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

const opened: Store[] = [];
const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill();
    await child.ended;
  }
  await Promise.all(opened.splice(0).map((store) => store.close()));
});

let files = 0;
const PLACES = {
  sqlite: () => join(folder, `${files++}.db`),
  redis: () => `${redis.url}?prefix=test${files++}`,
};

const start = async (kind: keyof typeof PLACES) => {
  const place = PLACES[kind]();
  const store = kind === 'redis' ? redisStore({ url: place }) : sqliteStore({ path: place });
  opened.push(store);
  const started = startFactors({ store });
  const crew = await Promise.all(
    Array.from({ length: PROCESSES }, () => startChild(SCRIPT, [place, SECRET])),
  );
  children.push(...crew);
  for (const child of crew) expect(JSON.parse(await child.line())).toBe('ready');
  /** All of them at once, another one told first each time; the sums over all. */
  const race = async (order: Order, round: number): Promise<Report> => {
    for (const index of crew.keys()) crew[(index + round) % PROCESSES]?.send(JSON.stringify(order));
    const reports = await Promise.all(
      crew.map(async (child): Promise<Report> => JSON.parse(await child.line())),
    );
    return Object.fromEntries(
      order.codes.map((code) => {
        const sum = (key: 'right' | 'wrong' | 'failed') =>
          reports.reduce((total, report) => total + (report[code]?.[key] ?? 0), 0);
        return [code, { right: sum('right'), wrong: sum('wrong'), failed: sum('failed') }];
      }),
    );
  };
  return { ...started, race };
};

describe.each(['sqlite', 'redis'] as const)('%s, 4 processes', (kind) => {
  test('of 1,000 parallel uses of one time step one succeeds, 20 times of 20 (A9)', async () => {
    const { platform, enrol, confirm, race } = await start(kind);
    const secret = decodeBase32((await enrol()).secret) as Uint8Array;
    let now = platform.clock.now();
    expect(await confirm(totp(secret, now))).toBe(200);
    const order = { use: 'useTotp', userDigest: digestOf('user-1'), times: 250 } as const;
    for (let round = 0; round < 20; round++) {
      now += STEP;
      const code = totp(secret, now);
      const report = await race({ ...order, codes: [code], now }, round);
      expect(report).toEqual({ [code]: { right: 1, wrong: 999, failed: 0 } });
    }
  }, 120_000);

  test('of 1,000 parallel uses of one recovery code one succeeds, 20 times of 20 (A12)', async () => {
    const { platform, factors, recoveryCodes, race } = await start(kind);
    const now = platform.clock.now();
    for (const user of ['user-1', 'user-2']) {
      const codes = await recoveryCodes(user);
      const order = {
        use: 'useRecoveryCode',
        userDigest: digestOf(user),
        times: 250,
        now,
      } as const;
      for (const [round, code] of codes.entries()) {
        const report = await race({ ...order, codes: [code] }, round);
        expect(report).toEqual({ [code]: { right: 1, wrong: 999, failed: 0 } });
        expect((await factors.has(user)).recoveryCodes).toBe(9 - round);
      }
    }
  }, 120_000);

  test('all ten recovery codes at once, each 100 times, are each good once (A12)', async () => {
    const { platform, factors, recoveryCodes, race } = await start(kind);
    const codes = await recoveryCodes();
    const report = await race(
      {
        use: 'useRecoveryCode',
        userDigest: digestOf('user-1'),
        codes,
        times: 25,
        now: platform.clock.now(),
      },
      0,
    );
    for (const code of codes) expect(report[code]).toEqual({ right: 1, wrong: 99, failed: 0 });
    expect((await factors.has('user-1')).recoveryCodes).toBe(0);
  }, 120_000);
});
