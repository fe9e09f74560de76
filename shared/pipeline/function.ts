/** A pipeline file as a function: accepts inputs, tells how their runs stand. */
import type { Clock } from '../clock';
import type { Settings } from '../config';
import { type AnyFunction, defineFunction } from '../define';
import { readEvent } from '../event';
import { Failure } from '../failure';
import type { Handler } from '../handler';
import { json } from '../http/response';
import { compile } from '../schema';
import type { Engine } from './engine';
import { runEvents } from './events';
import type { Pipeline } from './pipeline';
import type { Run } from './run';

/** The longest that `Prefer: wait` may ask for, in seconds. */
export const MAX_WAIT = 60;

export interface PipelineFunctionOptions {
  /** A body that the schema takes, for the curl in docs. @default none */
  readonly example?: unknown;
}

export const pipelineFunction = (
  pipeline: Pipeline,
  { example }: PipelineFunctionOptions = {},
): AnyFunction =>
  defineFunction({
    name: pipeline.name,
    kind: 'pipeline',
    summary: pipeline.summary,
    runsAt: ['node'],
    callers: pipeline.callers,
    body: { mode: 'json' },
    needs: ['engine'],
    config: settingsOf(pipeline),
    routes: {
      'POST /': {
        summary:
          'Starts a run: 202 with its Location once it is recorded; with Prefer: wait=10 its end, if it ends in time.',
        ...(example !== undefined && {
          example: { body: example, headers: { prefer: 'wait=10' } },
        }),
      },
      // Its location is a capability of 128 random bits: who knows it was told.
      'GET /runs/:id': { summary: 'How a run stands.', callers: 'public' },
      'GET /runs/:id/events': {
        summary: 'The same as server-sent events, from now to the end of the run.',
        callers: 'public',
      },
    },
    calls: (config) =>
      pipeline.steps.flatMap(({ target }) => {
        if ('function' in target) return [target.function];
        const url = (config as Readonly<Record<string, string | undefined>>)[target.webhook];
        return url ? [url] : [];
      }),
    create: (_config, { engine, clock }) => {
      engine.register(pipeline);
      return {
        'POST /': accept(pipeline, engine, clock),
        'GET /runs/:id': show(pipeline, engine),
        'GET /runs/:id/events': runEvents({ pipeline: pipeline.name, engine, clock }),
      };
    },
  });

const accept = (pipeline: Pipeline, engine: Engine, clock: Clock): Handler => {
  const check = compile(pipeline.input);
  return async (request, context) => {
    const { data, key } = await readEvent(request, context, { name: pipeline.name, check });
    const wait = readWait(request.headers.get('prefer'));
    const started = await engine.start(pipeline.name, data, {
      idempotencyKey: key,
      traceparent: context.traceparent,
    });
    if (started === 'mismatch') throw new Failure('idempotency_mismatch');
    const { run } = started;
    const headers = { location: `/${pipeline.name}/runs/${run.id}`, 'cache-control': 'no-store' };
    if (wait === undefined) return json(run, { status: 202, headers });
    const settled = await within(wait * 1000, clock, context.signal, (signal) =>
      engine.settled(pipeline.name, run.id, signal),
    );
    const current = settled ?? run;
    return json(current, {
      status: hasEnded(current) ? 200 : 202,
      headers: { ...headers, 'preference-applied': `wait=${wait}` },
    });
  };
};

const show =
  (pipeline: Pipeline, engine: Engine): Handler =>
  async (_request, { params }) => {
    const run = await engine.find(pipeline.name, params.id as string);
    if (!run) throw new Failure('not_found');
    return json(run, { headers: { 'cache-control': 'no-store' } });
  };

const hasEnded = ({ state }: Run): boolean => state !== 'running';

/** Does the work under a signal that aborts after `ms`, or with the one given; neither timer nor listener stays behind. */
const within = async <T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const patience = new AbortController();
  const stop = () => patience.abort();
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  clock.sleep(ms, patience.signal).then(stop, stop);
  try {
    return await work(patience.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
};

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

/** Its webhooks are its environment: each variable holds a URL, and a secret of its own where the file names one. */
const settingsOf = ({ steps }: Pipeline): Settings =>
  Object.fromEntries(
    steps.flatMap(({ name, target, required }) => {
      if ('function' in target) return [];
      return [
        [
          target.webhook,
          {
            type: 'string',
            format: 'uri',
            description: `URL of the step ${name}.${required ? '' : ' Unset: the step is skipped.'}`,
            ...(required && { required: 'always' as const }),
          },
        ],
      ];
    }),
  );
