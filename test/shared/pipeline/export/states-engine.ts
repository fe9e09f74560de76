/**
 * The part of the Amazon States Language that we write, carried out: with the real JSONata, a clock of its own, and
 * branches at one time. Whatever it does not know, it refuses.
 */
import { RUN, type World } from './world';

type Json = Readonly<Record<string, unknown>>;

interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, Json>>;
}

export interface StatesEngine {
  readonly jsonata: (text: string) => {
    evaluate(input: unknown, bindings: Json): Promise<unknown>;
  };
  readonly world: World;
  readonly input: unknown;
}

interface End {
  readonly at: number;
  readonly output: unknown;
  readonly failed?: { readonly cause: unknown };
}

export const runStates = async (definition: Machine, engine: StatesEngine): Promise<End> =>
  runMachine(definition, engine, { at: 0, variables: {} });

const KNOWN = new Set([
  'Type',
  'Next',
  'End',
  'Assign',
  'Output',
  'Choices',
  'Default',
  'Seconds',
  'Branches',
]);
const OF_TASK = ['Resource', 'Arguments', 'TimeoutSeconds', 'Catch'];
const OF_FAIL = ['Error', 'Cause'];

const runMachine = async (
  { StartAt, States }: Machine,
  engine: StatesEngine,
  start: { readonly at: number; readonly variables: Json },
): Promise<End> => {
  let { at } = start;
  let variables = start.variables;
  for (let name: unknown = StartAt; ; ) {
    const state = States[name as string];
    if (!state) throw new Error(`no state ${String(name)}`);
    const known = new Set([
      ...KNOWN,
      ...(state.Type === 'Task' ? OF_TASK : []),
      ...(state.Type === 'Fail' ? OF_FAIL : []),
    ]);
    for (const field of Object.keys(state))
      if (!known.has(field)) throw new Error(`unknown ${field}`);
    const entered = at;
    const evaluate = (value: unknown, more: Json = {}) =>
      fill(value, engine, variables, {
        context: {
          Execution: { Name: RUN, Input: engine.input },
          State: { EnteredTime: new Date(entered).toISOString() },
        },
        ...more,
      });
    const leave = async (fields: Json, more: Json = {}) => {
      const output = fields.Output === undefined ? undefined : await evaluate(fields.Output, more);
      const assigned = (await evaluate(fields.Assign ?? {}, more)) as Json;
      variables = { ...variables, ...assigned };
      return output;
    };
    let output: unknown;
    let next: unknown = state.Next;
    switch (state.Type) {
      case 'Pass':
        output = await leave(state);
        break;
      case 'Succeed':
        return { at, output: await leave(state) };
      case 'Fail':
        return { at, output: undefined, failed: { cause: await evaluate(state.Cause) } };
      case 'Wait': {
        const seconds = await evaluate(state.Seconds);
        if (!Number.isInteger(seconds) || (seconds as number) < 0)
          throw new Error(`waits ${String(seconds)}`);
        at += (seconds as number) * 1000;
        output = await leave(state);
        break;
      }
      case 'Choice': {
        next = state.Default;
        for (const choice of state.Choices as readonly Json[]) {
          const holds = await evaluate(choice.Condition);
          if (typeof holds !== 'boolean')
            throw new Error(`no boolean: ${String(choice.Condition)}`);
          if (!holds) continue;
          next = choice.Next;
          break;
        }
        break;
      }
      case 'Parallel': {
        const ends: End[] = [];
        for (const branch of state.Branches as readonly Machine[])
          ends.push(await runMachine(branch, engine, { at, variables }));
        at = Math.max(...ends.map((end) => end.at));
        await leave(state, { result: ends.map((end) => end.output) });
        break;
      }
      case 'Task': {
        const request = (await evaluate(state.Arguments)) as Json;
        const answer = engine.world.call({
          url: request.ApiEndpoint as string,
          headers: request.Headers as Record<string, string>,
          body: request.RequestBody,
          at,
          timeout: (state.TimeoutSeconds as number) * 1000,
        });
        at = answer.end;
        const error = errorOf(answer.status);
        if (error === undefined) {
          output = await leave(state, {
            result: { StatusCode: answer.status, ResponseBody: answer.body ?? '' },
          });
          break;
        }
        const [caught] = state.Catch as readonly [Json];
        await leave(caught, { errorOutput: { Error: error, Cause: '' } });
        next = caught.Next;
        output = undefined;
        name = next;
        continue;
      }
      default:
        throw new Error(`unknown type ${String(state.Type)}`);
    }
    if (state.End === true) return { at, output };
    name = next;
  }
};

const errorOf = (status: number | 'none' | 'timeout'): string | undefined => {
  if (status === 'timeout') return 'States.Timeout';
  if (status === 'none') return 'States.Http.Socket';
  return status < 300 ? undefined : `States.Http.StatusCode.${status}`;
};

/** As Step Functions does: what an expression does not give is an error. */
const fill = async (
  value: unknown,
  engine: StatesEngine,
  variables: Json,
  states: Json,
): Promise<unknown> => {
  if (typeof value === 'string' && value.startsWith('{%') && value.endsWith('%}')) {
    const found = await engine
      .jsonata(value.slice(2, -2))
      .evaluate(undefined, { ...variables, states });
    if (found === undefined) throw new Error(`gives nothing: ${value}`);
    // Without what JSONata remembers of arrays that it made.
    return JSON.parse(JSON.stringify(found));
  }
  if (Array.isArray(value))
    return Promise.all(value.map((item) => fill(item, engine, variables, states)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(async ([name, inner]) => [
    name,
    await fill(inner, engine, variables, states),
  ]);
  return Object.fromEntries(await Promise.all(entries));
};
