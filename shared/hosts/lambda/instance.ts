/** What one instance is made of: built once, for all invocations that it will see. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock } from '../../clock';
import type { Environment } from '../../config';
import type { Log } from '../../handler';
import type { Random } from '../../random';
import { type Catalogue, createSuite } from '../../suite/suite';
import { createForwarder } from '../forward';
import { createListener } from '../listener';
import type { NodeRequest } from '../node-request';
import type { Invocation } from './invocation';
import type { HostSettings } from './settings';

export interface InstanceOptions {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly folder: string;
  readonly settings: HostSettings;
  readonly log: (fields: object) => Log;
  readonly random: Random;
}

export interface Serving {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly body: Uint8Array | undefined;
  /** Whether the platform itself has sent it, as whoever set this up has told it to. */
  readonly vouched: boolean;
}

export interface Instance {
  serve(serving: Serving, invocation: Invocation): void;
}

/** Rejects with a `ConfigurationError` that tells all that is wrong, or with what may be well the next time. */
export const startInstance = async (options: InstanceOptions): Promise<Instance> => {
  const { settings, log, random, environment } = options;
  const delivered = new WeakSet<IncomingMessage>();
  const suite = await createSuite({
    ...options,
    // Nobody tells an instance its address; where one is needed, PUBLIC_URL is.
    ownUrl: () => 'http://localhost',
    log: log({}),
    clock: systemClock,
    freezes: true,
    found: settings.mistakes,
    vouched: (request) => delivered.has((request as unknown as NodeRequest).incoming),
  });
  // Nothing is resumed, so background work never begins: between two invocations nothing would go on.
  await suite.open();
  const forwarder = createForwarder();
  const { application, intercept } = suite;
  const own = `/${environment.FUNCTION_TARGET}`;
  return {
    serve: ({ incoming, outgoing, body, vouched }, { stopped, waitUntil }) => {
      if (intercept) {
        // Many share a gateway, so what is the engine's is found below the function as well.
        const { url = '/' } = incoming;
        if (url.startsWith(`${own}/restate`)) incoming.url = url.slice(own.length);
        if (intercept(incoming, outgoing, body)) return;
        incoming.url = url;
      }
      if (vouched) delivered.add(incoming);
      const listener = createListener({
        application,
        forwarder,
        log,
        stopped,
        stopping: () => false,
        verbose: settings.logLevel === 'debug',
        trustedProxyHops: settings.trustedProxyHops,
        waitUntil,
        random,
      });
      listener(incoming, outgoing, body);
    },
  };
};
