/** A pipeline as a function, over real HTTP, with a real engine behind it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AllowOptions } from '../../../shared/callers';
import type { AnyFunction } from '../../../shared/define';
import type { Handler } from '../../../shared/handler';
import { createForwarder } from '../../../shared/hosts/forward';
import { createListener } from '../../../shared/hosts/listener';
import { pipelineFunction } from '../../../shared/pipeline/function';
import type { Pipeline } from '../../../shared/pipeline/pipeline';
import { createApp } from '../../../shared/suite/app';
import { testContext } from '../../support/invoke';
import { testPlatform } from '../../support/test-platform';
import { createFolder, createLab, type Lab, type LabOptions, now, pipelineOf } from './engines/lab';

/** Two steps, and an input with two members. */
export const pipeline: Pipeline = {
  ...pipelineOf({ create: {}, confirm: { after: ['create'], expose: ['/challenge'] } }),
  input: {
    type: 'object',
    required: ['username', 'email'],
    additionalProperties: false,
    properties: {
      username: { type: 'string', minLength: 1 },
      email: { type: 'string', format: 'email' },
    },
  },
};
export const ADA = { username: 'ada', email: 'ada@example.com' };

export interface Served extends Lab {
  readonly declaration: AnyFunction;
  readonly handlers: Readonly<Record<string, Handler>>;
  request(path: string, init?: RequestInit): Promise<Response>;
  /** JSON, to a path below the function. */
  send(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Starts a run. */
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
}

export interface ServeOptions extends Partial<LabOptions> {
  /** @default as in development */
  readonly access?: Partial<AllowOptions>;
}

/** What serves pipelines until `close`, and `clean`s up at the end. */
export const server = () => {
  const folder = createFolder();
  const opened: (() => Promise<void>)[] = [];

  const serve = async ({ access, ...options }: ServeOptions = {}): Promise<Served> => {
    const graph = options.pipeline ?? pipeline;
    const lab = createLab({ path: folder.file(), register: false, ...options, pipeline: graph });
    const { clock, engine } = lab;
    const declaration = pipelineFunction(graph);
    const handlers = declaration.create({}, testPlatform({ clock, engine })) as Served['handlers'];
    const forwarder = createForwarder();
    const listener = createListener({
      application: createApp({
        functions: [{ declaration, handlers }],
        builtIns: {},
        alone: false,
        access: { production: false, clock, ...access },
      }),
      forwarder,
      log: () => testContext().log,
      stopped: new AbortController().signal,
      stopping: () => false,
      waitUntil: () => {},
    });
    const http: Server = createServer(listener);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    opened.push(async () => {
      http.closeAllConnections();
      http.close();
      await engine.close(now());
      await forwarder.close();
    });
    const { port } = http.address() as AddressInfo;
    const request: Served['request'] = (path, init) =>
      fetch(`http://127.0.0.1:${port}${path}`, init);
    const send: Served['send'] = (path, body, headers = {}) =>
      request(`/${graph.name}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    return {
      ...lab,
      declaration,
      handlers,
      request,
      send,
      post: (body, headers) => send('', body, headers),
    };
  };

  return {
    serve,
    close: async () => {
      for (const close of opened.splice(0)) await close();
    },
    clean: () => folder.clean(),
  };
};
