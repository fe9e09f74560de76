/** What somebody asks of a run: to take an answer, to end, to run again. Answered once it is recorded. */
import { readEvent } from '../../event';
import { Failure, type FailureCode } from '../../failure';
import type { Context, Handler } from '../../handler';
import { readJson } from '../../http/json';
import { json } from '../../http/response';
import { assertValid, compile, type Schema } from '../../schema';
import type { Commanded, Engine, Refusal, ReplayOrder } from '../engine';
import type { Pipeline } from '../pipeline';

const ORDER = {
  reason: { type: 'string', minLength: 1, maxLength: 500 },
  by: { type: 'string', minLength: 1, maxLength: 100 },
};

const CANCEL: Schema = {
  type: 'object',
  required: ['reason'],
  additionalProperties: false,
  properties: ORDER,
};

const REPLAY: Schema = {
  type: 'object',
  required: ['reason'],
  additionalProperties: false,
  properties: {
    ...ORDER,
    step: { type: 'string', maxLength: 63 },
    downstream: { type: 'boolean' },
    resend: { type: 'boolean' },
    upgrade: { type: 'boolean' },
  },
};

/** Of who does not say who they are. */
const SOMEBODY = 'operator';

export const cancelRun = (pipeline: string, engine: Engine): Handler => {
  const check = compile(CANCEL);
  return async (request, context) => {
    const body = await readJson(request);
    assertValid(check, body);
    const { reason, by = SOMEBODY } = body as { reason: string; by?: string };
    const id = context.params.id as string;
    return toAnswer(await engine.cancel(pipeline, id, { by, reason }), pipeline, context);
  };
};

export const replayRun = (pipeline: string, engine: Engine): Handler => {
  const check = compile(REPLAY);
  return async (request, context) => {
    const body = await readJson(request);
    assertValid(check, body);
    const { by = SOMEBODY, ...order } = body as Omit<ReplayOrder, 'by'> & { by?: string };
    const id = context.params.id as string;
    return toAnswer(await engine.replay(pipeline, id, { by, ...order }), pipeline, context);
  };
};

/** Any JSON is an answer. One that comes as an event must be of the type that the step waits for. */
export const signalRun = ({ name, steps }: Pipeline, engine: Engine): Handler => {
  const awaited = new Map(
    steps.flatMap((step) => ('wait' in step.target ? [[step.name, step.target.wait]] : [])),
  );
  return async (request, context) => {
    const { id, step } = context.params as { id: string; step: string };
    const event = await readEvent(request, context, { name, check: () => [] });
    const type = awaited.get(step);
    if (type !== undefined && event.type !== type && event.type !== `${name}.request`)
      throw new Failure('invalid_event', {
        detail: `${step} waits for events of the type ${type}.`,
      });
    return toAnswer(await engine.signal(name, id, step, event.data), name, context);
  };
};

const toAnswer = (commanded: Commanded, pipeline: string, { params }: Context): Response => {
  if ('refused' in commanded) throw toFailure(commanded.refused);
  return json(commanded.run, {
    status: 202,
    headers: { location: `/${pipeline}/runs/${params.id}`, 'cache-control': 'no-store' },
  });
};

const CODES: Readonly<Record<Refusal['code'], FailureCode>> = {
  not_found: 'not_found',
  run_ended: 'run_ended',
  not_waiting: 'not_waiting',
  run_not_ended: 'run_not_ended',
  unknown_step: 'not_found',
  nothing_to_replay: 'nothing_to_replay',
  replay_blocked: 'replay_blocked',
  graph_conflict: 'graph_conflict',
};

const toFailure = ({ code, detail, changes = [] }: Refusal): Failure =>
  new Failure(CODES[code], {
    detail,
    errors: changes.map(({ step, change, fields = [] }) => ({
      pointer: step === '' ? '' : `/steps/${step}`,
      message: fields.length > 0 ? `${change}: ${fields.join(', ')}` : change,
    })),
  });
