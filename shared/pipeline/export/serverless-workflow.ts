/**
 * To the CNCF Serverless Workflow DSL 1.0.0 (https://github.com/serverlessworkflow/specification), as YAML.
 *
 * Stage by stage: a branch in a fork of the format would begin its next step although a required one beside it has
 * failed, and ours does not. Attempts are a loop of our own, since the format says neither whether its count holds
 * the first, nor how much longer each wait is, nor where that ends.
 */

import { keepOf } from '../keep';

import type { Pipeline, Step } from '../pipeline';
import type { Exporter, ExportOptions } from './export';
import { expression } from './jq';
import { calls, runNotes, variables } from './notes';
import { baseUrl, commonRule, deadlineRule, type Rule, refuse } from './refuse';
import { stepTask, type Task } from './serverless-workflow-step';
import { stagesOf } from './stages';
import { longestOf } from './waits';
import { type Plain, toYaml } from './yaml';

/** The results of the steps that have ended: what goes from task to task, and the context. */
const RESULTS = '$context';

export const toServerlessWorkflow: Exporter = (pipeline, options = {}) => {
  const functionsUrl = baseUrl(options.functionsUrl);
  const given: ExportOptions = { ...options, ...(functionsUrl !== undefined && { functionsUrl }) };
  const { steps, name, summary, deadline, hash, input } = pipeline;
  const stages = stagesOf(steps);
  const keep = keepOf(steps);
  const refused = refuse(pipeline, [
    commonRule(given),
    deadlineRule(
      pipeline,
      stages,
      longestOf((ms) => ms),
    ),
    eventRule(keep),
  ]);
  if (refused.length > 0) return { refused };
  const secrets = [...(calls(steps, 'function') ? [CALLER_TOKEN] : []), ...variables(steps)];
  const notes = notesOf(pipeline, stages);
  const text = toYaml({
    document: {
      dsl: '1.0.0',
      namespace: 'faas-patterns',
      // A name may not end in a dash here.
      name: name.replace(/-+$/, ''),
      version: `1.0.0+${hash.slice(0, 12)}`,
      title: name,
      summary,
      metadata: { graph: hash, unsigned: true, notes: [...notes] },
    },
    // What runs through the tasks are results, none at first; the input stays at hand as $workflow.input.
    input: { schema: { format: 'json', document: input as Plain }, from: expression('{}') },
    ...(secrets.length > 0 && {
      use: {
        secrets,
        ...(calls(steps, 'function') && {
          authentications: { caller: { bearer: { use: CALLER_TOKEN } } },
        }),
      },
    }),
    timeout: { after: { milliseconds: deadline } },
    do: stages.flatMap((stage, depth) => [
      carryOut(stage, depth + 1, (step) => stepTask(pipeline, step, keep(step.name), given)),
      ...endStage(stage, depth + 1),
    ]),
  });
  return { text, notes };
};

const CALLER_TOKEN = 'CALLER_TOKEN';

const notesOf = (pipeline: Pipeline, stages: readonly (readonly Step[])[]): readonly string[] => {
  const { steps } = pipeline;
  return [
    'The id of the workflow is the id of the run; the key of a step is <id>:<step>.',
    ...(calls(steps, 'function')
      ? ['The secret CALLER_TOKEN holds one of the CALLER_TOKENS of the functions.']
      : []),
    ...variables(steps).map((name) => `The secret ${name} holds the URL of a webhook.`),
    ...(calls(steps, 'wait')
      ? ['A step that waits takes a CloudEvent of its type with the subject <id>:<step>.']
      : []),
    ...(calls(steps, 'event') ? ['Events go where the engine publishes them.'] : []),
    ...runNotes(pipeline, stages),
  ];
};

const eventRule =
  (keep: (step: string) => readonly string[]): Rule =>
  ({ target, name }) => [
    ...('wait' in target && keep(name).length > 0
      ? [
          'another step reads its answer, and the format does not say whether that is the event or its data',
        ]
      : []),
    ...(('event' in target && isExpression(target.event)) ||
    ('wait' in target && isExpression(target.wait))
      ? ['the type of its event would be read as an expression']
      : []),
  ];

const isExpression = (text: string): boolean => text.includes('${');

const carryOut = (stage: readonly Step[], number: number, task: (step: Step) => Task): Task => {
  const [only] = stage;
  const exported = { export: { as: expression('.') } };
  if (stage.length === 1 && only) {
    return {
      [only.name]: {
        ...(task(only)[only.name] as Task),
        output: { as: expression(`${RESULTS} + ${resultOf(only)}`) },
        ...exported,
      },
    };
  }
  return {
    [`stage ${number}`]: {
      fork: {
        compete: false,
        branches: stage.map((step) => {
          const inner = task(step)[step.name] as Task;
          return { [step.name]: { ...inner, output: { as: expression(resultOf(step)) } } };
        }),
      },
      // A branch that was not to run gives back what went in.
      output: { as: expression(`${RESULTS} + add`) },
      ...exported,
    },
  };
};

const resultOf = ({ name }: Step): string =>
  `{${JSON.stringify(name)}: {state: .state, attempts: .attempts, answer: (.answer // {})}}`;

/** Nothing more begins once a required step has failed. */
const endStage = (stage: readonly Step[], number: number): readonly Task[] => {
  const names = stage.filter(({ required }) => required).map(({ name }) => name);
  if (names.length === 0) return [];
  const failed = `[${JSON.stringify(names)}[] | select(${RESULTS}[.].state == "failed")]`;
  return [
    {
      [`stage ${number} ended`]: {
        if: expression(`${failed} | length > 0`),
        raise: {
          error: {
            type: 'https://serverlessworkflow.io/spec/1.0.0/errors/runtime',
            status: 500,
            title: 'A required step has failed',
            detail: expression(`${failed} | join(", ")`),
          },
        },
      },
    },
  ];
};
