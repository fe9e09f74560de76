/**
 * What of a run's graph everybody may see who has the address of the run: its steps and what comes after what.
 *
 * Fails closed: a step is made anew of what is named here. Where it goes, which variable holds that, what it
 * reads and on what it depends stay with operators.
 */
import { EMITS, type Pipeline, STEP_DEFAULTS, type Step, type Target } from '../pipeline/pipeline';
import type { RunFacts } from './run-texts';
import { RUN_WORDS } from './run-words';

export type PublicGraph = Pick<Pipeline, 'name' | 'summary' | 'steps'>;

export const publicGraph = ({ name, steps }: Pipeline): PublicGraph => ({
  name,
  summary: 'The steps, each with its state; the table says the same.',
  steps: steps.map(
    (step): Step => ({
      name: step.name,
      after: step.after,
      required: step.required,
      target: publicTarget(step),
      expose: [],
      keep: [],
      ...STEP_DEFAULTS,
    }),
  ),
});

/** Only of which kind: the drawing says `function`, `webhook`, `sends an event` or `waits for an answer`. */
const publicTarget = ({ name, target }: Step): Target => {
  if ('function' in target) return { function: name };
  if ('webhook' in target) return { webhook: '', secret: '' };
  return 'event' in target ? { event: 'an event' } : { wait: 'an answer' };
};

export const factsOf = ({ hash, steps }: Pipeline): RunFacts => ({
  graph: hash,
  steps: Object.fromEntries(
    steps.map(({ name, target, retry, timeout, required }) => [
      name,
      { attempts: retry.attempts, required, ...('wait' in target && { wait: timeout }) },
    ]),
  ),
  words: RUN_WORDS,
});

/** What else a row says of its step. */
export const placeOf = ({ name, after, required }: Step): string =>
  [
    ...(after.length > 0 && name !== EMITS ? [`after ${after.join(', ')}`] : []),
    ...(required ? [] : ['optional']),
  ].join(', ');
