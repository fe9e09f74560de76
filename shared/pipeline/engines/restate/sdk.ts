/**
 * The part of Restate's SDK that is used here, as types of our own: the packages are optional peers, loaded when an
 * engine needs them and not before. All else may import these types without them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

/** What the tools of this suite are tested with; see docs/restate.md. */
export const INSTALL =
  'npm install @restatedev/restate-sdk@~1.17.2 @restatedev/restate-sdk-gen@~1.17.2';

/** A value to come, or work to be done: `yield*` gives the value. */
export interface Operation<T> {
  [Symbol.iterator](): Iterator<unknown, T, unknown>;
}

export interface RestatePromise<T> extends Promise<T> {
  map<U>(mapper: (value?: T, failure?: Error) => U): RestatePromise<U>;
}

/** What a handler of a virtual object is given; a shared one must not write. */
export interface ObjectContext {
  readonly key: string;
  request(): { readonly id: string; readonly attemptCompletedSignal: AbortSignal };
  get<T>(name: string): Promise<T | null>;
  set(name: string, value: unknown): void;
  clear(name: string): void;
  clearAll(): void;
  run<T>(name: string, action: () => Promise<T> | T): Promise<T>;
  awakeable<T>(): { readonly id: string; readonly promise: RestatePromise<T> };
  resolveAwakeable(id: string, payload: unknown): void;
  attach<T>(invocation: string): RestatePromise<T>;
  invocation(id: string): { signal(name: string): { resolve(payload: unknown): void } };
  /** `invocationId` resolves when Restate has recorded the call, and all that came before it. */
  genericSend(call: GenericSend): { readonly invocationId: Promise<string> };
}

export interface GenericSend {
  readonly service: string;
  readonly key: string;
  readonly method: string;
  readonly parameter: unknown;
  readonly inputSerde: unknown;
  readonly idempotencyKey?: string;
  /** ms */
  readonly delay?: number;
}

type ObjectHandler = (context: ObjectContext, input: never) => Promise<unknown>;

/** Durations in ms. */
export interface HandlerOptions {
  readonly idempotencyRetention?: number;
  readonly journalRetention?: number;
  readonly explicitCancellation?: boolean;
}

export interface ServiceOptions {
  readonly inactivityTimeout?: number;
  readonly abortTimeout?: number;
  readonly retryPolicy?: {
    readonly initialInterval: number;
    readonly maxInterval: number;
    readonly exponentiationFactor: number;
    readonly maxAttempts: number;
  };
}

export type ServiceDefinition = { readonly name: string };
/** Takes what `node:http` gives, or the same in HTTP/2. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void;

interface SdkLogLine {
  readonly level: string;
}

export interface Sdk {
  object(definition: {
    readonly name: string;
    readonly handlers: Readonly<Record<string, unknown>>;
    readonly options: ServiceOptions;
  }): ServiceDefinition;
  readonly handlers: {
    readonly object: {
      exclusive(options: HandlerOptions, handler: ObjectHandler): unknown;
      shared(options: HandlerOptions, handler: ObjectHandler): unknown;
    };
  };
  readonly RestatePromise: {
    race<T>(promises: readonly RestatePromise<T>[]): RestatePromise<T>;
  };
  readonly serde: { readonly json: unknown };
  createEndpointHandler(options: {
    readonly services: readonly ServiceDefinition[];
    readonly bidirectional: boolean;
    readonly identityKeys?: readonly string[];
    readonly logger: (line: SdkLogLine, ...parts: readonly unknown[]) => void;
  }): NodeHandler;
}

export interface Gen {
  gen<T>(body: () => Generator<unknown, T, unknown>): Operation<T>;
  execute<T>(context: ObjectContext, operation: Operation<T>): Promise<T>;
  run<T>(
    action: (options: { readonly signal: AbortSignal }) => Promise<T>,
    options: { readonly name: string },
  ): Operation<T>;
  sleep(ms: number, name: string): Operation<undefined>;
  signal<T>(name: string): Operation<T>;
  select(
    branches: Readonly<Record<string, Operation<unknown>>>,
  ): Operation<{ readonly tag: string; readonly future: Operation<unknown> }>;
}

export interface Restate {
  readonly sdk: Sdk;
  readonly gen: Gen;
}

/** Rejects with a TypeError that says how to install what is missing. */
export type LoadRestate = () => Promise<Restate>;

/** Loads the SDK from the first of these folders, or from one above it, that has it in its node_modules. */
export const loadFrom =
  (folders: readonly string[]): LoadRestate =>
  async () => {
    addWithResolvers();
    return {
      sdk: load<Sdk>('@restatedev/restate-sdk', folders),
      gen: load<Gen>('@restatedev/restate-sdk-gen', folders),
    };
  };

/** From the folder that the process runs in, or the one that its program is in; and from NODE_PATH. */
export const loadRestate: LoadRestate = () =>
  loadFrom([process.cwd(), path.dirname(process.argv[1] ?? '.')])();

const load = <T>(name: string, folders: readonly string[]): T => {
  for (const folder of folders) {
    const require = createRequire(path.join(folder, 'any.js'));
    try {
      return require(require.resolve(name)) as T;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'MODULE_NOT_FOUND' || !message.includes(name)) throw error;
    }
  }
  throw new TypeError(`names restate, whose SDK is not installed: ${INSTALL}`);
};

/** The SDK needs `Promise.withResolvers`, which Node has from version 22 on; without it every call would hang. */
const addWithResolvers = (): void => {
  if ('withResolvers' in Promise) return;
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: function withResolvers<T>(this: PromiseConstructor) {
      let resolve: ((value: T) => void) | undefined;
      let reject: ((reason: unknown) => void) | undefined;
      const promise = new this<T>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      return { promise, resolve, reject };
    },
  });
};
