/** The environment of one function in production: its own variables and those of the suite that it makes use of. */
import type { Setting, Settings } from '../../config';
import type { AnyFunction, Callers, Need, Route } from '../../define';
import { NEEDED_SETTINGS, SUITE_SETTINGS } from '../../suite/environment';

type SuiteName = keyof typeof SUITE_SETTINGS;

export interface Variable {
  readonly name: string;
  readonly setting: Setting;
  /** Without a value it does not start. */
  readonly required: boolean;
}

/**
 * Without what the platform itself decides: PORT, HOST, NODE_ENV, FUNCTION_TARGET, PIPELINES_DIR, K_SINK.
 * The function's own come first.
 */
export const environmentOf = (declaration: AnyFunction): readonly Variable[] => {
  const needed = suiteNeeds(declaration);
  return [
    ...Object.entries(declaration.config as Settings).map(([name, setting]) => ({
      name,
      setting,
      required: setting.required !== undefined,
    })),
    ...[...new Set([...needed, ...suiteUses(declaration)])]
      .filter((name) => !Object.hasOwn(declaration.config, name))
      .map((name) => ({ name, setting: SUITE_SETTINGS[name], required: needed.includes(name) })),
  ];
};

const suiteNeeds = (declaration: AnyFunction): readonly SuiteName[] => [
  ...(declaration.needs ?? []).flatMap((need: Need) => NEEDED_SETTINGS[need]),
  // Alone it serves none of those that its steps call.
  ...(declaration.kind === 'pipeline' && callsFunctions(declaration)
    ? (['FUNCTIONS_URL'] as const)
    : []),
];

const suiteUses = (declaration: AnyFunction): readonly SuiteName[] => {
  const callers = callersOf(declaration);
  return [
    ...(declaration.needsWith ? (['STORE_URL'] as const) : []),
    ...(callers.has('backend') ? (['SECRET_KEY', 'CALLER_TOKENS'] as const) : []),
    ...(callers.has('admin') ? (['ADMIN_TOKENS'] as const) : []),
    ...(declaration.kind === 'pipeline'
      ? ([
          'RESTATE_ADMIN_URL',
          'RESTATE_SERVICE_URL',
          'RESTATE_IDENTITY_KEYS',
          'WEBHOOK_SECRET',
          'WEBHOOK_ALLOW',
        ] as const)
      : []),
    'TRUSTED_PROXY_HOPS',
    'LOG_LEVEL',
  ];
};

const callsFunctions = ({ calls }: AnyFunction): boolean =>
  calls?.({}).some((callee: string) => !URL.canParse(callee)) ?? false;

/** Of all of its routes. */
export const callersOf = ({ callers, routes }: AnyFunction): ReadonlySet<Callers> =>
  new Set(Object.values(routes as Record<string, Route>).map((route) => route.callers ?? callers));
