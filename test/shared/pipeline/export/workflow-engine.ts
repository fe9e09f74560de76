/**
 * The part of the Serverless Workflow DSL that we write, carried out by its data flow: with a real jq, a clock of its
 * own, and branches at one time. Whatever it does not know, it refuses.
 */
import { RUN, type World } from './world';

type Json = Readonly<Record<string, unknown>>;

export interface WorkflowEngine {
  readonly jq: (value: unknown, filter: string) => Promise<unknown>;
  readonly world: World;
  readonly input: unknown;
  readonly secrets: Json;
}

interface Scope {
  readonly context: unknown;
  readonly at: number;
  /** Variables beside those that every expression has. */
  readonly more: Json;
}

interface End {
  readonly at: number;
  readonly output: unknown;
  readonly context: unknown;
  /** To the end of the tasks around. */
  readonly exit?: boolean;
}

/** An error of the DSL, as it is caught or ends the run. */
export class Raised extends Error {
  constructor(
    readonly at: number,
    readonly problem: Json,
  ) {
    super(JSON.stringify(problem));
  }
}

export const runWorkflow = async (document: Json, engine: WorkflowEngine): Promise<End> => {
  const { input, do: tasks, ...rest } = document;
  known(rest, ['document', 'use', 'timeout']);
  known(input as Json, ['schema', 'from']);
  const data = await evaluate((input as Json).from, engine.input, engine, {});
  return runTasks(tasks as Json[], data, engine, { context: data, at: 0, more: {} });
};

const runTasks = async (
  tasks: readonly Json[],
  input: unknown,
  engine: WorkflowEngine,
  scope: Scope,
): Promise<End> => {
  const names = tasks.map((task) => Object.keys(task)[0] as string);
  let { context, at } = scope;
  let data = input;
  for (let index = 0; index < tasks.length; ) {
    const name = names[index] as string;
    const task = (tasks[index] as Json)[name] as Json;
    const end = await runTask(task, data, engine, { ...scope, context, at });
    ({ context, at } = end);
    data = end.output;
    const directive = end.directive ?? task.then ?? 'continue';
    if (directive === 'exit') break;
    index = directive === 'continue' ? index + 1 : names.indexOf(directive as string);
    if (index < 0) throw new Error(`no task ${String(directive)}`);
  }
  return { at, output: data, context };
};

const COMMON = ['if', 'input', 'output', 'export', 'timeout', 'then'];

const runTask = async (
  task: Json,
  raw: unknown,
  engine: WorkflowEngine,
  { context, at, more }: Scope,
): Promise<End & { readonly directive?: unknown }> => {
  const vars = { ...more, context, task: { startedAt: { iso8601: new Date(at).toISOString() } } };
  const ask = (value: unknown, on: unknown, extra: Json = {}) =>
    evaluate(value, on, engine, { ...vars, ...extra });
  // Secrets are only for `input.from`.
  const secrets = { secrets: engine.secrets };
  if (task.if !== undefined && !(await ask(task.if, raw))) return { at, output: raw, context };
  const input = task.input ? await ask((task.input as Json).from, raw, secrets) : raw;
  const told = (value: unknown) => ask(value, input, { input });
  let end: End & { readonly directive?: unknown } = { at, output: input, context };
  const kind = Object.keys(task).filter(
    (field) => !COMMON.includes(field) && !['with', 'catch'].includes(field),
  );
  switch (kind.join()) {
    case 'set':
      end = { ...end, output: await told(task.set) };
      break;
    case 'wait':
      end = { ...end, at: at + ((task.wait as Json).milliseconds as number) };
      break;
    case 'switch':
      for (const named of task.switch as readonly Json[]) {
        const [one] = Object.values(named) as [Json];
        if (one.when !== undefined && !(await told(one.when))) continue;
        end = { ...end, directive: one.then };
        break;
      }
      break;
    case 'raise':
      throw new Raised(at, (await told((task.raise as Json).error)) as Json);
    case 'do':
      end = await runTasks(task.do as Json[], input, engine, { context, at, more });
      break;
    case 'fork': {
      const ends: End[] = [];
      for (const named of (task.fork as Json).branches as readonly Json[])
        ends.push(await runTasks([named], input, engine, { context, at, more }));
      end = {
        at: Math.max(...ends.map((one) => one.at)),
        output: ends.map((one) => one.output),
        context,
      };
      break;
    }
    case 'try':
      end = await attempt(task, input, engine, { context, at, more });
      break;
    case 'call':
    case 'emit':
    case 'listen':
      end = { ...end, ...(await call(task, at, engine, told)) };
      break;
    default:
      throw new Error(`unknown task ${kind.join()}`);
  }
  const output = task.output
    ? await ask((task.output as Json).as, end.output, { input })
    : end.output;
  const exported = task.export
    ? await ask((task.export as Json).as, output, { input, output })
    : end.context;
  return { ...end, output, context: exported };
};

const attempt = async (
  task: Json,
  input: unknown,
  engine: WorkflowEngine,
  scope: Scope,
): Promise<End> => {
  try {
    return await runTasks(task.try as Json[], input, engine, scope);
  } catch (raised) {
    if (!(raised instanceof Raised)) throw raised;
    const caught = task.catch as Json;
    known(caught, ['as', 'do']);
    // What data the tasks here begin with is not laid down: nothing may depend on it.
    return runTasks(caught.do as Json[], 'not laid down', engine, {
      ...scope,
      at: raised.at,
      more: { ...scope.more, [caught.as as string]: raised.problem },
    });
  }
};

const call = async (
  task: Json,
  at: number,
  engine: WorkflowEngine,
  told: (value: unknown) => Promise<unknown>,
): Promise<{ readonly at: number; readonly output: unknown }> => {
  const timeout = ((task.timeout as Json).after as Json).milliseconds as number;
  const answer = engine.world.call({ ...(await requestOf(task, told)), at, timeout });
  const { status, end } = answer;
  if (status === 'timeout') throw new Raised(end, { type: 'timeout', status: 408 });
  if (status === 'none') throw new Raised(end, { type: 'communication' });
  if (status >= 300) throw new Raised(end, { type: 'communication', status });
  return { at: end, output: 'listen' in task ? [answer.body ?? ''] : (answer.body ?? '') };
};

const requestOf = async (task: Json, told: (value: unknown) => Promise<unknown>) => {
  if ('listen' in task) {
    const { type, subject } = (await told(
      (((task.listen as Json).to as Json).one as Json).with,
    )) as Json;
    return {
      url: `listen ${String(type)}`,
      headers: { 'ce-id': String(subject) },
      body: undefined,
    };
  }
  if ('emit' in task) {
    const event = (await told(((task.emit as Json).event as Json).with)) as Record<string, string>;
    return {
      url: 'emit',
      headers: {
        'content-type': event.datacontenttype as string,
        'ce-specversion': '1.0',
        'ce-id': event.id as string,
        'ce-type': event.type as string,
        'ce-source': event.source as string,
        'ce-time': event.time as string,
        // An event has no key beside its id.
        'idempotency-key': event.id as string,
      },
      body: event.data,
    };
  }
  known(task.with as Json, ['method', 'endpoint', 'headers', 'body']);
  const { endpoint, headers, body } = (await told(task.with)) as Json;
  const { uri, authentication } = endpoint as Json;
  const user = authentication ? `${String((authentication as Json).use)}@` : '';
  return { url: `${user}${String(uri)}`, headers: headers as Record<string, string>, body };
};

const known = (fields: Json, names: readonly string[]): void => {
  for (const field of Object.keys(fields))
    if (!names.includes(field)) throw new Error(`unknown ${field}`);
};

const EXPRESSION = /^\$\{ (.*) \}$/s;

const evaluate = async (
  value: unknown,
  on: unknown,
  engine: WorkflowEngine,
  vars: Json,
): Promise<unknown> => {
  if (typeof value === 'string') {
    const [, filter] = EXPRESSION.exec(value) ?? [];
    if (filter === undefined) return value;
    const all: Json = { ...vars, workflow: { id: RUN, input: engine.input } };
    const bound = Object.keys(all)
      .map((name) => `${name}: $${name}`)
      .join(', ');
    return engine.jq({ vars: all, on }, `.vars as {${bound}} | .on | (${filter})`);
  }
  if (Array.isArray(value))
    return Promise.all(value.map((item) => evaluate(item, on, engine, vars)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(async ([name, inner]) => [
    name,
    await evaluate(inner, on, engine, vars),
  ]);
  return Object.fromEntries(await Promise.all(entries));
};
