/** For operators: lists of runs and of dead letters, one run with all that is known of it, targets that are gone. */
import { Failure, type InputError } from '../../failure';
import type { Handler } from '../../handler';
import { rawQuery } from '../../http/raw-query';
import { empty, json } from '../../http/response';
import { isDateTime } from '../../schema/formats';
import type { Engine } from '../engine';
import type { RunState } from '../run';

const STATES: readonly string[] = ['running', 'succeeded', 'failed', 'cancelled'];
/** Of a step, or a failure code. */
const NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const TARGET = /^[\w. :-]{1,300}$/;
const NO_STORE = { headers: { 'cache-control': 'no-store' } };

export const listRuns =
  (pipeline: string, engine: Engine): Handler =>
  async (request) => {
    const query = readQuery(request, ['state', 'since', 'until', 'after', 'limit']);
    const { state, since, until } = query.values;
    if (state !== undefined && !STATES.includes(state))
      query.refuse('state', `must be one of ${STATES.join(', ')}`);
    const page = {
      since: query.instant('since', since),
      until: query.instant('until', until),
      ...query.page(),
    };
    query.check();
    return json(
      await engine.list({ pipeline, state: state as RunState | undefined, ...page }),
      NO_STORE,
    );
  };

export const listDeadLetters =
  (pipeline: string, engine: Engine): Handler =>
  async (request) => {
    const query = readQuery(request, ['step', 'code', 'after', 'limit']);
    const { step, code } = query.values;
    if (step !== undefined && !NAME.test(step)) query.refuse('step', 'must be the name of a step');
    if (code !== undefined && !NAME.test(code)) query.refuse('code', 'must be a failure code');
    const page = query.page();
    query.check();
    return json(await engine.deadLetters({ pipeline, step, code, ...page }), NO_STORE);
  };

export const showRecord =
  (pipeline: string, engine: Engine): Handler =>
  async (_request, { params }) => {
    const found = await engine.inspect(pipeline, params.id as string);
    if (!found) throw new Failure('not_found');
    return json(found, NO_STORE);
  };

export const listTargets =
  (engine: Engine): Handler =>
  async () =>
    json({ targets: await engine.disabledTargets() }, NO_STORE);

export const enableTarget =
  (engine: Engine): Handler =>
  async (_request, { params }) => {
    const name = params.name as string;
    if (!TARGET.test(name) || !(await engine.enableTarget(name)))
      throw new Failure('not_found', { detail: 'No such target is disabled.' });
    return empty();
  };

/** Every mistake of a query at once; an unknown parameter would be a filter that does not filter. */
const readQuery = <const N extends string>(request: Request, names: readonly N[]) => {
  const parameters = new URLSearchParams(rawQuery(request.url));
  const values: { [K in N]?: string | undefined } & Record<string, string | undefined> =
    Object.fromEntries(parameters) as never;
  const errors: InputError[] = [];
  const refuse = (name: string, message: string) => {
    errors.push({ pointer: `/${name}`, message });
  };
  for (const name of new Set(parameters.keys()))
    if (!(names as readonly string[]).includes(name))
      refuse(name, `is not known here; there are ${names.join(', ')}`);
    else if (parameters.getAll(name).length > 1) refuse(name, 'is given twice');
  return {
    values,
    refuse,
    instant: (name: N, text: string | undefined): number | undefined => {
      if (text === undefined) return undefined;
      // A day begins in UTC; a time without its zone would be another one on another machine.
      const whole = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
      const at = isDateTime(whole) ? Date.parse(whole) : Number.NaN;
      if (Number.isNaN(at))
        refuse(name, 'must be a day or an instant of RFC 3339, such as 2026-01-31T09:00:00Z');
      return at;
    },
    page: () => {
      const { after, limit } = values as { after?: string; limit?: string };
      if (after !== undefined && !/^\d{1,15}(?:\.[\w-]{1,64}){1,2}$/.test(after))
        refuse('after', 'must be the next of the page before');
      if (limit !== undefined && !/^(?:[1-9]\d?|[1-4]\d\d|500)$/.test(limit))
        refuse('limit', 'must be from 1 to 500');
      return { after, limit: limit === undefined ? undefined : Number(limit) };
    },
    check: (): void => {
      if (errors.length > 0)
        throw new Failure('invalid_input', {
          detail: 'The query does not match what this address takes.',
          errors,
        });
    },
  };
};
