/** The engine that ENGINE_URL names. Its code is loaded, and no other's. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock';
import type { Log } from '../handler';
import type { Random } from '../random';
import { deliver } from '../webhook/deliver';
import { createTargets } from '../webhook/targets';
import { attemptStep, type Destination } from './attempt';
import type { Engine } from './engine';

export interface OpenEngineOptions {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What a Restate cluster needs to know; see `restateEngine`. */
  readonly restate: {
    /** @default port 9070 of the ingress' host */
    readonly adminUrl?: string | undefined;
    readonly serviceUrl?: string | undefined;
    readonly listen?: { readonly port: number; readonly host: string } | undefined;
    readonly identityKeys?: readonly string[] | undefined;
    readonly scope?: string | undefined;
    readonly ownUrl: () => string;
  };
}

/** An engine behind a host: it may answer requests of its own. */
export interface HostedEngine extends Engine {
  /** Answers a request when it is the engine's, by its path; `false`: it is somebody else's. */
  intercept?(incoming: IncomingMessage, outgoing: ServerResponse, collected?: Uint8Array): boolean;
}

const RESTATE = /^restate\+(https?:\/\/[^/?#\s]+)\/?$/i;

/** What is wrong with the URL, for one line after its name; `undefined` when it can be opened. Opens nothing. */
export const checkEngineUrl = async (url: string): Promise<string | undefined> => {
  const [, ingressUrl] = RESTATE.exec(url) ?? [];
  if (ingressUrl !== undefined && URL.canParse(ingressUrl)) {
    const { loadRestate } = await import('./engines/restate/sdk');
    return loadRestate().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
  }
  return /^local:[^\0?#]*[^\0?#/]$/.test(url)
    ? undefined
    : 'is not the URL of an engine; use local:PATH, such as local:./.data/runs.db, or restate+http://HOST:PORT';
};

/** How to make the engine that the URL names. Rejects with a TypeError that is a complaint about the URL. */
export const loadEngine = async (
  url: string,
): Promise<(options: OpenEngineOptions) => HostedEngine> => {
  const complaint = await checkEngineUrl(url);
  if (complaint) throw new TypeError(`url ${complaint}`);
  const [, ingressUrl] = RESTATE.exec(url) ?? [];
  if (ingressUrl === undefined) {
    const { openJournal } = await import('./engines/journal');
    const { localEngine } = await import('./engines/local');
    const path = url.slice('local:'.length);
    return (options) => localEngine({ ...parts(options), openJournal: () => openJournal(path) });
  }
  const { restateEngine } = await import('./engines/restate/engine');
  return ({ restate, ...options }) =>
    restateEngine({
      ...parts(options),
      ...restate,
      ingressUrl,
      adminUrl: restate.adminUrl ?? adminOf(ingressUrl),
    });
};

const parts = ({ destination, clock, random, log }: Omit<OpenEngineOptions, 'restate'>) => ({
  createAttempt: (gone: Parameters<typeof attemptStep>[0]['gone']) =>
    attemptStep({ destination, deliver, targets: createTargets({ clock }), gone, clock, random }),
  isConfigured: (target: Parameters<Destination>[0]) => destination(target) !== undefined,
  clock,
  random,
  log,
});

const ADMIN_PORT = '9070';

const adminOf = (ingressUrl: string): string => {
  const url = new URL(ingressUrl);
  url.port = ADMIN_PORT;
  return url.href;
};
