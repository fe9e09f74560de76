/**
 * What is measured: each row is { name, driver, pids, stop }, a process that is told how many runs to keep under way,
 * and the processes whose CPU time counts.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundled, SOURCES } from './bundles.mjs';
import { startPostgres, startRedis } from './databases.mjs';
import { builtHost, startClient, startHost } from './hosts.mjs';
import { answerOf, MEASURED, scratch, startNode } from './process.mjs';
import { HOSTS, startOnRestate } from './restate.mjs';

export { HTTP2 as RESTATE_HTTP2 } from './restate.mjs';

const { INPUT } = createRequire(import.meta.url)(path.join(SOURCES, 'input.cjs'));

export const BODY = JSON.stringify(INPUT);
export const SUCCEEDED = '"state":"succeeded"';

export const HOST_PROMISE_ALL = 'functions-framework host, Promise.all';
export const HOST_LOCAL = 'functions-framework host, local engine';
export const PROMISE_ALL = 'in process, Promise.all';
export const PROMISE_ALL_BARE = 'in process, Promise.all, bare node:http';
export const LOCAL = 'in process, local engine';
export const LOCAL_BARE = 'in process, local engine, bare node:http';
export const BULLMQ = 'in process, BullMQ flow (Redis, appendfsync always)';
export const DBOS = 'in process, DBOS (Postgres, fsync on)';

const hosted = (name, file, own) => async (environment) => {
  const { folder, remove } = scratch();
  const host = await startHost(file, { environment: { ...environment, ...own }, folder });
  const client = await startClient({ port: host.port, body: BODY, answer: SUCCEEDED });
  return {
    name,
    driver: client,
    pids: [host.pid],
    stop: async () => {
      await Promise.all([client.kill(), host.kill()]);
      remove();
    },
  };
};

const inProcess =
  (name, file, provide = async () => ({})) =>
  async (environment) => {
    const { folder, remove } = scratch();
    const { environment: own, pids = [], stop = () => {} } = await provide(folder);
    const driver = startNode([file], {
      core: MEASURED,
      folder,
      environment: { ...environment, ...own },
      ipc: true,
    });
    await answerOf(driver);
    return {
      name,
      driver,
      pids: [driver.pid, ...pids],
      stop: async () => {
        await driver.kill();
        await stop();
        remove();
      },
    };
  };

const onRestate =
  ([name, host]) =>
  async (environment) => {
    const { folder, remove } = scratch();
    const { port, pids, stop } = await startOnRestate(host, {
      environment: { ...environment, FUNCTION_TARGET: 'fan-out' },
      folder,
    });
    const client = await startClient({ port, body: BODY, answer: SUCCEEDED });
    return {
      name,
      driver: client,
      pids,
      stop: async () => {
        await client.kill();
        await stop();
        remove();
      },
    };
  };

const DELIVERY = bundled('delivery');

const local = async (folder) => ({
  environment: { ENGINE_URL: `local:${path.join(folder, 'runs.db')}` },
});

const redis = async () => {
  const { port, pid, stop } = await startRedis();
  return { environment: { DELIVERY, REDIS_PORT: `${port}` }, pids: [pid], stop };
};

const postgres = async () => {
  const { url, pid, stop } = await startPostgres();
  return { environment: { DELIVERY, POSTGRES_URL: url }, pids: [pid], stop };
};

/** Each starts a row, given the environment of the receivers. */
export const ROWS = [
  hosted(HOST_PROMISE_ALL, bundled('promise-all-host'), { FUNCTION_TARGET: 'promise-all' }),
  hosted(HOST_LOCAL, builtHost('functions-framework'), {
    FUNCTION_TARGET: 'fan-out',
    ENGINE_URL: 'local:./runs.db',
  }),
  inProcess(PROMISE_ALL, bundled('promise-all')),
  inProcess(PROMISE_ALL_BARE, bundled('promise-all-bare')),
  inProcess(LOCAL, bundled('in-process'), local),
  inProcess(LOCAL_BARE, bundled('in-process-bare'), local),
  inProcess(BULLMQ, path.join(SOURCES, 'bullmq.cjs'), redis),
  inProcess(DBOS, path.join(SOURCES, 'dbos.cjs'), postgres),
  ...Object.entries(HOSTS).map(onRestate),
];
