/** Whether what somebody wants of a run can be done with it as it is. Pure, and the same for every engine. */
import type { Refusal } from '../engine';
import type { Pipeline } from '../pipeline';
import { type Progress, resultOf } from '../progress';
import type { RunEvent } from './transition';

/** What is wanted of a run that is under way. */
export type Command = Extract<RunEvent, { kind: 'signalled' | 'cancelled' }>;

/** `undefined`: it can be done, or is done already. */
export const refuse = (
  { steps }: Pick<Pipeline, 'steps'>,
  progress: Progress,
  command: Command,
): Refusal | undefined => {
  if (command.kind === 'signalled') return refuseAnswer(steps, progress, command);
  return progress.state === 'running' || progress.state === 'cancelled'
    ? undefined
    : { code: 'run_ended', detail: `This run has ended already: it has ${progress.state}.` };
};

const refuseAnswer = (
  steps: Pipeline['steps'],
  { results }: Progress,
  { step: name, fingerprint }: Extract<Command, { kind: 'signalled' }>,
): Refusal | undefined => {
  const step = steps.find((one) => one.name === name);
  if (!step || !('wait' in step.target))
    return { code: 'unknown_step', detail: `This run has no step ${name} that waits.` };
  const { state, answered } = resultOf(results, name);
  const isOpen = answered === undefined && (state === 'pending' || state === 'running');
  return isOpen || answered === fingerprint
    ? undefined
    : { code: 'not_waiting', detail: `${name} does not wait for an answer any more.` };
};
