/**
 * Kills the local engine at the boundaries of its journal, one after the other, and looks whether anything is lost.
 *
 * What must hold: a run that was accepted is there after the kill, and ends as the model says; a receiver sees an
 * attempt again only if it was under way at the kill, under the same key; one whose result was recorded, never.
 */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { systemClock } from '../../shared/clock';
import { type Case, describeCase } from '../shared/pipeline/conformance/case';
import { createScripts, type Scripts } from '../shared/pipeline/conformance/conform';
import { cases, KILLED } from '../shared/pipeline/conformance/generate';
import { openReceiver, type Receiver } from '../shared/pipeline/conformance/receiver';
import { randomOf } from '../support/random';
import { type Fulfilled, type Host, startHost } from './host';
import { readCopy } from './journal-copy';
import { observer } from './observer';
import type { Named } from './protocol';

export interface CampaignOptions {
  readonly seed: number;
  /** How many kills, at least; those that hit a host that was recovering do not count. */
  readonly points: number;
  /** Every how manieth boundary, on average. @default 1: all of them */
  readonly stride?: number;
  /** Mixes that are gone through side by side. @default 2 */
  readonly lanes?: number;
  /** Only this one. @default all */
  readonly only?: Point | undefined;
  readonly onProgress?: (report: Report) => void;
}

export interface Point {
  readonly mix: number;
  readonly boundary: number;
}

export interface Report {
  /** Mixes of pipelines whose boundaries were gone through. */
  readonly mixes: number;
  readonly points: number;
  /** Kills of a host that was just recovering from one. */
  readonly again: number;
  readonly runs: number;
  readonly deliveries: number;
  /** Deliveries of an attempt that had been made before. */
  readonly repeats: number;
  readonly violations: readonly string[];
}

/** Runs that are under way together. */
const MIX = 4;
/** One kill in so many is followed by one in the recovery. */
const AGAIN = 4;
/** A kill in the recovery comes at one of the first so many boundaries. */
const EARLY = 8;

export const crashLocal = async (options: CampaignOptions): Promise<Report> => {
  const { points, only, lanes = 2, onProgress = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'crash-'));
  const scripts = createScripts();
  const receiver = await openReceiver({ clock: systemClock, answer: scripts.answer });
  const report: Tally = {
    mixes: 0,
    points: 0,
    again: 0,
    runs: 0,
    deliveries: 0,
    repeats: 0,
    violations: [],
  };
  const isOver = () => report.points >= points || report.violations.length > 0;
  let next = only?.mix ?? 0;
  const lane = async (): Promise<void> => {
    const hosts = hostsInAdvance();
    try {
      do {
        const mix = next;
        next += 1;
        const path = join(folder, `${mix}`, 'runs.db');
        await killMix({
          ...options,
          mix,
          path,
          hosts,
          scripts,
          receiver,
          report,
          isOver,
          onProgress,
        });
        report.mixes += 1;
        await rm(dirname(path), { recursive: true, force: true });
      } while (!isOver() && !only);
    } finally {
      await hosts.close();
    }
  };
  try {
    await Promise.all(Array.from({ length: only ? 1 : lanes }, lane));
  } finally {
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  }
  return report;
};

type Tally = { -readonly [K in keyof Report]: Report[K] } & { readonly violations: string[] };

interface HostsInAdvance {
  next(): Promise<Host>;
  close(): Promise<void>;
}

/** While one works, another one warms up. */
const hostsInAdvance = (): HostsInAdvance => {
  const start = () => startHost('test/soak/local-child.ts');
  let standby = start();
  return {
    next: async () => {
      const host = await standby;
      standby = start();
      return host;
    },
    close: async () => (await standby).kill(),
  };
};

interface MixOptions extends CampaignOptions {
  readonly mix: number;
  readonly path: string;
  readonly hosts: HostsInAdvance;
  readonly scripts: Scripts;
  readonly receiver: Receiver;
  readonly report: Tally;
  readonly isOver: () => boolean;
  readonly onProgress: (report: Report) => void;
}

/** One mix on one journal: played again and again, each time with its host killed a little later. */
const killMix = async (options: MixOptions): Promise<void> => {
  const { seed, stride = 1, only, mix, path, hosts, scripts, receiver, report } = options;
  const played = fc.sample(cases(KILLED), { seed: seed + mix, numRuns: MIX });
  const random = randomOf(seed + mix);

  const violation = (boundary: number, what: string, about?: Case): void =>
    void report.violations.push(
      [
        `--seed=${seed} --point=${mix}:${boundary}: ${what}`,
        ...(about ? [describeCase(about)] : []),
      ].join('\n'),
    );

  /** A host that has taken up what is in the journal; one that is killed over that is followed by another. */
  const opened = async (look: () => Promise<void>): Promise<Host> => {
    for (;;) {
      const host = await hosts.next();
      const killAt = early();
      const { boundaries } = await host.fulfil({
        kind: 'open',
        engine: { path },
        url: receiver.url,
        killAt,
      });
      if (boundaries !== undefined) return host;
      report.again += 1;
      await look();
    }
  };

  const early = (): number | undefined =>
    random() * AGAIN < 1 ? 1 + Math.floor(random() * EARLY) : undefined;

  /** Whether it was killed before it was over. */
  const playUpTo = async (boundary: number): Promise<boolean> => {
    const pipelines = played.map(
      (case_, index): Named => ({ name: `m${mix}-b${boundary}-${index}`, case: case_ }),
    );
    const names = new Set(pipelines.map(({ name }) => name));
    const hits = () =>
      receiver.hits.filter(({ path: at }) => names.has(at.split('/')[0] as string));
    for (const { name, case: case_ } of pipelines) scripts.add(name, case_);
    const watch = observer(pipelines, (what, about) => violation(boundary, what, about));
    let fulfilled = await host.fulfil({ kind: 'play', pipelines, killAt: boundary });
    const wasKilled = fulfilled.boundaries === undefined;
    for (let kills = 0; fulfilled.boundaries === undefined; kills += 1) {
      if (kills > 0) report.again += 1;
      const { accepted, ended } = fulfilled;
      watch.killed(await readCopy(path, [...names]), { accepted, ended }, hits());
      host = await opened(async () =>
        watch.killed(await readCopy(path, [...names]), NOTHING, hits()),
      );
      fulfilled = await host.fulfil({ kind: 'play', pipelines, killAt: early() });
    }
    report.repeats += watch.ended(fulfilled, hits());
    report.deliveries += hits().length;
    report.runs += pipelines.length;
    for (const name of names) {
      receiver.forget(name);
      scripts.delete(name);
    }
    return wasKilled;
  };

  let host = await opened(async () => {});
  const step = () => 1 + Math.floor(random() * (2 * stride - 1));
  for (let boundary = only?.boundary ?? step(); !options.isOver(); boundary += step()) {
    try {
      if (!(await playUpTo(boundary))) break;
    } catch (error) {
      violation(boundary, (error as Error).message);
    }
    report.points += 1;
    options.onProgress(report);
    if (only) break;
  }
  host.kill();
  await host.ended;
};

const NOTHING: Pick<Fulfilled, 'accepted' | 'ended'> = { accepted: new Map(), ended: new Map() };
