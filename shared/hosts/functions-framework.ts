/**
 * The functions-framework host: the local and Google Cloud Functions lane.
 *
 * The framework's own application answers, through the server it makes for tests; around it are the limits, health
 * and drain that the framework lacks. Its body parsers take 1 GiB after inflation, so they are shown no body: the
 * bytes stay in the socket until a function asks for them, as on the node host. No global is touched.
 */
import type { IncomingMessage } from 'node:http';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import type { Catalogue } from '../suite/suite';
import type { Listener } from './listener';
import { type Front, run } from './run';

const NAME = 'faas-patterns';
/** What tells the body parsers that there is a body; the raw fields, which functions read, keep it. */
const BODY_FIELDS = ['content-length', 'transfer-encoding', 'content-encoding'];

const front: Front = (listener) => {
  const targets = new WeakMap<IncomingMessage, string | undefined>();
  http(NAME, (request, response) => {
    // The framework calls us in a `domain`, in which every promise costs fifty times as much. What escapes goes to the
    // process instead, as on the node host.
    (process as { readonly domain?: { exit(): void } }).domain?.exit();
    request.url = targets.get(request) ?? '/';
    listener(request, response);
  });
  const [application] = getTestServer(NAME).listeners('request') as [Listener];
  return (incoming, outgoing) => {
    // The framework's router would refuse some paths with a page of its own; ours sees them as they came.
    targets.set(incoming, incoming.url);
    incoming.url = '/';
    for (const field of BODY_FIELDS) delete incoming.headers[field];
    application(incoming, outgoing);
  };
};

export const runFunctionsFramework = (catalogue: Catalogue): Promise<void> =>
  run({ host: 'functions-framework', catalogue, front });
