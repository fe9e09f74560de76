/** One step in Serverless Workflow: its condition, its delay, and the loop of its attempts. */
import type { Pipeline, Step } from '../pipeline';
import type { ExportOptions } from './export';
import { expression, jqObject, jqPointer, jqWhen } from './jq';
import { stepCall } from './serverless-workflow-call';
import { waitsOf } from './waits';
import type { Plain } from './yaml';

export type Task = Readonly<Record<string, Plain>>;

export const stepTask = (
  pipeline: Pick<Pipeline, 'name'>,
  step: Step,
  keep: readonly string[],
  options: ExportOptions,
): Task => {
  const { name, when, delay = 0, retry, target } = step;
  const waits = 'wait' in target ? [] : waitsOf(retry);
  const distinct = [...new Set(waits)];
  return {
    [name]: {
      ...(when !== undefined && { if: expression(jqWhen('$workflow.input', when)) }),
      do: [
        ...(delay > 0 ? [{ delay: { wait: { milliseconds: delay } } }] : []),
        { begin: { set: { attempts: 0, startedAt: expression('$task.startedAt.iso8601') } } },
        { attempt: attempt(pipeline, step, keep, options) },
        ...(waits.length === 0
          ? []
          : [
              {
                'next attempt': {
                  switch: [
                    ...waits.map((ms, index) => ({
                      [`after ${index + 1}`]: {
                        when: expression(`.again and .attempts == ${index + 1}`),
                        // biome-ignore lint/suspicious/noThenProperty: the format names it so
                        then: `wait ${ms}ms`,
                      },
                    })),
                    // biome-ignore lint/suspicious/noThenProperty: the format names it so
                    { ended: { then: 'exit' } },
                  ],
                },
              },
            ]),
        ...distinct.map((ms) => ({
          // biome-ignore lint/suspicious/noThenProperty: the format names it so
          [`wait ${ms}ms`]: { wait: { milliseconds: ms }, then: 'attempt' },
        })),
      ],
    },
  };
};

/** 408, 409, 425, 429, 5xx and what has no status: the same as in ../../retry. */
const AGAIN =
  '$error.status | . == null or . == 408 or . == 409 or . == 425 or . == 429 or (. >= 500 and . < 600)';

const attempt = (
  pipeline: Pick<Pipeline, 'name'>,
  step: Step,
  keep: readonly string[],
  options: ExportOptions,
): Task => {
  const kept = jqObject(
    Object.fromEntries(keep.map((pointer) => [pointer, jqPointer('.', pointer)])),
  );
  const delivered = `{state: "succeeded", again: false, answer: ${keep.length > 0 ? `(${kept})` : '{}'}}`;
  return {
    try: [
      {
        call: {
          ...stepCall(pipeline, step, options),
          timeout: { after: { milliseconds: step.timeout } },
          output: { as: expression(delivered) },
        },
      },
    ],
    catch: {
      as: 'error',
      do: [{ failed: { set: { state: 'failed', again: expression(AGAIN) } } }],
    },
    output: {
      as: expression('. + {attempts: ($input.attempts + 1), startedAt: $input.startedAt}'),
    },
  };
};
