/** A step and its result in words: the same in every drawing. */
import { formatDuration } from '../../duration';
import type { Step, Target } from '../pipeline';
import type { SkipReason, StepResult, StepState, UndoResult } from '../run';

/** What it calls; just `function` for one of the step's own name. */
export const targetWords = (target: Target, step?: string): string => {
  if ('function' in target)
    return target.function === step ? 'function' : `function ${target.function}`;
  if ('webhook' in target) return `webhook ${target.webhook}`;
  return 'event' in target ? `sends ${target.event}` : `waits for ${target.wait}`;
};

/** What is not as in every step, each in a few words. */
export const detailWords = ({ when, required, delay, rate, undo }: Step): readonly string[] => [
  ...(required ? [] : ['optional']),
  ...(when === undefined ? [] : [`when ${whenWords(when)}`]),
  ...(delay ? [`delay ${formatDuration(delay)}`] : []),
  ...(rate === undefined ? [] : [`at most ${rate}/s`]),
  ...(undo === undefined ? [] : [`undo ${targetWords(undo.target).replace(/^function /, '')}`]),
];

/** The empty pointer is the whole input. */
const whenWords = (when: NonNullable<Step['when']>): string =>
  typeof when === 'string'
    ? when || 'any input'
    : `${when.pointer || 'the input'} = ${JSON.stringify(when.equals)}`;

export const STATE_WORDS: Readonly<Record<StepState, string>> = {
  pending: 'waiting',
  running: 'running',
  succeeded: 'done',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'cancelled',
};

const REASON_WORDS: Readonly<Record<SkipReason, string>> = {
  condition: 'not asked for',
  not_configured: 'not configured',
  upstream: 'a step before failed',
  deadline: 'out of time',
};

const UNDO_WORDS: Readonly<Record<UndoResult['state'], string>> = {
  pending: 'to be undone',
  running: 'being undone',
  succeeded: 'undone',
  failed: 'not undone',
};

/** Why it stands so: the reason, the error of the last attempt, how often it was tried, how its undoing stands. */
export const resultWords = (result: StepResult): readonly string[] => {
  const { state, reason, attempts, error, undo } = result;
  return [
    ...(reason ? [REASON_WORDS[reason]] : []),
    ...(state !== 'succeeded' && error
      ? [[error.code, error.status].filter(Boolean).join(' ')]
      : []),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(undo ? [UNDO_WORDS[undo.state]] : []),
  ];
};
