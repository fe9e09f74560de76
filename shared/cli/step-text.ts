/** A step's result in words, for a line of a terminal; and what its error means to whoever has to mend it. */
import type { CallResult, Run, StepError, StepResult } from '../pipeline/run';
import type { Colour } from './text';

/** `succeeded`, `skipped (condition)`, `running (refused 503), attempt 3 at 2026-01-01T00:00:00.000Z`. */
export const describeStep = (step: StepResult): string => {
  const { state, reason, undo } = step;
  const words = describeCall(step, state, reason);
  return undo ? `${words}; undo ${describeCall(undo, undo.state)}` : words;
};

const describeCall = (
  { attempts, error, nextAttemptAt }: CallResult,
  state: string,
  reason?: string,
): string => {
  const why = reason ?? (state === 'succeeded' ? undefined : error && errorText(error));
  const again =
    nextAttemptAt !== undefined
      ? `, attempt ${attempts + 1} at ${nextAttemptAt}`
      : attempts > 1
        ? `, attempt ${attempts}`
        : '';
  return `${state}${why === undefined ? '' : ` (${why})`}${again}`;
};

/** `refused 503`, `upstream_timeout`. */
export const errorText = ({ code, status }: StepError): string =>
  status === undefined ? code : `${code} ${status}`;

/** What a step failed for in the end: its own error, or that of what should have undone it. */
export const errorOf = ({ state, error, undo }: StepResult): StepError | undefined =>
  undo?.state === 'failed' ? undo.error : state === 'succeeded' ? undefined : error;

const MEANINGS: Readonly<Record<string, string>> = {
  refused: 'the target has answered, and the status says no',
  target_gone: 'the target has answered 410: it is gone, and not called again until it is enabled',
  target_disabled: 'the target has answered 410 before: `pipeline targets` shows and enables it',
  not_configured: 'the environment variable that holds its URL is not set',
  forbidden_target: 'the address is not on the public internet, and not in WEBHOOK_ALLOW',
  upstream_timeout: 'no whole answer came within the timeout of the step',
  upstream_unreachable: 'no connection: the name does not resolve, or nothing listens there',
  upstream_invalid: 'what answered does not speak HTTP',
  body_too_large: 'the body of the call is larger than may be sent',
  invalid_request: 'the URL or a header of the call cannot be sent',
  deadline_exceeded: 'the deadline of the run has passed',
  wait_timeout: 'nobody has answered in time',
  aborted: 'the attempt was called off',
  internal: 'a fault of the suite itself; its log says more',
};

/** `undefined` for a code that nobody knows. */
export const errorMeaning = ({ code }: StepError): string | undefined =>
  Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined;

const COLOURS: Readonly<Record<StepResult['state'], Colour | undefined>> = {
  pending: 'dim',
  running: undefined,
  succeeded: 'green',
  failed: 'red',
  skipped: 'dim',
  cancelled: 'yellow',
};

export const colourOf = ({ state, undo }: StepResult): Colour | undefined =>
  undo?.state === 'failed' ? 'red' : state === 'running' ? 'yellow' : COLOURS[state];

/** One line for each step that has failed, with what that means; nothing when none has. */
export const explainFailures = ({ steps }: Pick<Run, 'steps'>): readonly string[] =>
  Object.entries(steps).flatMap(([name, step]) => {
    const error = errorOf(step);
    if (error === undefined || (step.state === 'running' && step.undo === undefined)) return [];
    const meaning = errorMeaning(error);
    return [`${name}: ${errorText(error)}${meaning === undefined ? '' : `: ${meaning}`}`];
  });
