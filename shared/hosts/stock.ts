/**
 * For the stock command line of functions-framework (`npx functions-framework --target=NAME`) and for Cloud Functions:
 * every function under its own name, as an Express-style handler of two parameters.
 *
 * What only our launcher adds is missing there: limits before the framework inflates and parses, drain, health, and
 * WebSockets: the framework's server ignores Upgrade, so a request for one is forwarded without it and refused behind.
 */
import { readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { systemClock } from '../clock';
import { readConfig } from '../config';
import { systemRandom } from '../random';
import { SUITE_SETTINGS } from '../suite/environment';
import { type Catalogue, ConfigurationError, createSuite } from '../suite/suite';
import { createForwarder } from './forward';
import { createListener, type Listener } from './listener';
import { processLog } from './process-log';

/** The framework has read the body, and inflated it. */
type StockRequest = IncomingMessage & { readonly rawBody?: Buffer };
type StockFunction = (request: StockRequest, response: ServerResponse) => void;

/** The functions by name; each is built when it is first asked for. A wrong environment ends the process with 2. */
export const stockFunctions = (catalogue: Catalogue): Readonly<Record<string, StockFunction>> => {
  const names = [...Object.keys(catalogue), ...pipelineNames()];
  return Object.defineProperties(
    {} as Record<string, StockFunction>,
    Object.fromEntries(names.map((name) => [name, lazily(() => stockFunction(catalogue, name))])),
  );
};

const lazily = <T>(make: () => T): PropertyDescriptor => {
  let made: { readonly value: T } | undefined;
  return {
    enumerable: true,
    get: () => {
      made ??= { value: make() };
      return made.value;
    },
  };
};

/** By their file names; what is in the files is checked when one is asked for. */
const pipelineNames = (): readonly string[] => {
  try {
    const files = readdirSync(path.resolve(process.env.PIPELINES_DIR || './pipelines'));
    return files.flatMap((file) => /^([\w-]+)\.ya?ml$/.exec(file)?.[1] ?? []);
  } catch {
    return [];
  }
};

/** One of them. It is built at once. */
export const stockFunction = (catalogue: Catalogue, name: string): StockFunction => {
  const environment = { ...process.env, FUNCTION_TARGET: name };
  const logAt = processLog(process.env.LOG_LEVEL);
  const building = build();
  return (request, response) =>
    void building.then((listener) => {
      const { rawBody } = request;
      listener(rawBody ? withoutEncoding(request) : request, response, rawBody);
    });

  async function build(): Promise<Listener> {
    try {
      const suite = await createSuite({
        catalogue,
        environment,
        folder: process.cwd(),
        ownUrl: () => `http://localhost:${process.env.PORT || 8080}`,
        log: logAt({}),
        clock: systemClock,
        random: systemRandom,
      });
      await suite.open();
      const { intercept } = suite;
      const { TRUSTED_PROXY_HOPS } = SUITE_SETTINGS;
      const { config } = readConfig({ TRUSTED_PROXY_HOPS }, environment, { production: false });
      const listener = createListener({
        application: suite.application,
        forwarder: createForwarder(),
        log: logAt,
        stopped: new AbortController().signal,
        stopping: () => false,
        verbose: process.env.LOG_LEVEL === 'debug',
        trustedProxyHops: config.TRUSTED_PROXY_HOPS,
        waitUntil: (work) =>
          void work.catch((error: unknown) => logAt({}).error('background_failed', { error })),
      });
      // Who carries the runs may want to call this function first, so nothing waits for it.
      suite.resume().catch(leave);
      if (!intercept) return listener;
      return (incoming, outgoing, collected) => {
        if (!intercept(incoming, outgoing, collected)) listener(incoming, outgoing, collected);
      };
    } catch (error) {
      return leave(error as Error);
    }
  }
};

const leave = (error: Error): never => {
  process.stderr.write(`faas-patterns cannot start. ${error.message}\n`);
  process.exit(error instanceof ConfigurationError ? 2 : 1);
};

/** The bytes are inflated, so the fields that spoke of the others no longer hold. */
const withoutEncoding = (request: StockRequest): IncomingMessage => {
  const kept: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2)
    if (
      !/^(content-encoding|transfer-encoding|content-length)$/i.test(
        request.rawHeaders[i] as string,
      )
    )
      kept.push(request.rawHeaders[i] as string, request.rawHeaders[i + 1] as string);
  kept.push('content-length', String(request.rawBody?.length ?? 0));
  return Object.create(request, { rawHeaders: { value: kept } }) as IncomingMessage;
};
