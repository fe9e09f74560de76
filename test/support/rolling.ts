/**
 * Three replicas behind a real nginx and a real HAProxy, both under load on kept connections, while one replica after the
 * other is stopped and started again; then an account of all that was asked, answered and done.
 */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle } from './bundle';
import { type Child, startChild } from './child';
import { startHaproxy } from './haproxy';
import { type HostProcess, startHost } from './host-process';
import { startNginx } from './nginx';
import { randomOf } from './random';
import { startRedis } from './redis';
import type { RollingLoad } from './rolling-load';

export interface RollingOptions {
  readonly seed: number;
  /** How many times each replica is restarted. */
  readonly rounds: number;
  /** Requests per second through each balancer. */
  readonly rate: number;
  /** Goes on until each balancer has had so many. @default 0 */
  readonly requests?: number;
  readonly onProgress?: (restarts: number) => void;
}

export interface RollingReport {
  readonly requests: number;
  readonly posts: number;
  readonly restarts: number;
  /** Those in the store at the end. */
  readonly users: number;
  /** Calls without success, POSTs that reached no handler or more than one, users too few or too many, bad exits. */
  readonly violations: readonly string[];
}

const REPLICAS = 3;
const CONNECTIONS = 24;
/** How often HAProxy asks for readiness, ms. */
const INTERVAL = 100;
/** Far longer than HAProxy needs, also on a machine with much else to do. */
const DRAIN_DELAY = '1s';
/** nginx takes a server back after `fail_timeout`, which it counts in whole seconds of its clock. */
const SETTLE = 2_200;

export const rollReplicas = async (options: RollingOptions): Promise<RollingReport> => {
  const { seed, rounds, rate, requests = 0, onProgress } = options;
  const random = randomOf(seed);
  const folder = mkdtempSync(path.join(tmpdir(), 'rolling-'));
  const arrivals = path.join(folder, 'arrivals');
  const redis = await startRedis();
  const replicas: HostProcess[] = [];
  const loads: Child[] = [];
  const stops: (() => Promise<unknown>)[] = [() => redis.stop()];
  try {
    const start = (port = 0) =>
      startHost({
        file: bundle('test/support/rolling-replica.ts'),
        environment: {
          PORT: `${port}`,
          STORE_URL: redis.url,
          PIPELINES_DIR: folder,
          SECRET_KEY: 'the-same-key-for-all-replicas-of-this-test',
          DRAIN_DELAY,
          ARRIVALS: arrivals,
        },
      });
    for (let i = 0; i < REPLICAS; i += 1) replicas.push(await start());
    const addresses = replicas.map(({ port }) => `127.0.0.1:${port}`);
    const nginx = await startNginx(
      {
        replicas: `${addresses.map((address) => `server ${address} fail_timeout=1s;`).join(' ')} keepalive ${CONNECTIONS * REPLICAS};`,
      },
      {
        http: 'proxy_http_version 1.1; proxy_set_header Connection "";',
        nextUpstream: 'error timeout',
      },
    );
    stops.push(nginx.stop);
    const haproxy = await startHaproxy({
      replicas: [
        'balance roundrobin',
        // Nothing is made good: what fails at a replica fails.
        'retries 0',
        'option httpchk GET /health/readiness',
        // A busy machine answers late, and that is no no.
        'timeout check 10s',
        `default-server inter ${INTERVAL}ms fall 1 rise 1 check`,
        ...addresses.map((address, i) => `server replica-${i} ${address}`),
      ],
    });
    stops.push(haproxy.stop);

    const balancers = { nginx: nginx.path, haproxy: haproxy.path };
    const files: string[] = [];
    for (const [i, [name, balancer]] of Object.entries(balancers).entries()) {
      const file = path.join(folder, name);
      files.push(file);
      const settings: RollingLoad = {
        ...{ balancer, name, rate, file },
        ...{ connections: CONNECTIONS, seed: seed + i },
      };
      const load = await startChild('test/support/rolling-load.ts', [JSON.stringify(settings)], {
        timeout: 3_600_000,
      });
      loads.push(load);
      await load.line();
    }

    const begun = performance.now();
    const exits: (number | null)[] = [];
    let restarts = 0;
    for (let round = 0; round < rounds; round += 1)
      for (const [i, replica] of replicas.entries()) {
        await sleep(random() * 200);
        exits.push(await replica.stop());
        await sleep(random() * 300);
        replicas[i] = await start(replica.port);
        restarts += 1;
        onProgress?.(restarts);
        await sleep(SETTLE);
      }
    await sleep(Math.max(0, (requests / rate) * 1_000 - (performance.now() - begun)));
    for (const load of loads) {
      load.send('end');
      await load.line();
    }
    for (const replica of replicas.splice(0)) exits.push(await replica.stop());
    const kept = await redis.command('EVAL', COUNT_USERS, '0');
    return { ...judge(files, arrivals, Number(kept.slice(1)), exits), restarts };
  } finally {
    for (const load of loads) load.kill();
    for (const replica of replicas) await replica.stop('SIGKILL');
    for (const stop of stops.reverse()) await stop();
    await rm(folder, { recursive: true, force: true });
  }
};

const COUNT_USERS = "return #redis.call('KEYS', 'faas:e:create-user/email/*')";

const judge = (
  files: readonly string[],
  arrivals: string,
  users: number,
  exits: readonly (number | null)[],
): Omit<RollingReport, 'restarts'> => {
  const arrived = new Map<string, number>();
  const folder = path.dirname(arrivals);
  for (const file of readdirSync(folder))
    if (file.startsWith(path.basename(arrivals)))
      for (const id of linesOf(path.join(folder, file)))
        arrived.set(id, (arrived.get(id) ?? 0) + 1);
  const calls = files.flatMap(linesOf).map((line) => line.split('\t'));
  const posts = calls.filter(([, method]) => method === 'POST');
  const asked = posts.filter(([, , at]) => at === '/create-user').length;
  return {
    requests: calls.length,
    posts: posts.length,
    users,
    violations: [
      ...calls
        .filter(([, , , told]) => !/^20[01]$/.test(told ?? ''))
        .map((call) => `failed: ${call.join(' ')}`),
      ...posts
        .filter(([id = '']) => arrived.get(id) !== 1)
        .map(([id = '', , at]) => `done ${arrived.get(id) ?? 0} times: ${id} ${at}`),
      ...(asked === users ? [] : [`${asked} users were asked for, ${users} are there`]),
      ...exits.filter((code) => code !== 0).map((code) => `a replica exited with ${code}`),
    ],
  };
};

const linesOf = (file: string): readonly string[] =>
  readFileSync(file, 'utf8').split('\n').filter(Boolean);
