/**
 * Runs the suite on a host until it is told to stop: the whole life of a server process.
 *
 * Exit codes: 0 after a drain, 1 when the host cannot run, 2 when the environment is wrong (before it listens).
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../clock';
import { type Environment, readConfig } from '../config';
import { Failure } from '../failure';
import { systemRandom } from '../random';
import { SUITE_SETTINGS } from '../suite/environment';
import { type Catalogue, ConfigurationError, createSuite, type Suite } from '../suite/suite';
import { announce } from './announce';
import { createForwarder } from './forward';
import { createListener, type Listener } from './listener';
import { processLog } from './process-log';
import { createServer, drain, drainTimes, listen } from './server';

/** From the first moment that requests are taken until that is said, ms. */
const ANNOUNCE_AFTER = 10;

/** Puts the listener behind what a host has in front of its functions; the node host has nothing. */
export type Front = (listener: Listener) => Listener;

export interface RunOptions {
  readonly host: string;
  readonly catalogue: Catalogue;
  /** The one function to serve. @default what FUNCTION_TARGET names, or all */
  readonly target?: string;
  /** @default none */
  readonly front?: Front;
}

export const run = async ({
  host: hostName,
  catalogue,
  target,
  front = (listener) => listener,
}: RunOptions): Promise<void> => {
  const environment: Environment =
    target === undefined ? process.env : { ...process.env, FUNCTION_TARGET: target };
  // What the host itself must know; the suite reads all, and tells what is wrong.
  const { LOG_LEVEL, PORT, HOST, TRUSTED_PROXY_HOPS, DRAIN_DELAY } = SUITE_SETTINGS;
  const own = { LOG_LEVEL, PORT, HOST, TRUSTED_PROXY_HOPS, DRAIN_DELAY };
  const { config } = readConfig(own, environment, { production: false });
  const logAt = processLog(config.LOG_LEVEL);
  const log = logAt({});
  let address: AddressInfo | undefined;
  const ownUrl = () => `http://localhost:${address?.port ?? config.PORT}`;
  const suite = await createOrExit(() =>
    createSuite({
      catalogue,
      environment,
      folder: process.cwd(),
      ownUrl,
      log,
      clock: systemClock,
      random: systemRandom,
    }),
  );

  const times = drainTimes({ production: suite.production, delay: config.DRAIN_DELAY });
  const stopping = new AbortController();
  let closing = false;
  const cutting = new AbortController();
  const forwarder = createForwarder();
  const background = new Set<Promise<unknown>>();
  const listener = front(
    createListener({
      application: suite.application,
      forwarder,
      log: logAt,
      stopped: cutting.signal,
      stopping: () => closing,
      verbose: config.LOG_LEVEL === 'debug',
      trustedProxyHops: config.TRUSTED_PROXY_HOPS,
      waitUntil: (work) => {
        const kept = work
          .catch((error: unknown) => log.error('background_failed', { error }))
          .finally(() => background.delete(kept));
        background.add(kept);
      },
    }),
  );
  let started = false;
  const { intercept } = suite;
  const served: Listener = intercept
    ? (incoming, outgoing) => {
        if (!intercept(incoming, outgoing)) listener(incoming, outgoing);
      }
    : listener;
  const server = createServer(served, { ready: () => started && !stopping.signal.aborted });

  const stop = (reason: string): void => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
    log.info('stopping', { reason });
    const late = setTimeout(() => {
      log.warn('drain_timed_out');
      cutting.abort(new Failure('stopping'));
      server.closeAllConnections();
      // What was told to stop has a moment to do so.
      setTimeout(() => process.exit(0), 500);
    }, times.timeout);
    const close = () => {
      closing = true;
      return Promise.all([drain(server, times), suite.stop(cutting.signal)]);
    };
    (times.delay > 0 ? sleep(times.delay).then(close) : close())
      .then(() => Promise.all(background))
      .then(() => Promise.all([suite.close(), forwarder.close()]))
      .catch((error: unknown) => log.error('stop_failed', { error }))
      .finally(() => {
        clearTimeout(late);
        log.info('stopped');
        process.exitCode = 0;
        process.stdout.write('', () => process.exit());
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('uncaughtException', (error) => {
    log.error('uncaught_exception', { error });
    process.exit(1);
  });

  try {
    await suite.open();
    address = await listen(
      server,
      config.PORT ?? 8080,
      config.HOST ?? (suite.production ? '0.0.0.0' : '127.0.0.1'),
    );
    await suite.resume();
  } catch (error) {
    process.stderr.write(`faas-patterns cannot start: ${explain(error, config.PORT)}\n`);
    process.exit(error instanceof Failure ? 2 : 1);
  }
  started = true;
  const listening = { suite, address, log, host: hostName };
  // Whoever waits for the first answer does not wait for this.
  setTimeout(() => {
    if (!stopping.signal.aborted)
      announce({ ...listening, write: (text) => process.stdout.write(text) });
  }, ANNOUNCE_AFTER);
};

const createOrExit = async (create: () => Promise<Suite>): Promise<Suite> => {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`faas-patterns cannot start. ${error.message}\n`);
    process.exit(2);
  }
};

const explain = (error: unknown, port: number | undefined): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `port ${port} is in use; set PORT to another one`;
  if (code === 'EACCES') return `port ${port} needs more rights; set PORT to one above 1023`;
  return message;
};
