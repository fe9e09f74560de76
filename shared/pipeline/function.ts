/** A pipeline file as a function: accepts inputs, tells how their runs stand, and does with them what operators ask. */
import type { Settings } from '../config';
import { type AnyFunction, defineFunction } from '../define';
import { runEvents } from './events';
import { DEFAULT_SECRET, type Pipeline, type Target } from './pipeline';
import { accept } from './routes/accept';
import { cancelRun, replayRun, signalRun } from './routes/commands';
import { enableTarget, listDeadLetters, listTargets, showRecord } from './routes/lists';
import { browseRuns, showGraph, showRun } from './routes/show';

export interface PipelineFunctionOptions {
  /** A body that the schema takes, for the curl in docs. @default none */
  readonly example?: unknown;
}

export const pipelineFunction = (
  pipeline: Pipeline,
  { example }: PipelineFunctionOptions = {},
): AnyFunction => {
  const { name, summary, callers, on } = pipeline;
  return defineFunction({
    name,
    kind: 'pipeline',
    summary,
    runsAt: ['node'],
    callers,
    body: { mode: 'json' },
    needs: ['engine'],
    config: settingsOf(pipeline),
    ...(on !== undefined && { on: [on] }),
    emits: pipeline.steps.flatMap(({ target }) => ('event' in target ? [target.event] : [])),
    routes: {
      'POST /': {
        summary:
          'Starts a run: 202 with its Location once it is recorded; with Prefer: wait=10 its end, if it ends in time.',
        ...(example !== undefined && {
          example: { body: example, headers: { prefer: 'wait=10' } },
        }),
      },
      // Its location is a capability of 128 random bits: who knows it was told.
      'GET /runs/:id': { summary: 'How a run stands; a page for a browser.', callers: 'public' },
      'GET /runs/:id/events': {
        summary: 'The same as server-sent events, from now to the end of the run.',
        callers: 'public',
      },
      'GET /runs': {
        summary: 'Runs, newest first: state, since, until, after, limit; a page for a browser.',
        callers: 'admin',
      },
      'GET /graph': {
        summary: 'The graph: drawn for a browser, as Mermaid for text/plain, else as JSON.',
        callers: 'admin',
      },
      'GET /runs/:id/record': {
        summary: 'A run with its input and its graph.',
        callers: 'admin',
      },
      'POST /runs/:id/signal/:step': {
        summary: 'Answers a step that waits for somebody.',
        callers: 'backend',
      },
      'POST /runs/:id/cancel': {
        summary: 'Calls a run off: nothing more begins, and what can be taken back is.',
        callers: 'admin',
      },
      'POST /runs/:id/replay': {
        summary: 'Runs again what failed: one step, with what comes after it, or all of it.',
        callers: 'admin',
      },
      'GET /dead-letters': {
        summary: 'Steps that have failed for good: step, code, after, limit.',
        callers: 'admin',
      },
      'GET /targets': { summary: 'Targets that have said they are gone.', callers: 'admin' },
      'POST /targets/:name/enable': {
        summary: 'Lets such a target be called again.',
        callers: 'admin',
      },
    },
    calls: (config) => callsOf(pipeline, config as Readonly<Record<string, string | undefined>>),
    create: (_config, { engine, clock, production }) => {
      engine.register(pipeline);
      const shown = { pipeline, engine, clock, production };
      return {
        'POST /': accept(pipeline, engine, clock),
        'GET /runs/:id': showRun(shown),
        'GET /runs/:id/events': runEvents({ pipeline: name, engine, clock }),
        'GET /runs': browseRuns(shown),
        'GET /graph': showGraph(shown),
        'GET /runs/:id/record': showRecord(name, engine),
        'POST /runs/:id/signal/:step': signalRun(pipeline, engine),
        'POST /runs/:id/cancel': cancelRun(name, engine),
        'POST /runs/:id/replay': replayRun(name, engine),
        'GET /dead-letters': listDeadLetters(name, engine),
        'GET /targets': listTargets(engine),
        'POST /targets/:name/enable': enableTarget(engine),
      };
    },
  });
};

/** All that its steps, and what undoes them, go to. */
const targetsOf = ({ steps }: Pipeline): readonly Target[] =>
  steps.flatMap(({ target, undo }) => (undo ? [target, undo.target] : [target]));

const callsOf = (
  pipeline: Pipeline,
  config: Readonly<Record<string, string | undefined>>,
): readonly string[] => [
  ...new Set(
    targetsOf(pipeline).flatMap((target) => {
      if ('function' in target) return [target.function];
      const url = 'webhook' in target ? config[target.webhook] : undefined;
      return url ? [url] : [];
    }),
  ),
];

/** Its webhooks are its environment: each variable holds a URL, and a secret of its own where the file names one. */
const settingsOf = ({ steps }: Pipeline): Settings => {
  const settings = new Map<string, Settings[string]>();
  const all = steps.flatMap(({ name, target, required, undo }) => [
    ...webhookSettings(target, `the step ${name}`, required),
    ...(undo ? webhookSettings(undo.target, `what undoes the step ${name}`, required) : []),
  ]);
  for (const [variable, setting] of all) {
    const known = settings.get(variable);
    // What one step needs is needed, though another could do without.
    if (!known || (setting.required && !known.required)) settings.set(variable, setting);
  }
  return Object.fromEntries(settings);
};

const webhookSettings = (
  target: Target,
  whose: string,
  required: boolean,
): readonly (readonly [string, Settings[string]])[] => {
  if (!('webhook' in target)) return [];
  const { webhook, secret } = target;
  return [
    [
      webhook,
      {
        type: 'string',
        format: 'uri',
        description: `URL of ${whose}.${required ? '' : ' Unset: the step is skipped.'}`,
        ...(required && { required: 'always' as const }),
      },
    ],
    ...(secret === DEFAULT_SECRET
      ? []
      : [
          [
            secret,
            {
              type: 'string',
              secret: true,
              description: `Signs the calls of ${whose}: whsec_ and base64; several, comma-separated, for rotation.`,
            },
          ] as const,
        ]),
  ];
};
