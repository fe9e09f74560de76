/**
 * The edge host: functions as a worker of workerd, which is a module with `fetch`. No Node, no WASM, no code made of text.
 *
 * Fails closed: with a wrong environment nothing is served; every request is answered with 500, and the log says why, once.
 */
import { systemClock } from '../clock';
import type { AnyFunction } from '../define';
import type { Log, Severity } from '../handler';
import { createLog } from '../log';
import { EdgeCall } from './edge/call';
import { environmentOf } from './edge/environment';
import type { Bindings, EdgeResponse, ExecutionContext } from './edge/runtime';
import { type Started, startEdge } from './edge/start';

export interface EdgeWorker {
  fetch(request: Request, bindings: Bindings, execution: ExecutionContext): Promise<EdgeResponse>;
}

/** One function alone also answers at the root. It starts with the first request: a worker has no environment before. */
export const edgeHandler = (...functions: readonly AnyFunction[]): EdgeWorker => {
  let worker: Started | undefined;
  return {
    fetch: (request, bindings, execution) => {
      worker ??= start(functions, bindings);
      const call = new EdgeCall(request, execution, worker);
      const answer = call.answer();
      // Who counts what is under way must see the end of it, also when the client leaves before the answer.
      execution.waitUntil(answer);
      return answer;
    },
  };
};

const start = (functions: readonly AnyFunction[], bindings: Bindings): Started => {
  const { LOG_LEVEL = 'info' } = environmentOf(bindings);
  const log = (fields: object): Log =>
    createLog({
      now: systemClock.now,
      write: (line) => console.log(line),
      level: (isSeverity(LOG_LEVEL) ? LOG_LEVEL : 'info') as Severity,
      fields: { ...fields },
    });
  const verbose = LOG_LEVEL === 'debug';
  try {
    return { log, verbose, started: startEdge(functions, bindings, log({})) };
  } catch (thrown) {
    if (thrown instanceof TypeError) log({}).error('cannot_start', { reason: thrown.message });
    else log({}).error('cannot_start', { error: thrown });
    return { log, verbose, started: undefined };
  }
};

const isSeverity = (text: string): boolean => ['debug', 'info', 'warn', 'error'].includes(text);
