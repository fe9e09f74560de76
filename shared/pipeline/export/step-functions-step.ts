/** The branch of one step in the Amazon States Language. */
import type { Pipeline, Step } from '../pipeline';
import type { ExportOptions } from './export';
import { jsonataBody, jsonataObject, jsonataPointer, jsonataText, jsonataWhen } from './jsonata';
import { waitsOf } from './waits';

export type States = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const INPUT = '$states.context.Execution.Input';

/** An answer without a status never came. */
const AGAIN = `($e := $states.errorOutput.Error; $contains($e, "Http.StatusCode.") ? $contains($e, /[.](408|409|425|429|5[0-9][0-9])$/) : true)`;

export const stepStates = (
  pipeline: Pick<Pipeline, 'name'>,
  step: Step,
  keep: readonly string[],
  options: ExportOptions,
): { readonly StartAt: string; readonly States: States } => {
  const { name, when, delay = 0, retry } = step;
  const seconds = waitsOf(retry).map((ms) => Math.ceil(ms / 1000));
  const begin = delay > 0 ? `${name} delay` : `${name} begin`;
  const states: States = {
    ...(when !== undefined && {
      [`${name} wanted`]: {
        Type: 'Choice',
        Choices: [{ Condition: `{% ${jsonataWhen(INPUT, when)} %}`, Next: begin }],
        Default: `${name} skipped`,
      },
      [`${name} skipped`]: ended(name, '{"state": "skipped", "attempts": 0}'),
    }),
    ...(delay > 0 && {
      [`${name} delay`]: { Type: 'Wait', Seconds: Math.ceil(delay / 1000), Next: `${name} begin` },
    }),
    [`${name} begin`]: {
      Type: 'Pass',
      Assign: { attempt: 1, startedAt: '{% $states.context.State.EnteredTime %}' },
      Next: name,
    },
    [name]: task(pipeline, step, keep, options),
    ...(seconds.length > 0 && {
      [`${name} again`]: {
        Type: 'Choice',
        Choices: [
          {
            Condition: `{% $again and $attempt < ${retry.attempts} %}`,
            Next: `${name} wait`,
          },
        ],
        Default: `${name} failed`,
      },
      [`${name} wait`]: {
        Type: 'Wait',
        Seconds: `{% ${JSON.stringify(seconds)}[$attempt - 1] %}`,
        Assign: { attempt: '{% $attempt + 1 %}' },
        Next: name,
      },
    }),
    [`${name} failed`]: ended(name, '{"state": "failed", "attempts": $attempt}'),
  };
  return { StartAt: when === undefined ? begin : `${name} wanted`, States: states };
};

const ended = (name: string, result: string) => ({
  Type: 'Pass',
  Output: `{% {${JSON.stringify(name)}: ${result}} %}`,
  End: true,
});

const task = (
  pipeline: Pick<Pipeline, 'name'>,
  step: Step,
  keep: readonly string[],
  options: ExportOptions,
) => {
  const { name, timeout, retry } = step;
  const kept = jsonataObject(
    Object.fromEntries(
      keep.map((pointer) => [pointer, jsonataPointer('$states.result.ResponseBody', pointer)]),
    ),
  );
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::http:invoke',
    Arguments: call(pipeline, step, options),
    TimeoutSeconds: timeout / 1000,
    Catch: [
      retry.attempts > 1
        ? {
            ErrorEquals: ['States.ALL'],
            Assign: { again: `{% ${AGAIN} %}` },
            Next: `${name} again`,
          }
        : { ErrorEquals: ['States.ALL'], Next: `${name} failed` },
    ],
    Output: `{% {${JSON.stringify(name)}: {"state": "succeeded", "attempts": $attempt, "answer": ${kept}}} %}`,
    End: true,
  };
};

const call = (
  pipeline: Pick<Pipeline, 'name'>,
  { name, target, input }: Step,
  { functionsUrl }: ExportOptions,
) => {
  const [url, connection] =
    'function' in target
      ? [`${functionsUrl}/${target.function}`, 'CALLER']
      : 'webhook' in target
        ? [toFill(target.webhook), target.webhook]
        : [toFill('K_SINK'), 'K_SINK'];
  const key = `{% $states.context.Execution.Name & ${JSON.stringify(`:${name}`)} %}`;
  const body = jsonataBody(
    INPUT,
    (other) => `$lookup($lookup($results, ${JSON.stringify(other)}), "answer")`,
    input,
  );
  return {
    Method: 'POST',
    ApiEndpoint: url,
    Authentication: { ConnectionArn: toFill(`${connection}_CONNECTION_ARN`) },
    Headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': key,
      // A type may look like an expression.
      'ce-type':
        'event' in target ? `{% ${jsonataText(target.event)} %}` : `${pipeline.name}.${name}`,
      'ce-source': `/${pipeline.name}/runs`,
      'ce-time': '{% $startedAt %}',
      'idempotency-key': key,
    },
    RequestBody: `{% ${body} %}`,
  };
};

const toFill = (name: string): string => `\${${name}}`;
