/**
 * To the Amazon States Language (https://states-language.net), with JSONata and HTTP tasks, as JSON.
 *
 * Stage by stage: a failure that nobody catches ends all branches of a Parallel at once, and one that is caught stops
 * none of them; ours lets those end that run, and begins no more. Attempts are a loop of our own, since a Retry cannot
 * tell 5xx from 4xx without naming each status.
 *
 * What stands in `${}` is filled in when it is deployed (DefinitionSubstitutions).
 */
import { keepOf } from '../keep';

import type { Pipeline, Step } from '../pipeline';
import type { Exporter, ExportOptions } from './export';
import { calls, runNotes, variables } from './notes';
import { baseUrl, commonRule, deadlineRule, type Rule, refuse } from './refuse';
import { stagesOf } from './stages';
import { type States, stepStates } from './step-functions-step';
import { longestOf, waitsOf } from './waits';

/** ms; of an HTTP task, whatever it says itself. */
const LONGEST_TASK = 60_000;

export const toStepFunctions: Exporter = (pipeline, options = {}) => {
  const functionsUrl = baseUrl(options.functionsUrl, /^https:$/);
  const given: ExportOptions = { ...options, ...(functionsUrl !== undefined && { functionsUrl }) };
  const { steps, name, hash, deadline } = pipeline;
  const stages = stagesOf(steps);
  const refused = refuse(pipeline, [
    commonRule(given),
    deadlineRule(pipeline, stages, longestOf(wholeSeconds)),
    taskRule,
  ]);
  if (refused.length > 0) return { refused };
  const keep = keepOf(steps);
  const notes = notesOf(pipeline, stages);
  const states: States = {
    Begin: { Type: 'Pass', Assign: { results: {} }, Next: 'Stage 1' },
    ...Object.assign(
      {},
      ...stages.map((stage, depth) =>
        stageStates(
          stage.map((step) => stepStates(pipeline, step, keep(step.name), given)),
          stage.filter(({ required }) => required).map((step) => step.name),
          `Stage ${depth + 1}`,
          depth + 1 < stages.length ? `Stage ${depth + 2}` : 'Succeeded',
        ),
      ),
    ),
    Succeeded: { Type: 'Succeed', Output: '{% $results %}' },
    ...(steps.some(({ required }) => required) && {
      Failed: {
        Type: 'Fail',
        Error: 'RequiredStepFailed',
        Cause: `{% 'A required step has failed: ' & $join(${failedOf(
          steps.filter(({ required }) => required).map((step) => step.name),
        )}, ', ') %}`,
      },
    }),
  };
  const definition = {
    Comment: [`Pipeline ${name}, graph ${hash}, unsigned.`, ...notes].join(' '),
    QueryLanguage: 'JSONata',
    StartAt: 'Begin',
    // Rounded down: nothing lasts longer than it may.
    TimeoutSeconds: Math.max(1, Math.floor(deadline / 1000)),
    States: states,
  };
  return { text: `${JSON.stringify(definition, null, 2)}\n`, notes };
};

const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000) * 1000;

const taskRule: Rule = ({ target, timeout }) => {
  if ('wait' in target)
    return [
      'an HTTP task cannot wait for an answer from outside: that needs a task token, and somebody who passes it on',
    ];
  return [
    ...(timeout % 1000 === 0 ? [] : ['a timeout is in whole seconds']),
    ...(timeout <= LONGEST_TASK ? [] : ['an HTTP task lasts at most 60 seconds']),
  ];
};

const notesOf = (pipeline: Pipeline, stages: readonly (readonly Step[])[]): readonly string[] => {
  const { steps } = pipeline;
  const isRounded = steps.some(({ delay = 0, retry }) =>
    [delay, ...waitsOf(retry)].some((ms) => ms % 1000 !== 0),
  );
  return [
    'The name of the execution is the id of the run; the key of a step is <name>:<step>.',
    'To be filled in when it is deployed, in dollar and braces: an EventBridge connection for each receiver, and the URL of a webhook or sink.',
    ...(calls(steps, 'function')
      ? [
          'The connection CALLER_CONNECTION_ARN sends one of the CALLER_TOKENS of the functions as a bearer token.',
        ]
      : []),
    ...variables(steps).map((name) => `${name} takes calls by https.`),
    ...(calls(steps, 'event') ? ['K_SINK takes the events, by https.'] : []),
    ...(isRounded ? ['Waits are rounded up to whole seconds.'] : []),
    'The input is not checked, and it, each answer and all results together hold at most 256 KiB.',
    'An HTTP task may follow a redirect.',
    ...runNotes(pipeline, stages),
  ];
};

const failedOf = (names: readonly string[]): string =>
  `$filter(${JSON.stringify(names)}, function($n) { $lookup($lookup($results, $n), "state") = "failed" })`;

const stageStates = (
  branches: readonly { readonly StartAt: string; readonly States: States }[],
  required: readonly string[],
  name: string,
  next: string,
): States => ({
  [name]: {
    Type: 'Parallel',
    Branches: branches,
    Assign: { results: '{% $merge($append([$results], $states.result)) %}' },
    Next: required.length > 0 ? `${name} ended` : next,
  },
  ...(required.length > 0 && {
    [`${name} ended`]: {
      Type: 'Choice',
      Choices: [{ Condition: `{% $count(${failedOf(required)}) > 0 %}`, Next: 'Failed' }],
      Default: next,
    },
  }),
});
