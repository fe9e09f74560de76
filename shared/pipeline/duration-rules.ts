/** How long things may take: each duration within its bounds, and nothing beyond the deadline of the run. */
import { formatDuration } from '../duration';
import { BOUNDS } from './bounds';
import { type Finding, isRecord } from './finding';
import { STEP_DEFAULTS } from './pipeline';
import { type CallSketch, callsOf, durationOf, type Sketch, type StepSketch } from './sketch';

/** What is no duration at all has been told with the shape. */
export const checkDurations = (document: Sketch): readonly Finding[] => {
  const inDeadline = checkBounds('deadline', '/deadline', document.fields.deadline);
  const deadline = inDeadline.length > 0 ? undefined : document.deadline;
  return [
    ...inDeadline,
    ...checkBounds('retention', '/retention', document.fields.retention),
    // What a wait has of a call has been told of as a whole.
    ...callsOf(document)
      .filter(({ fields }) => !('wait' in fields))
      .flatMap(checkCall),
    ...document.steps.flatMap((step) => checkWaits(step, deadline)),
  ];
};

const checkCall = ({ pointer, fields }: CallSketch): readonly Finding[] => {
  const retry = isRecord(fields.retry) ? fields.retry : {};
  const findings = [
    ...checkBounds('timeout', `${pointer}/timeout`, fields.timeout),
    ...checkBounds('backoff', `${pointer}/retry/backoff`, retry.backoff),
    ...checkBounds('maxBackoff', `${pointer}/retry/maxBackoff`, retry.maxBackoff),
  ];
  const backoff = durationOf(retry.backoff) ?? STEP_DEFAULTS.retry.backoff;
  const maxBackoff = durationOf(retry.maxBackoff) ?? STEP_DEFAULTS.retry.maxBackoff;
  if (findings.length > 0 || backoff <= maxBackoff) return findings;
  const field = durationOf(retry.maxBackoff) === undefined ? 'backoff' : 'maxBackoff';
  return [
    {
      pointer: `${pointer}/retry/${field}`,
      code: 'out_of_bounds',
      message: `maxBackoff (${formatDuration(maxBackoff)}) must not be below backoff (${formatDuration(backoff)})`,
    },
  ];
};

const checkWaits = (
  { pointer, fields }: StepSketch,
  deadline: number | undefined,
): readonly Finding[] => {
  const wait = isRecord(fields.wait) ? fields.wait : {};
  return [
    ...checkWithin('delay', { pointer: `${pointer}/delay`, value: fields.delay, deadline }),
    ...checkWithin('wait', {
      pointer: `${pointer}/wait/timeout`,
      value: wait.timeout,
      deadline,
    }),
  ];
};

const checkWithin = (
  field: 'delay' | 'wait',
  {
    pointer,
    value,
    deadline,
  }: Readonly<{ pointer: string; value: unknown; deadline?: number | undefined }>,
): readonly Finding[] => {
  const findings = checkBounds(field, pointer, value);
  const ms = durationOf(value);
  if (findings.length > 0 || ms === undefined || deadline === undefined || ms <= deadline)
    return findings;
  return [
    {
      pointer,
      code: 'beyond_deadline',
      message: `${NAMES[field]} of ${formatDuration(ms)} is beyond the deadline of the run, ${formatDuration(deadline)}: shorten it or raise deadline`,
    },
  ];
};

const NAMES = { delay: 'a delay', wait: 'a wait' } as const;

const checkBounds = (
  field: keyof typeof BOUNDS,
  pointer: string,
  value: unknown,
): readonly Finding[] => {
  const ms = durationOf(value);
  const { least, most } = BOUNDS[field];
  if (ms === undefined || (ms >= least && ms <= most)) return [];
  const name = field === 'wait' ? 'timeout' : field;
  return [
    {
      pointer,
      code: 'out_of_bounds',
      message: `${name} must be from ${formatDuration(least)} to ${formatDuration(most)}`,
    },
  ];
};
