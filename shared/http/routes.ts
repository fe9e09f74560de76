/** From the path below a function to the handler that was declared for it. */
import type { RoutePattern } from '../define';
import { Failure } from '../failure';
import type { Context, Handler } from '../handler';
import { empty } from './response';

interface Compiled {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly key: RoutePattern;
}

export interface Match {
  readonly key: RoutePattern;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The route of a request: exact segments before `:name` ones before `/*`. HEAD is served by GET.
 * Throws `not_found` and `method_not_allowed` (with Allow).
 */
export type Router = (method: string, path: string) => Match;

export const createRouter = (patterns: readonly RoutePattern[]): Router => {
  const routes = patterns.map(compile).sort((a, b) => weight(a.key) - weight(b.key));
  const literal = new Map<string, Match>();
  /** Routes of which each is one path, by that path; the others are tried in turn. */
  const fixed = new Map<string, Compiled[]>();
  const open: Compiled[] = [];
  for (const route of routes) {
    const { names, key } = route;
    const [, path = ''] = key.split(' ');
    if (names.length > 0 || path.includes('*')) open.push(route);
    else {
      literal.set(key, { key, params: NO_PARAMS });
      fixed.set(path, [...(fixed.get(path) ?? []), route]);
    }
  }
  return (method, path) => {
    const asked = method === 'HEAD' ? 'GET' : method;
    const exact = literal.get(`${asked} ${path}`);
    if (exact) return exact;
    let allowed: Set<string> | undefined;
    for (const list of [fixed.get(path) ?? NO_ROUTES, open])
      for (const route of list) {
        const found = route.pattern.exec(path);
        if (!found) continue;
        if (route.method === '*' || route.method === asked)
          return { key: route.key, params: readParams(route.names, found) };
        allowed ??= new Set();
        allowed.add(route.method);
        if (route.method === 'GET') allowed.add('HEAD');
      }
    if (!allowed) throw new Failure('not_found');
    throw new Failure('method_not_allowed', { headers: { allow: [...allowed].join(', ') } });
  };
};

/** Handlers by route as one handler; OPTIONS is answered with Allow unless declared. */
export const routeTo = (handlers: Readonly<Record<RoutePattern, Handler>>): Handler => {
  const router = createRouter(Object.keys(handlers) as RoutePattern[]);
  return (request, context) => {
    const match = matchOrOptions(router, request.method, context.path);
    if ('allow' in match) return empty({ headers: { allow: match.allow } });
    const handler = handlers[match.key] as Handler;
    const { params } = match;
    return handler(request, params === NO_PARAMS ? context : withParams(context, params));
  };
};

const matchOrOptions = (
  router: Router,
  method: string,
  path: string,
): Match | { readonly allow: string } => {
  try {
    return router(method, path);
  } catch (thrown) {
    if (method === 'OPTIONS' && thrown instanceof Failure && thrown.code === 'method_not_allowed')
      return { allow: thrown.headers.allow as string };
    throw thrown;
  }
};

const withParams = (context: Context, params: Match['params']): Context =>
  Object.create(context, { params: { value: params, enumerable: true } });

const compile = (key: RoutePattern): Compiled => {
  const [method = '', path = ''] = key.split(' ');
  const names: string[] = [];
  const source = path
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:(\w+)/g, (_, name: string) => {
      names.push(name);
      return '([^/]+)';
    })
    .replace(/\*$/, '.*');
  return { method, names, key, pattern: new RegExp(`^${source}$`) };
};

const weight = (key: string): number => (key.endsWith('*') ? 2 : key.includes(':') ? 1 : 0);

const NO_ROUTES: readonly Compiled[] = [];
const NO_PARAMS: Match['params'] = Object.freeze({});

const readParams = (names: readonly string[], found: RegExpExecArray): Match['params'] => {
  if (names.length === 0) return NO_PARAMS;
  try {
    return Object.fromEntries(
      names.map((name, i) => [name, decodeURIComponent(found[i + 1] as string)]),
    );
  } catch {
    throw new Failure('not_found');
  }
};
