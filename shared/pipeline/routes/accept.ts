/** Starts a run: answers once it is recorded, or, when the caller prefers to wait, with its end. */
import type { Clock } from '../../clock';
import { type CloudEvent, readEvent } from '../../event';
import { Failure } from '../../failure';
import type { Handler } from '../../handler';
import { empty, json } from '../../http/response';
import { compile } from '../../schema';
import type { Engine } from '../engine';
import type { Pipeline } from '../pipeline';
import { createPatience } from './patience';

/** The longest that `Prefer: wait` may ask for, in seconds. */
export const MAX_WAIT = 60;

export const accept = (pipeline: Pipeline, engine: Engine, clock: Clock): Handler => {
  const check = compile(pipeline.input);
  const patience = createPatience(clock);
  return async (request, context) => {
    const event = await readEvent(request, context, { name: pipeline.name, check });
    refuseStray(pipeline, event);
    const wait = readWait(request.headers.get('prefer'));
    const started = await engine.start(pipeline.name, event.data, {
      idempotencyKey: event.key,
      traceparent: context.traceparent,
    });
    if (started === 'mismatch') throw new Failure('idempotency_mismatch');
    const { run } = started;
    const headers = { location: `/${pipeline.name}/runs/${run.id}`, 'cache-control': 'no-store' };
    if (takesEventsOnly(request)) return empty({ status: 202, headers });
    if (wait === undefined) return json(run, { status: 202, headers });
    const { signal, release } = patience(wait * 1000, context.signal);
    try {
      const current = (await engine.settled(pipeline.name, run.id, signal)) ?? run;
      return json(current, {
        status: current.state === 'running' ? 202 : 200,
        headers: { ...headers, 'preference-applied': `wait=${wait}` },
      });
    } finally {
      release();
    }
  };
};

/** Who subscribes to one type is not to be started by another that went astray; a step of a pipeline calls by name. */
const refuseStray = ({ name, on }: Pipeline, { type, source }: CloudEvent): void => {
  const isCall = type === `${name}.request` || /^\/[a-z][a-z0-9-]*\/runs$/.test(source);
  if (on === undefined || type === on || isCall) return;
  throw new Failure('invalid_event', {
    detail: `${name} is started by events of the type ${on}.`,
  });
};

/**
 * Knative Eventing marks its deliveries so. To a Broker an answer with a body that is no event is a failed delivery,
 * which it repeats and gives up in the end.
 */
const takesEventsOnly = ({ headers }: Request): boolean =>
  /^reply$/i.test(headers.get('prefer')?.trim() ?? '');

/**
 * The preference `wait` (RFC 7240 section 4.3), in seconds, at most `MAX_WAIT`; `undefined` when the caller does not
 * want to wait, or says it in a way that means nothing. The first of the name counts (section 2); behind a `;` stand
 * parameters of another preference.
 */
const readWait = (prefer: string | null): number | undefined => {
  const preferences = prefer?.match(/(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g) ?? [];
  const wait = preferences.find((preference) => /^\s*wait\s*(?:[=;]|$)/i.test(preference)) ?? '';
  const seconds = /^\s*wait\s*=\s*(?:(\d+)|"(\d+)")\s*(?:;|$)/i.exec(wait);
  return seconds ? Math.min(Number(seconds[1] ?? seconds[2]), MAX_WAIT) : undefined;
};
