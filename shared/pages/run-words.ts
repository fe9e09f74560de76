/** Words for the states and failures of a run: those of the drawing, and sentences where there is room for them. */
import { resultWords, STATE_WORDS } from '../pipeline/draw/words';
import type { SkipReason, UndoResult } from '../pipeline/run';
import type { RunWords } from './run-texts';

const REASONS: readonly SkipReason[] = ['condition', 'not_configured', 'upstream', 'deadline'];
const UNDO: readonly UndoResult['state'][] = ['pending', 'running', 'succeeded', 'failed'];

const firstWord = (result: Parameters<typeof resultWords>[0]): string =>
  resultWords(result)[0] ?? '';

export const RUN_WORDS: RunWords = {
  states: STATE_WORDS,
  reasons: Object.fromEntries(
    REASONS.map((reason) => [reason, firstWord({ state: 'skipped', attempts: 0, reason })]),
  ) as RunWords['reasons'],
  undo: Object.fromEntries(
    UNDO.map((state) => [
      state,
      firstWord({ state: 'succeeded', attempts: 1, undo: { state, attempts: 0 } }),
    ]),
  ) as RunWords['undo'],
  errors: {
    'refused 3': 'The receiver sent it elsewhere, and a redirect is never followed.',
    'refused 4': 'The receiver refused it, and would refuse the same again.',
    'refused 408': 'The receiver could not take it just then.',
    'refused 409': 'The receiver was still at work on it.',
    'refused 425': 'The receiver could not take it just then.',
    'refused 429': 'The receiver had more calls than it takes.',
    'refused 5': 'The receiver had a fault of its own.',
    refused: 'The receiver did not take it.',
    upstream_timeout: 'No answer came in time; it may have arrived all the same.',
    upstream_unreachable: 'The receiver could not be reached.',
    upstream_invalid: 'What came back is not an answer.',
    forbidden_target: 'The receiver is not on the public internet, nor among those allowed.',
    target_gone: 'The receiver has said that it is gone for good.',
    target_disabled: 'The receiver is not called any more: it has said that it is gone for good.',
    not_configured: 'It has no address to go to.',
    invalid_request: 'Its address or what goes with it is not valid.',
    body_too_large: 'It is larger than what is sent.',
    deadline_exceeded: 'The time of the run was up.',
    wait_timeout: 'Nobody answered in time.',
    internal: 'Something went wrong on our side; the log says what.',
  },
};
