/**
 * Kills hosts of the engine on Restate, its server, both, or one server of three, in the middle of many runs.
 *
 * What must hold: a run that was accepted ends as the model says; an attempt is made again only after a kill, under
 * the same key; and never when somebody has already seen its result.
 */
import fc from 'fast-check';
import { systemClock } from '../../shared/clock';
import type { Run } from '../../shared/pipeline/run';
import { describeCase } from '../shared/pipeline/conformance/case';
import { createScripts } from '../shared/pipeline/conformance/conform';
import { cases, KILLED, type Profile } from '../shared/pipeline/conformance/generate';
import { expected } from '../shared/pipeline/conformance/model';
import { type Hit, openReceiver } from '../shared/pipeline/conformance/receiver';
import { randomOf } from '../support/random';
import {
  freePort,
  RESTATE_NODE_PATH,
  type RestateServer,
  startCluster,
  startRestate,
} from '../support/restate';
import type { Report } from './campaign';
import { type Fulfilled, type Host, startHost } from './host';
import { standingOf } from './journal-copy';
import { attemptsOf, compareEnds, idOf, type Violation } from './observer';
import type { Named, Wish } from './protocol';

/** `node`: one of three servers, which hold everything twice. */
export type Victim = 'host' | 'server' | 'both' | 'node';

export interface RestateCampaignOptions {
  readonly seed: number;
  readonly victim: Victim;
  readonly kills: number;
  readonly onProgress?: (report: Report) => void;
}

/** Runs that are under way together. */
const MIX = 15;
/** Slow enough to be hit in the middle. */
const SLOW: Profile = { ...KILLED, grid: 20 };
/** How often one kill can have an attempt made again: a cluster may change its mind on who leads. */
const REPEATS = 2;

export const crashRestate = async (options: RestateCampaignOptions): Promise<Report> => {
  const { seed, victim, kills, onProgress = () => {} } = options;
  const random = randomOf(seed);
  const scripts = createScripts();
  const receiver = await openReceiver({ clock: systemClock, answer: scripts.answer });
  const servers = victim === 'node' ? await startCluster() : [await startRestate()];
  const port = await freePort();
  const report = {
    mixes: 0,
    points: 0,
    again: 0,
    runs: 0,
    deliveries: 0,
    repeats: 0,
    violations: [] as string[],
  };

  const opened = async (): Promise<Host> => {
    const host = await startHost('test/soak/restate-child.ts', {
      env: { NODE_PATH: RESTATE_NODE_PATH },
    });
    const { ingressUrl, adminUrl } = servers.at(-1) as RestateServer;
    const engine = { ingressUrl, adminUrl, port };
    await host.fulfil({ kind: 'open', engine, url: receiver.url });
    return host;
  };

  let host = await opened();
  /** From then on attempts may be made again: a cluster moves them also when one of it comes, or comes back. */
  let restless = victim === 'node' ? 0 : undefined;

  /** Ends the victim without warning, and starts it again. */
  const kill = async (): Promise<void> => {
    const server = servers[Math.floor(random() * servers.length)] as RestateServer;
    if (victim !== 'host') await server.kill();
    if (victim === 'host' || victim === 'both') {
      host.kill();
      await host.ended;
    }
    if (victim !== 'host') {
      await systemClock.sleep(random() * 1_000);
      await server.start();
    }
  };

  const playOnce = async (mix: number): Promise<void> => {
    const drawn = fc.sample(cases(SLOW), { seed: seed + mix, numRuns: MIX });
    const pipelines = drawn.map(
      (case_, index): Named => ({ name: `r${mix}-${index}`, case: case_ }),
    );
    const names = new Set(pipelines.map(({ name }) => name));
    const hits = (): readonly Hit[] =>
      receiver.hits.filter(({ path }) => names.has(path.split('/')[0] as string));
    for (const { name, case: case_ } of pipelines) scripts.add(name, case_);
    const due = drawn
      .map((case_) => Object.values(expected(case_).deliveries).flat().length)
      .reduce((sum, count) => sum + count, 0);
    const killAfter = Math.floor(random() * due);
    const watched = watcher();
    const wish: Wish = { kind: 'play', pipelines };
    let fulfilled: Fulfilled | undefined;
    const playing = host.fulfil(wish, watched.see).then((told) => {
      fulfilled = told;
    });
    // Whatever breaks, breaks below.
    playing.catch(() => {});
    while (!fulfilled && hits().length < killAfter)
      await Promise.race([playing, systemClock.sleep(1)]);
    if (victim !== 'node') restless = undefined;
    if (!fulfilled) {
      restless ??= systemClock.now();
      await kill();
      report.points += 1;
    }
    await playing;
    let told = fulfilled as unknown as Fulfilled;
    const ids = new Map(told.accepted);
    if (told.boundaries === undefined) {
      host = await opened();
      told = await host.fulfil(wish, watched.see);
    }
    const violation: Violation = (what, about) =>
      void report.violations.push(
        [
          `--seed=${seed} ${victim}, mix ${mix}, killed after ${killAfter} of ${due} calls: ${what}`,
          ...(about ? [describeCase(about)] : []),
        ].join('\n'),
      );
    for (const [name, id] of told.accepted) {
      if (ids.has(name) && ids.get(name) !== id)
        violation(`${name} was accepted as ${ids.get(name)} and then as ${id}`);
      ids.set(name, id);
    }
    compareEnds({ pipelines, ended: told.ended, ids, hits: hits(), violation });
    report.repeats += watched.review(hits(), restless, violation);
    report.deliveries += hits().length;
    report.runs += pipelines.length;
    report.mixes += 1;
    for (const name of names) {
      receiver.forget(name);
      scripts.delete(name);
    }
  };

  try {
    for (let mix = 0; report.points < kills && report.violations.length === 0; mix += 1) {
      await playOnce(mix);
      onProgress(report);
    }
  } catch (error) {
    report.violations.push(
      `--seed=${seed} ${victim}, mix ${report.mixes}: ${(error as Error).stack}`,
    );
  } finally {
    host.kill();
    await Promise.all(servers.map((server) => server.stop()));
    await receiver.close();
  }
  return report;
};

/** Remembers when somebody first saw that an attempt had ended. */
const watcher = () => {
  const states: { readonly at: number; readonly run: Run }[] = [];
  return {
    see: (_name: string, run: Run): void => void states.push({ at: systemClock.now(), run }),
    /** How many deliveries there were more than once. */
    review: (hits: readonly Hit[], restless: number | undefined, violation: Violation): number => {
      const counts = new Map<string, number>();
      let repeats = 0;
      for (const { hit, name, step, undo, attempt } of attemptsOf(hits)) {
        const count = (counts.get(idOf(hit)) ?? 0) + 1;
        counts.set(idOf(hit), count);
        if (count === 1) continue;
        repeats += 1;
        if (restless === undefined || hit.at < restless)
          violation(`${idOf(hit)} was made again, and nothing had been killed`);
        if (count > 1 + REPEATS) violation(`${idOf(hit)} was made ${count} times`);
        const known = states.find(
          ({ at, run }) =>
            at < hit.at &&
            run.pipeline === name &&
            standingOf(run, step, undo, attempt) === 'ended',
        );
        if (known) violation(`${idOf(hit)} was made again after its result had been seen`);
      }
      return repeats;
    },
  };
};
