/**
 * The engine on Restate: runs are virtual objects of a cluster that journals every step and calls our handlers, on
 * whichever host is there. At least once, each step always with the same key.
 *
 * Fails closed: a run that Restate has not recorded is not accepted.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../../clock';
import { Failure } from '../../../failure';
import type { Log } from '../../../handler';
import { type Random, randomId } from '../../../random';
import type { Attempt, GoneTargets } from '../../attempt';
import type { Engine } from '../../engine';
import type { Pipeline, Target } from '../../pipeline';
import { signalGroup } from '../signal-group';
import { createAdmin } from './admin';
import { createAttempts } from './attempts';
import { createCommands } from './commands';
import { createEndpoint, PATH, type RestateEndpoint } from './endpoint';
import { sharedGoneTargets } from './gone-targets';
import { createGraphs } from './graphs';
import { jsonClient } from './http';
import { createHub } from './hub';
import { createIngress } from './ingress';
import { createLists } from './lists';
import { createReader } from './reader';
import { resumeLeft } from './resume';
import { runService } from './run-service';
import { type LoadRestate, loadRestate } from './sdk';
import { smallServices } from './small-services';
import { createStart } from './start';
import { namesIn } from './stored';

export interface RestateEngineOptions {
  /** Base URL of Restate's ingress. */
  readonly ingressUrl: string;
  /** Base URL of Restate's admin interface. */
  readonly adminUrl: string;
  /** A port for HTTP/2, and the address to listen on. @default none: Restate calls below `PATH` of the host */
  readonly listen?: { readonly port: number; readonly host: string } | undefined;
  /** Where Restate reaches this host, or the balancer before all that are like it. @default this process */
  readonly serviceUrl?: string | undefined;
  /** The host's own base URL, once it listens. */
  readonly ownUrl: () => string;
  /** As in `createEndpoint`. */
  readonly identityKeys?: readonly string[] | undefined;
  /** Keeps the runs of this host apart from those of others. @default all that have none share theirs */
  readonly scope?: string | undefined;
  /** What makes the attempts, given the targets that are gone. Called once. */
  readonly createAttempt: (gone: GoneTargets) => Attempt;
  /** Whether a step has an address to go to. */
  readonly isConfigured: (target: Target) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** @default the packages in node_modules */
  readonly load?: LoadRestate;
  /** How long a start waits for Restate, ms. @default 15000 */
  readonly startTimeout?: number;
}

export interface RestateEngine extends Engine {
  /** Answers a request when it is Restate's, by its path; `false`: it is somebody else's. */
  intercept(incoming: IncomingMessage, outgoing: ServerResponse, collected?: Uint8Array): boolean;
}

const START_PAUSE = 200;
/** For what has just ended, and what waits behind it, to reach Restate, ms: else it would be done again, under the same key. */
const FLUSH = 250;

export const restateEngine = (options: RestateEngineOptions): RestateEngine => {
  const { ingressUrl, adminUrl, listen, serviceUrl, ownUrl, identityKeys, scope } = options;
  const {
    createAttempt,
    isConfigured,
    clock,
    random,
    log,
    load = loadRestate,
    startTimeout = 15_000,
  } = options;
  const names = namesIn(scope);
  const pipelines = new Map<string, Pipeline>();
  const ingress = createIngress(jsonClient(ingressUrl), names);
  const admin = createAdmin(jsonClient(adminUrl));
  const closing = signalGroup();
  const hub = createHub();
  const graphs = createGraphs(ingress, names);
  const gone = sharedGoneTargets({ ingress, names, clock, log });
  const makeAttempt = createAttempt(gone);
  const attempts = createAttempts({
    attempt: (call) => gone.refresh()?.then(() => makeAttempt(call)) ?? makeAttempt(call),
    clock,
    log,
  });
  /** Accepted here not long ago. */
  const recent = new Set<string>();
  const isRecent = (id: string) => recent.has(id);
  const reader = createReader({ ingress, names, graphs, hub, clock, closing, isRecent });
  let endpoint: RestateEndpoint | undefined;
  let port: number | undefined;
  let healing: Promise<void> = Promise.resolve();

  /** Until it says yes, or the start takes too long. */
  const insist = async (work: () => Promise<boolean>): Promise<void> => {
    const patience = clock.now() + startTimeout;
    for (;;) {
      const result = await work().catch((error: unknown) => error);
      if (result === true) return;
      if (clock.now() > patience)
        throw new Failure('engine_unavailable', {
          detail: `Restate does not work at ${ingressUrl}.`,
          cause: result,
        });
      await closing.using((signal) => clock.sleep(START_PAUSE, signal));
    }
  };

  return {
    register: (pipeline) => {
      if (pipelines.has(pipeline.name))
        throw new TypeError(`there are two pipelines named ${pipeline.name}`);
      pipelines.set(pipeline.name, pipeline);
    },

    open: async () => {
      const restate = await load();
      const own = { restate, names, attempts, hub, graphOf: graphs.of, isConfigured, clock };
      endpoint = createEndpoint({
        sdk: restate.sdk,
        services: (inlineWait) => [
          runService({ ...own, inlineWait }),
          ...smallServices(restate.sdk, names),
        ],
        ...(identityKeys && { identityKeys }),
        log,
      });
      if (listen) ({ port } = await endpoint.listen(listen.port, listen.host));
      await insist(() => ingress.isHealthy());
    },

    start: createStart({
      ingress,
      names,
      graphs,
      reader,
      pipelines,
      recent,
      isConfigured,
      clock,
      random,
      closing,
    }),
    find: reader.find,
    settled: reader.settled,
    watch: reader.watch,
    inspect: reader.inspect,
    ...createLists(admin, names),
    ...createCommands({ ingress, names, reader, graphs, pipelines, clock, closing }),
    disabledTargets: () => gone.all(),
    enableTarget: (name) => gone.remove(name),

    resume: async () => {
      const own = listen ? `http://127.0.0.1:${port}` : `${localOf(ownUrl())}${PATH}`;
      const uri = serviceUrl ?? own;
      let deployment = '';
      await insist(async () => {
        deployment = await admin.register({ uri, plain: !listen });
        return true;
      });
      await insist(() => gone.all().then(() => true));
      log.info('restate_registered', { uri });
      const mark = randomId(random);
      healing = resumeLeft({ admin, ingress, names, clock, log, deployment, mark }).catch(
        (error: unknown) => log.error('resume_failed', { error }),
      );
    },

    intercept: (incoming, outgoing, collected) => {
      const { url = '' } = incoming;
      if (!endpoint || listen || !(url === PATH || url.startsWith(`${PATH}/`))) return false;
      endpoint.handle(incoming, outgoing, collected);
      return true;
    },

    close: async (signal) => {
      closing.abort();
      attempts.close();
      endpoint?.drain();
      if (signal.aborted) attempts.cut();
      else signal.addEventListener('abort', attempts.cut, { once: true });
      await attempts.idle();
      signal.removeEventListener('abort', attempts.cut);
      await clock.sleep(FLUSH, signal).catch(() => undefined);
      await endpoint?.close();
      attempts.cut();
      await healing;
      ingress.close();
      admin.close();
    },
  };
};

/** Restate may find another address behind the name than the one that we listen on. */
const localOf = (url: string): string => url.replace('//localhost', '//127.0.0.1');
