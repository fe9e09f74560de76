/**
 * To Knative Eventing (https://knative.dev/docs/eventing/flows), as YAML: a Parallel that hands the event with the input
 * to each receiver, and a Trigger when the pipeline begins on a type of event.
 *
 * That is little of a pipeline, and the rest is refused: a Sequence hands the answer of a step on, not the input of the
 * run; nothing joins; a filter of a branch is a service of its own, and one of a Trigger does not see the data; nothing can
 * be put into a header.
 */
import { formatDuration } from '../../duration';
import type { Pipeline, Step } from '../pipeline';
import type { Exporter } from './export';
import { variables } from './notes';
import { baseUrl, commonRule, type Rule, refuse } from './refuse';
import { type Plain, toYaml } from './yaml';

export const toKnative: Exporter = (pipeline, options = {}) => {
  const deadLetterSink = baseUrl(options.deadLetterSink);
  const refused = refuse(pipeline, [
    // No function gets as far as that its URL would matter.
    commonRule({ ...options, functionsUrl: '' }),
    eventRule(pipeline, deadLetterSink),
  ]);
  if (refused.length > 0) return { refused };
  const notes = notesOf(pipeline);
  // A name may not end in a dash here.
  const name = pipeline.name.replace(/-+$/, '');
  const metadata = {
    name,
    annotations: { 'faas-patterns/graph': pipeline.hash, 'faas-patterns/unsigned': 'true' },
  };
  const documents: Plain[] = [
    {
      apiVersion: 'flows.knative.dev/v1',
      kind: 'Parallel',
      metadata,
      spec: { branches: pipeline.steps.map((step) => branch(step, deadLetterSink)) },
    },
    ...(pipeline.on === undefined
      ? []
      : [
          {
            apiVersion: 'eventing.knative.dev/v1',
            kind: 'Trigger',
            metadata,
            spec: {
              broker: 'default',
              filter: { attributes: { type: pipeline.on } },
              subscriber: { ref: { apiVersion: 'flows.knative.dev/v1', kind: 'Parallel', name } },
            },
          },
        ]),
  ];
  const head = notes.map((note) => `# ${note}\n`).join('');
  return { text: `${head}---\n${documents.map(toYaml).join('---\n')}`, notes };
};

const branch = ({ target, timeout, retry }: Step, deadLetterSink: string | undefined): Plain => ({
  subscriber: { uri: `\${${'webhook' in target ? target.webhook : ''}}` },
  delivery: deliveryOf(
    { timeout, retry },
    deadLetterSink === undefined ? undefined : { uri: deadLetterSink },
  ),
});

/** The delivery spec of these attempts: how often, after which waits, and where to when all have failed. */
export const deliveryOf = (
  { timeout, retry }: Pick<Step, 'timeout' | 'retry'>,
  deadLetterSink?: Plain,
): Plain => ({
  retry: retry.attempts - 1,
  backoffPolicy: 'exponential',
  backoffDelay: isoDuration(retry.backoff),
  timeout: isoDuration(timeout),
  ...(deadLetterSink !== undefined && { deadLetterSink }),
});

/** ISO 8601 */
const isoDuration = (ms: number): string => `PT${ms / 1000}S`;

const eventRule = ({ steps, deadline }: Pipeline, deadLetterSink: string | undefined): Rule => {
  const receivers = steps.map(({ target }) => ('webhook' in target ? target.webhook : undefined));
  return (step) => {
    const { target, after, when, input, delay, required } = step;
    const isShared =
      'webhook' in target && receivers.filter((name) => name === target.webhook).length > 1;
    return [
      ...('function' in target
        ? ['no header can be added, and a function takes a signature or a bearer token']
        : []),
      ...('event' in target
        ? ['an event goes on as it came, and this one is of another type']
        : []),
      ...('wait' in target ? ['nothing waits for an answer from outside'] : []),
      ...(after.length > 0
        ? [
            'nothing waits for other steps with the input of the run: a Sequence hands on the answer of the one before',
          ]
        : []),
      ...(when === undefined ? [] : ['a filter does not see the input']),
      ...(input === undefined ? [] : ['an event goes on as it came: no body can be built']),
      ...(delay ? ['nothing waits before the first attempt'] : []),
      ...(required && deadLetterSink === undefined
        ? [
            'there is no run that could fail, and without a dead letter sink nobody would learn of it: name one by --dead-letter-sink',
          ]
        : []),
      ...(isShared
        ? ['another step has the same receiver, which would take the same id for a repeat']
        : []),
      ...(longest(step) > deadline
        ? [
            `it can still be at work at the deadline of ${formatDuration(deadline)}, and nothing ends it then`,
          ]
        : []),
    ];
  };
};

/** ms; each wait is twice the one before, without an end, and the first may be doubled already. */
const longest = ({ timeout, retry: { attempts, backoff } }: Step): number =>
  attempts * timeout + backoff * (2 ** attempts - 2);

const notesOf = ({ steps, on }: Pipeline): readonly string[] => [
  'Calls are not signed.',
  'The id of the event is the key of each call; its type is that of the event.',
  ...variables(steps).map((name) => `\${${name}} is to be filled in: the URL of a webhook.`),
  on === undefined
    ? 'Any event that is sent to the Parallel is taken.'
    : 'The Trigger takes events from the broker default.',
  'A receiver answers with nothing, or with an event. 404 is tried again too; waits double without an end, not jittered.',
  'The input is not checked. Not carried over: runs and who may see them, retention, replay.',
];
