/** The campaigns, one after the other, with a line for each on the way and a table at the end. */
import { parseArgs } from 'node:util';
import type { CreateEngineLab } from '../contracts/engine-lab';
import { conform, createScripts } from '../shared/pipeline/conformance/conform';
import { type Profile, STILL } from '../shared/pipeline/conformance/generate';
import { createLocalLab } from '../shared/pipeline/conformance/local-lab';
import { createRestateLab, PASSING } from '../shared/pipeline/conformance/restate-lab';
import { startRestate } from '../support/restate';
import { rollReplicas } from '../support/rolling';
import { crashTwoFactor } from '../support/two-factor-crash';
import { crashLocal, type Point, type Report } from './campaign';
import { crashRestate, type Victim } from './restate-campaign';

interface Settings {
  readonly seed: number;
  readonly points: number;
  readonly cases: number;
  readonly kills: number;
  readonly only: Point | undefined;
}

interface Row {
  readonly campaign: string;
  readonly done: string;
  readonly violations: readonly string[];
}

type Campaign = (settings: Settings) => Promise<readonly Row[]>;

/** ms between two lines of progress. */
const PACE = 5_000;

const paced = (): ((line: string) => void) => {
  const begun = performance.now();
  let last = begun;
  return (line) => {
    const now = performance.now();
    if (now - last < PACE) return;
    last = now;
    console.log(`${((now - begun) / 1_000).toFixed(0).padStart(5)} s  ${line}`);
  };
};

const conformOn = async (
  name: string,
  createLab: CreateEngineLab,
  options: {
    readonly seed: number;
    readonly count: number;
    readonly profile: Profile;
    readonly atOnce: number;
  },
): Promise<Row> => {
  const progress = paced();
  const scripts = createScripts();
  const lab = await createLab({ answer: scripts.answer });
  try {
    const { played, deliveries, violation } = await conform({
      ...options,
      lab,
      scripts,
      onProgress: (done) => progress(`conformance, ${name}: ${done} of ${options.count} pipelines`),
    });
    return {
      campaign: `conformance, ${name}`,
      done: `${played} pipelines, ${deliveries} deliveries`,
      violations: violation === undefined ? [] : [violation],
    };
  } finally {
    await lab.close();
  }
};

const campaigns: Readonly<Record<string, Campaign>> = {
  conformance: async ({ seed, cases: count }) => [
    await conformOn('local', createLocalLab, { seed, count, profile: STILL, atOnce: 250 }),
  ],
  local: async ({ seed, points, only }) => {
    const progress = paced();
    const report = await crashLocal({
      seed,
      points,
      only,
      onProgress: (now) => progress(`local: ${now.points} boundaries, ${describeReport(now)}`),
    });
    return [
      {
        campaign: 'kill -9, local',
        done: `${report.points} boundaries of ${report.mixes} mixes, ${report.again} more in recoveries; ${describeReport(report)}`,
        violations: report.violations,
      },
    ];
  },
  restate: async ({ seed, kills, cases: count }) => {
    const progress = paced();
    const rows: Row[] = [];
    for (const victim of VICTIMS) {
      const report = await crashRestate({
        seed,
        victim,
        kills,
        onProgress: (now) =>
          progress(`restate, ${victim}: ${now.points} kills, ${describeReport(now)}`),
      });
      rows.push({
        campaign: `kill -9, restate, ${victim}`,
        done: `${report.points} kills; ${describeReport(report)}`,
        violations: report.violations,
      });
    }
    const server = await startRestate();
    try {
      const many = Math.min(count, RESTATE_CASES);
      rows.push(
        await conformOn(
          'restate',
          createRestateLab(() => server),
          { seed, count: many, profile: PASSING, atOnce: 50 },
        ),
      );
    } finally {
      await server.stop();
    }
    return rows;
  },
  'two-factor': async ({ seed }) => {
    const progress = paced();
    const report = await crashTwoFactor({
      seed,
      onProgress: ({ kills, messages }) =>
        progress(`two-factor: ${kills} kills, ${messages} messages`),
    });
    const points = Object.values(report.points).reduce((total, some) => total + some, 0);
    return [
      {
        campaign: 'kill -9, two-factor',
        done: `${points} points of ${Object.keys(report.points).length} scenarios over sqlite and redis, ${report.kills} kills, ${report.again} more in recoveries; ${report.messages} messages`,
        violations: report.violations,
      },
    ];
  },
  rolling: async ({ seed }) => {
    const progress = paced();
    const { requests, posts, restarts, users, violations } = await rollReplicas({
      ...ROLLING,
      seed,
      onProgress: (done) => progress(`rolling: ${done} restarts`),
    });
    return [
      {
        campaign: 'rolling restarts, nginx and HAProxy',
        done: `${restarts} restarts, ${requests} requests, ${posts} of them POST, ${users} users`,
        violations,
      },
    ];
  },
};

/** Replicas behind balancers: how often each is restarted, and what goes through each balancer meanwhile. */
const ROLLING = { rounds: 20, rate: 200, requests: 50_000 };

/** As many take minutes there, since time passes as it does. */
const RESTATE_CASES = 2_000;

const VICTIMS: readonly Victim[] = ['host', 'server', 'both', 'node'];

const describeReport = ({ runs, deliveries, repeats }: Report): string =>
  `${runs} runs, ${deliveries} deliveries, ${repeats} of them again`;

/** The exit code. */
export const main = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      points: { type: 'string', default: '1000' },
      cases: { type: 'string', default: '10000' },
      kills: { type: 'string', default: '15' },
      point: { type: 'string' },
    },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(campaigns, name));
  if (unknown.length > 0) {
    console.error(
      `no such campaign: ${unknown.join(', ')}; there are ${Object.keys(campaigns).join(', ')}`,
    );
    return 2;
  }
  const [mix, boundary] = values.point?.split(':').map(Number) ?? [];
  const settings: Settings = {
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    points: Number(values.points),
    cases: Number(values.cases),
    kills: Number(values.kills),
    only: mix === undefined || boundary === undefined ? undefined : { mix, boundary },
  };
  console.log(`seed ${settings.seed}`);
  const rows: Row[] = [];
  for (const [name, campaign] of Object.entries(campaigns))
    if (positionals.length === 0 || positionals.includes(name))
      rows.push(...(await campaign(settings)));
  for (const { campaign, done, violations } of rows) {
    console.log(`${violations.length === 0 ? 'holds' : 'BROKEN'}  ${campaign}: ${done}`);
    for (const violation of violations) console.log(`\n${violation}\n`);
  }
  return rows.every(({ violations }) => violations.length === 0) ? 0 : 1;
};
