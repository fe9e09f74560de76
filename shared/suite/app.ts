/** All served functions behind one handler: finds the function, then its route, then whether this caller may. */
import { type AllowOptions, allow } from '../callers';
import type { AnyFunction, Callers, Route, RoutePattern } from '../define';
import { Failure } from '../failure';
import type { Handler } from '../handler';
import type { HostContext } from '../hosts/listener';
import { MAX_BODY, tooLarge } from '../http/body';
import { routeTo } from '../http/routes';

/** A declaration with the handlers that its `create` gave. */
export interface Mounted {
  readonly declaration: AnyFunction;
  readonly handlers: Readonly<Record<RoutePattern, Handler>>;
}

/** A page of the suite itself: the list of functions, the outbox. */
export interface BuiltIn {
  readonly callers: Callers;
  readonly handler: Handler;
}

export interface AppOptions {
  readonly functions: readonly Mounted[];
  /** By their exact path. */
  readonly builtIns: Readonly<Record<string, BuiltIn>>;
  /** One function alone also answers at the root, as Cloud Functions and Cloud Run address it. */
  readonly alone: boolean;
  readonly access: Omit<AllowOptions, 'callers'>;
}

export const createApp = ({ functions, builtIns, alone, access }: AppOptions) => {
  const guarded = new Map(
    functions.map((mounted) => [mounted.declaration.name as string, guard(mounted, access)]),
  );
  const pages = new Map(
    Object.entries(builtIns).map(([path, { callers, handler }]) => [
      path,
      allow({ ...access, callers })(handler),
    ]),
  );
  const [only] = alone ? functions.map((mounted) => guard(atRoot(mounted), access)) : [];
  return (request: Request, context: HostContext): Response | Promise<Response> => {
    const { path } = context;
    const end = path.indexOf('/', 1);
    const handler = guarded.get(end < 0 ? path.slice(1) : path.slice(1, end));
    if (handler) {
      context.path = end < 0 ? '/' : path.slice(end);
      return handler(request, context);
    }
    const page = pages.get(path);
    if (page) return page(request, context);
    if (only) return only(request, context);
    throw new Failure('not_found');
  };
};

/**
 * What takes whatever comes takes all of it at the root, where the paths are those of the server behind: its own routes
 * are below its name alone.
 */
const atRoot = ({ declaration, handlers }: Mounted): Mounted => {
  const all = handlers['* /*'];
  return { declaration, handlers: all ? { '* /*': all } : handlers };
};

const guard = ({ declaration, handlers }: Mounted, access: AppOptions['access']): Handler => {
  const { body, callers, routes } = declaration;
  const entries = Object.entries(handlers).map(([key, handler]) => {
    const allowed = allow({
      ...access,
      callers: (routes as Record<string, Route>)[key]?.callers ?? callers,
    });
    return [key, allowed(handler as Handler)] as const;
  });
  const routed = routeTo(Object.fromEntries(entries) as Record<RoutePattern, Handler>);
  return body.mode === 'stream' ? routed : limited(routed);
};

/** A body that declares itself too large is refused before a byte of it is read. */
const limited =
  (next: Handler): Handler =>
  (request, context) => {
    const length = request.headers.get('content-length');
    if (length !== null && Number(length) > MAX_BODY) throw tooLarge(MAX_BODY);
    return next(request, context);
  };
