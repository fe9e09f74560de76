/** What a declaration says, as data: for `functions --json`, for the list at `/`, and for docs. */
import type { Setting } from '../config';
import type { AnyFunction, Callers, Route } from '../define';
import type { Files } from '../platform';

export interface RouteDescription {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly callers: Callers;
  /** A command that works on a fresh development start. */
  readonly curl?: string;
}

export interface FunctionDescription {
  readonly name: string;
  readonly kind: string;
  readonly summary: string;
  readonly runsAt: readonly string[];
  readonly callers: Callers;
  readonly routes: readonly RouteDescription[];
  /** JSON Schema of its environment variables. */
  readonly config: {
    readonly type: 'object';
    readonly properties: Readonly<Record<string, Setting>>;
    readonly required: readonly string[];
  };
  /** Whom it calls: functions by name, others by URL. */
  readonly calls: readonly string[];
  /** Types of the events that start it, and of those that it sends. */
  readonly on: readonly string[];
  readonly emits: readonly string[];
}

export interface DescribeOptions {
  /** The settings as read; a part may be missing. @default none: only fixed edges are shown */
  readonly config?: Readonly<Record<string, unknown>>;
  /** @default none: what a function would find in a file is not shown */
  readonly files?: Files | undefined;
  /** Base of the curl commands. @default 'http://localhost:8080' */
  readonly url?: string;
}

export const describeFunction = (
  declaration: AnyFunction,
  { config = {}, files, url = 'http://localhost:8080' }: DescribeOptions = {},
): FunctionDescription => {
  const { name, kind, summary, runsAt, callers, routes, calls, on = [], emits = [] } = declaration;
  const settings = declaration.config as Readonly<Record<string, Setting>>;
  return {
    name,
    kind,
    summary,
    runsAt,
    callers,
    routes: Object.entries(routes as Record<string, Route>).map(([key, route]) =>
      describeRoute(declaration, key, route, url),
    ),
    config: {
      type: 'object',
      properties: settings,
      required: Object.keys(settings).filter((key) => settings[key]?.required === 'always'),
    },
    calls: calls?.(config as never, files) ?? [],
    on,
    emits,
  };
};

const describeRoute = (
  { name, callers }: AnyFunction,
  key: string,
  route: Route,
  url: string,
): RouteDescription => {
  const [method = '', path = ''] = key.split(' ');
  return {
    method,
    path: `/${name}${path === '/' ? '' : path}`,
    summary: route.summary,
    callers: route.callers ?? callers,
    ...(route.example && { curl: curlOf(`${url}/${name}`, method, path, route.example) }),
  };
};

const curlOf = (
  base: string,
  method: string,
  path: string,
  { body, headers = {}, path: actual }: NonNullable<Route['example']>,
): string => {
  const below = actual ?? (path === '/' || path.includes('*') ? '' : path);
  const fields = { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers };
  return [
    `curl -s ${quote(base + below)}`,
    ...(method === 'GET' || method === '*' || (method === 'POST' && body !== undefined)
      ? []
      : [`-X ${method}`]),
    ...Object.entries(fields).map(([field, value]) => `-H ${quote(`${field}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quote(JSON.stringify(body))}`]),
  ].join(' ');
};

/** For a POSIX shell; left bare where nothing needs quotes. */
const quote = (text: string): string =>
  /^[\w:/.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
