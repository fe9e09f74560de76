/**
 * The composition root: from the catalogue and the environment to one application.
 *
 * Everything that can be wrong is found before anything listens, and told in one message.
 */
import type { Clock } from '../clock';
import { type Environment, explainMistakes, type Mistake, readConfig } from '../config';
import type { AnyFunction, Need } from '../define';
import type { Handler, Log } from '../handler';
import type { Application } from '../hosts/listener';
import { nodeFiles } from '../hosts/node-files';
import type { HostedEngine } from '../pipeline/open';
import type { Platform } from '../platform';
import type { Random } from '../random';
import { type BuiltIn, createApp, type Mounted } from './app';
import type { Catalogue } from './catalogue';
import { describeFunction, type FunctionDescription } from './describe';
import { SUITE_SETTINGS, type SuiteConfig } from './environment';
import { frozenMistakes } from './frozen';
import { missingPackages } from './packages';
import { createPlatform, type OpenPlatform } from './platform';
import { checkValues, missingSettings, restateMistakes } from './requirements';
import { selectFunctions } from './select';

export type { Catalogue } from './catalogue';

export interface SuiteOptions {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  /** Where relative paths start. */
  readonly folder: string;
  /** The host's own base URL, once it listens. */
  readonly ownUrl: () => string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the platform may stop the process between two requests, and keeps nothing of it. @default false */
  readonly freezes?: boolean;
  /** What the host has found wrong already, to be told with the rest. @default nothing */
  readonly found?: readonly Mistake[];
  /** As in `allow`. @default nobody's */
  readonly vouched?: (request: Request) => boolean;
}

export interface Suite {
  readonly application: Application;
  readonly production: boolean;
  describe(): readonly FunctionDescription[];
  /** Answers a request that is for the engine, by its path; `false`: it is for the application. @default there is none */
  readonly intercept?: NonNullable<HostedEngine['intercept']>;
  /** Takes hold of what one process must have for itself. Called before the host listens. */
  open(): Promise<void>;
  /** Goes on with what a crash or a stop has left. Called once the host can be reached. */
  resume(): Promise<void>;
  /** Begins nothing new and waits for the work under way, until the signal aborts it. */
  stop(signal: AbortSignal): Promise<void>;
  /** Closes the store; the last call. */
  close(): Promise<void>;
}

/** The environment is wrong: the message says all that is. Hosts exit with 2. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

export const createSuite = async (options: SuiteOptions): Promise<Suite> => {
  const { environment, clock } = options;
  const production = environment.NODE_ENV === 'production';
  const mistakes: Mistake[] = [...(options.found ?? [])];
  const config = readAll(SUITE_SETTINGS, environment, false, mistakes) as SuiteConfig;
  const { functions: declarations, subscribers } = await selectFunctions({
    ...options,
    config,
    mistakes,
  });
  const configured = declarations.map((declaration) => ({
    declaration,
    config: readAll(declaration.config, environment, production, mistakes),
  }));
  const needs = new Set(
    configured.flatMap(({ declaration: { needs = [], needsWith }, config }) => [
      ...(needs as readonly Need[]),
      ...(needsWith?.(config as never, nodeFiles(options.folder)) ?? []),
    ]),
  );
  mistakes.push(...missingSettings(needs, config, production));
  mistakes.push(...restateMistakes(config, production));
  mistakes.push(...missingPackages(needs, config, { production }));
  if (options.freezes) mistakes.push(...frozenMistakes(needs, config, mistakes));
  mistakes.push(...(await checkValues(config)));
  refuse(mistakes);

  const platform = await createPlatform({ ...options, config, production, needs, subscribers });
  const functions = configured.map((one) => mount(one, platform, mistakes));
  refuse(mistakes);
  const alone = config.FUNCTION_TARGET !== undefined;
  const describe = () =>
    configured.map(({ declaration, config }) =>
      describeFunction(declaration, {
        config,
        files: platform.files,
        url: platform.publicUrl(),
      }),
    );
  const application = createApp({
    functions,
    alone,
    builtIns: builtIns({ alone, production, describe, platform }),
    access: {
      production,
      clock,
      adminTokens: config.ADMIN_TOKENS ?? [],
      callerTokens: config.CALLER_TOKENS ?? [],
      ...(options.vouched && { vouched: options.vouched }),
      ...(!(production && config.SECRET_KEY === undefined) && {
        stepKeys: () => platform.keys('step'),
      }),
    },
  });
  const { intercept } = needs.has('engine') ? platform.engine : {};
  return {
    application,
    production,
    describe,
    ...(intercept && { intercept }),
    open: async () => {
      if (needs.has('engine')) await platform.engine.open();
    },
    resume: async () => {
      platform.resume();
      if (needs.has('engine')) await platform.engine.resume();
    },
    stop: (signal) => platform.stop(signal),
    close: () => platform.close(),
  };
};

const readAll = (
  settings: AnyFunction['config'],
  environment: Environment,
  production: boolean,
  mistakes: Mistake[],
): Readonly<Record<string, unknown>> => {
  const reading = readConfig(settings, environment, { production });
  mistakes.push(...reading.mistakes);
  return reading.config as Readonly<Record<string, unknown>>;
};

const refuse = (mistakes: readonly Mistake[]): void => {
  if (mistakes.length > 0) throw new ConfigurationError(explainMistakes(mistakes));
};

const mount = (
  {
    declaration,
    config,
  }: { readonly declaration: AnyFunction; readonly config: Readonly<Record<string, unknown>> },
  platform: Platform,
  mistakes: Mistake[],
): Mounted => {
  try {
    return { declaration, handlers: declaration.create(config as never, platform) };
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    mistakes.push({ name: declaration.name, message: thrown.message });
    return { declaration, handlers: {} };
  }
};

interface BuiltInOptions {
  readonly alone: boolean;
  readonly production: boolean;
  readonly describe: () => readonly FunctionDescription[];
  readonly platform: OpenPlatform;
}

const builtIns = ({
  alone,
  production,
  describe,
  platform,
}: BuiltInOptions): Readonly<Record<string, BuiltIn>> => ({
  ...(!alone && { '/': { callers: 'admin', handler: index(describe, !production) } }),
  ...(!production && { '/outbox': { callers: 'admin', handler: outbox(platform) } }),
});

/** Pages are for people: they load when somebody looks. */
const index =
  (describe: BuiltInOptions['describe'], development: boolean): Handler =>
  async (request, context) =>
    (await import('../pages/index-page')).indexPage({ describe, development })(request, context);

const outbox =
  ({ openStore }: OpenPlatform): Handler =>
  async (request, context) =>
    (await import('../pages/outbox')).outboxPage(await openStore())(request, context);
