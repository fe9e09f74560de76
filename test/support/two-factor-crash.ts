/** Kills two-factor at every point of every scenario over every store, or at a sample of them, and looks what is left. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomOf } from './random';
import { startRedis } from './redis';
import { type Host, type Lane, openLane } from './two-factor-crash-lane';
import { SCENARIOS } from './two-factor-crash-scenarios';
import { openWorld } from './two-factor-crash-world';

export interface CrashOptions {
  readonly seed: number;
  /** How many points of each scenario are drawn, over a store that is drawn too. @default all of them, over each */
  readonly sample?: number;
  /** Cases that go on side by side. @default 2 */
  readonly lanes?: number;
  /** Only cases whose name, such as `redis, issue by SMS`, contains this. @default all */
  readonly only?: string;
  readonly onProgress?: (report: CrashReport) => void;
}

export interface CrashReport {
  /** By store and scenario: how many points there were to be killed at. */
  readonly points: Readonly<Record<string, number>>;
  readonly kills: number;
  /** Kills of a process that was just recovering from one. */
  readonly again: number;
  readonly messages: number;
  readonly violations: readonly string[];
}

type Tally = { -readonly [K in keyof CrashReport]: CrashReport[K] } & {
  readonly points: Record<string, number>;
  readonly violations: string[];
};

type Store = 'sqlite' | 'redis';
const STORES: readonly Store[] = ['sqlite', 'redis'];

/** Limits that no case comes near: what is refused would prove nothing of crashes. */
const SETTINGS = { TWO_FACTOR_PRICES: '*=0.10', TWO_FACTOR_BREAKER_SENDS: '100' };

export const crashTwoFactor = async (options: CrashOptions): Promise<CrashReport> => {
  const { seed, sample, lanes = 2, only = '', onProgress = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'two-factor-crash-'));
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const tally: Tally = { points: {}, kills: 0, again: 0, messages: 0, violations: [] };
  const chance = randomOf(seed);
  const jobs = Object.keys(SCENARIOS)
    .flatMap((scenario) => {
      const stores = sample === undefined ? STORES : [STORES[chance() < 0.5 ? 0 : 1] as Store];
      return stores.map((store) => ({ store, scenario, name: `${store}, ${scenario}` }));
    })
    .filter(({ name }) => name.includes(only))
    .values();
  let index = 0;

  /** Points of the case; `undefined`: it was killed. */
  const play = async (
    lane: Lane,
    host: Host,
    { store, scenario, name }: { store: Store; scenario: string; name: string },
    killAt: number | undefined,
  ): Promise<{ readonly host: Host; readonly points: number | undefined }> => {
    const mine = index++;
    const url =
      store === 'redis'
        ? `${redis.url}?prefix=case-${mine}`
        : `sqlite:${join(folder, `${mine}.db`)}`;
    const random = randomOf(seed + mine);
    const world = await openWorld({ lane, url, index: mine, random, host });
    let points: number | undefined;
    try {
      const { act, check } = await (SCENARIOS[scenario] as (typeof SCENARIOS)[string]).begin(world);
      world.killAt(killAt);
      const acted = await act();
      points = world.points;
      await check(acted);
    } catch (error) {
      world.broken(String((error as Error).stack));
    }
    tally.again += world.again;
    tally.messages += world.codes.sms.length + world.codes.mail.length;
    tally.violations.push(
      ...world.violations.map((what) => `seed ${seed}, ${name}, point ${killAt}: ${what}`),
    );
    if (points === undefined) tally.kills += 1;
    onProgress(tally);
    return { host: world.host, points };
  };

  const work = async (): Promise<void> => {
    const lane = await openLane(SETTINGS);
    let host = await lane.nextHost();
    try {
      for (const job of jobs) {
        const counted = await play(lane, host, job, undefined);
        host = counted.host;
        const total = counted.points ?? 0;
        tally.points[job.name] = total;
        for (const killAt of drawn(total, sample, randomOf(seed + index)))
          ({ host } = await play(lane, host, job, killAt));
        // Another run may have a point or two more.
        for (let more = total + 1, over = sample !== undefined; !over; more += 1) {
          const played = await play(lane, host, job, more);
          host = played.host;
          over = played.points !== undefined;
        }
      }
    } finally {
      await host.kill();
      await lane.close();
    }
  };

  try {
    await Promise.all(Array.from({ length: lanes }, work));
  } finally {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return tally;
};

/** From 1 to `total`, in order; each once. */
const drawn = (total: number, sample = total, random: () => number): readonly number[] => {
  const all = Array.from({ length: total }, (_, i) => i + 1);
  while (all.length > sample) all.splice(Math.floor(random() * all.length), 1);
  return all;
};
