/** One line in the log for an attempt that did not end well, the same for every engine. */
import type { Log } from '../../handler';
import type { AttemptOutcome } from '../attempt';
import type { Activity } from '../machine/underway';
import type { RunRecord } from '../progress';

export const reportAttempt = (
  log: Log,
  run: RunRecord,
  { step, undo, attempt }: Activity,
  outcome: AttemptOutcome,
): void => {
  if (outcome.verdict === 'delivered') return;
  const fields = {
    run: run.id,
    pipeline: run.pipeline.name,
    step: step.name,
    ...(undo && { undo }),
    attempt,
  };
  if (outcome.verdict === 'postponed') {
    log.info('attempt_postponed', { ...fields, until: new Date(outcome.at).toISOString() });
    return;
  }
  const { code, status } = outcome.error;
  const line = { ...fields, failure: code, status };
  if (outcome.verdict === 'again') log.info('attempt_failed', line);
  else log.warn(undo ? 'undo_failed' : 'step_failed', line);
};
