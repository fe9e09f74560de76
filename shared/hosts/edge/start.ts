/**
 * The composition root at the edge: from declarations and bindings to one application.
 *
 * Fails closed: everything that is wrong is told in one message, and nothing is served then.
 */
import { explainMistakes, type Mistake, readConfig } from '../../config';
import type { AnyFunction, Need } from '../../define';
import type { Log } from '../../handler';
import type { Platform } from '../../platform';
import { createApp, type Mounted } from '../../suite/app';
import { EDGE_SETTINGS, environmentOf, fetchersOf } from './environment';
import { type EdgeForwarder, edgeForwarder } from './forward';
import { edgePlatform, missingAtEdge } from './platform';
import type { Bindings } from './runtime';

export interface EdgeApplication {
  readonly application: ReturnType<typeof createApp>;
  readonly forward: EdgeForwarder;
  readonly trustedProxyHops: number;
}

/** A worker that may have failed to start. */
export interface Started {
  readonly log: (fields: object) => Log;
  /** Whether the log wants a line for each request that went well. */
  readonly verbose: boolean;
  readonly started: EdgeApplication | undefined;
}

/** Throws a TypeError with all that is wrong. */
export const startEdge = (
  functions: readonly AnyFunction[],
  bindings: Bindings,
  log: Log,
): EdgeApplication => {
  const environment = environmentOf(bindings);
  // A worker is on the internet as soon as it is there: only who says so gets what is open in development.
  const production = environment.NODE_ENV !== 'development';
  const mistakes: Mistake[] = [];
  const { config, mistakes: wrong } = readConfig(EDGE_SETTINGS, environment, { production: false });
  mistakes.push(...wrong);
  const read = functions.map((declaration) => {
    const reading = readConfig(declaration.config, environment, { production });
    mistakes.push(...reading.mistakes, ...unfit(declaration, reading.config));
    return { declaration, config: reading.config };
  });
  const needsSecret = read.some(({ declaration, config }) =>
    needsOf(declaration, config).includes('secret'),
  );
  if (needsSecret && config.SECRET_KEY === undefined)
    mistakes.push({
      name: 'SECRET_KEY',
      message: `is required: ${EDGE_SETTINGS.SECRET_KEY.description}`,
    });
  const fetchers = attempt('EDGE_BINDINGS', mistakes, () =>
    fetchersOf(config.EDGE_BINDINGS ?? [], bindings),
  );
  const platform = attempt('SECRET_KEY', mistakes, () =>
    edgePlatform({
      production,
      log,
      secretKey: config.SECRET_KEY,
      publicUrl: config.PUBLIC_URL?.replace(/\/+$/, ''),
    }),
  );
  refuse(mistakes);
  const mounted = read.map(({ declaration, config }) =>
    attempt(declaration.name, mistakes, () =>
      mount(declaration, config as never, platform as Platform),
    ),
  );
  refuse(mistakes);
  return {
    application: createApp({
      functions: mounted as readonly Mounted[],
      builtIns: {},
      alone: functions.length === 1,
      access: {
        production,
        clock: (platform as Platform).clock,
        adminTokens: config.ADMIN_TOKENS ?? [],
        callerTokens: config.CALLER_TOKENS ?? [],
        ...(config.SECRET_KEY !== undefined && {
          stepKeys: () => (platform as Platform).keys('step'),
        }),
      },
    }),
    forward: edgeForwarder({ fetchers: fetchers ?? new Map() }),
    trustedProxyHops: config.TRUSTED_PROXY_HOPS,
  };
};

const mount = (declaration: AnyFunction, config: never, platform: Platform): Mounted => ({
  declaration,
  handlers: declaration.create(config, platform),
});

const needsOf = ({ needs = [], needsWith }: AnyFunction, config: unknown): readonly Need[] => [
  ...(needs as readonly Need[]),
  ...(needsWith?.(config as never, undefined) ?? []),
];

const unfit = (declaration: AnyFunction, config: unknown): readonly Mistake[] => {
  const { name, runsAt } = declaration;
  if (!runsAt.includes('edge')) return [{ name, message: 'does not run at the edge' }];
  return needsOf(declaration, config).flatMap((need) => {
    const message = missingAtEdge(need);
    return message === undefined ? [] : [{ name, message }];
  });
};

/** What a TypeError says is a mistake of whoever set this up. */
const attempt = <T>(name: string, mistakes: Mistake[], make: () => T): T | undefined => {
  try {
    return make();
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    mistakes.push({ name, message: thrown.message });
    return undefined;
  }
};

const refuse = (mistakes: readonly Mistake[]): void => {
  if (mistakes.length > 0) throw new TypeError(explainMistakes(mistakes));
};
