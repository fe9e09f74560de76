/** The declaration of a function: the one source of its routes, environment, callers, limits, docs and map. */
import type { ConfigOf, Settings } from './config';
import type { Handler } from './handler';
import type { Files, Platform } from './platform';

export type Kind = 'decorator' | 'event' | 'pipeline' | 'serving' | 'ownership';

/**
 * Who may call. `public`: everyone; `backend`: our own steps (signed) and bearers of CALLER_TOKENS;
 * `admin`: bearers of ADMIN_TOKENS. Development on loopback is open.
 */
export type Callers = 'public' | 'backend' | 'admin';

/**
 * `json`: at most 1 MiB raw and inflated, refused before it is read when declared larger.
 * `stream`: bytes and content-encoding untouched, no limit.
 */
export type BodyMode = 'json' | 'stream';

/** A part of the platform that a function uses; production refuses to start without the settings of each. */
export type Need = 'store' | 'secret' | 'mail' | 'sms' | 'engine';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | '*';
/** Below the function: `POST /`, `GET /runs/:id`, and `* /*` for all that is left. HEAD goes with GET. */
export type RoutePattern = `${Method} /${string}`;

export interface Route {
  readonly summary: string;
  /** @default the function's */
  readonly callers?: Callers;
  /** A request that works on a fresh development start: shown as curl on `/` and in the docs. @default none */
  readonly example?: {
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    readonly path?: string;
  };
}

export interface FunctionDeclaration<
  S extends Settings = Settings,
  R extends RoutePattern = RoutePattern,
> {
  /** kebab-case; its folder and its first path segment. */
  readonly name: string;
  readonly kind: Kind;
  readonly summary: string;
  readonly runsAt: readonly ('node' | 'edge')[];
  readonly callers: Callers;
  readonly body: { readonly mode: BodyMode };
  /** @default none */
  readonly needs?: readonly Need[];
  /** What it uses besides, with these settings. @default nothing */
  readonly needsWith?: (config: ConfigOf<S>, files: Files | undefined) => readonly Need[];
  /** Its environment variables; each name begins with the function's, `ADD_DEFAULTS_TARGET`, or is `shared`. */
  readonly config: S;
  readonly routes: { readonly [K in R]: Route };
  /** Types of the CloudEvents that it is to be sent. @default none */
  readonly on?: readonly string[];
  /** Types of the CloudEvents that it sends. @default none */
  readonly emits?: readonly string[];
  /** Whom it calls, by function name or URL. @default nobody */
  readonly calls?: (config: ConfigOf<S>, files?: Files) => readonly string[];
  /** Called once, at start. Throws a TypeError for a combination of settings that cannot work. */
  readonly create: (config: ConfigOf<S>, platform: Platform) => { readonly [K in R]: Handler };
}

/** Keeps the types of the settings and routes; does nothing else, so that importing a function does nothing. */
export const defineFunction = <const S extends Settings, R extends RoutePattern>(
  declaration: FunctionDeclaration<S, R>,
): FunctionDeclaration<S, R> => declaration;

/** A declaration of any settings and routes, as the suite handles them. */
// biome-ignore lint/suspicious/noExplicitAny: the settings of different functions have nothing in common
export type AnyFunction = FunctionDeclaration<any, any>;
