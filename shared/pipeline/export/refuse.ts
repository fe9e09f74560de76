/** What no format can say, and what depends on the options; each format adds its own. */
import { formatDuration } from '../../duration';
import type { Pipeline, Step } from '../pipeline';
import type { ExportOptions, Refusal } from './export';

/** Why a step cannot be said; empty when it can. */
export type Rule = (step: Step) => readonly string[];

export const refuse = (
  { steps }: Pick<Pipeline, 'steps'>,
  rules: readonly Rule[],
): readonly Refusal[] =>
  steps.flatMap((step) =>
    rules.flatMap((rule) => rule(step).map((reason) => ({ step: step.name, reason }))),
  );

export const commonRule =
  ({ functionsUrl, unsigned = false }: ExportOptions): Rule =>
  ({ target, rate, undo }) => [
    ...('webhook' in target && !unsigned
      ? [
          'the format cannot sign, and this receiver may rely on the signature: --unsigned exports it without',
        ]
      : []),
    ...('function' in target && functionsUrl === undefined
      ? ['where the functions are is not known: name it by --functions-url or FUNCTIONS_URL']
      : []),
    ...(rate === undefined ? [] : ['the format has no limit to the rate of calls over all runs']),
    ...(undo === undefined
      ? []
      : [
          'the format does not take back in reverse order what was done when a run fails or is cancelled',
        ]),
  ];

/** The base without slashes at the end; a path below it stays. */
export const baseUrl = (text: string | undefined, schemes = /^https?:$/): string | undefined => {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !schemes.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new TypeError(
      `${JSON.stringify(text)} is not a URL of ${schemes.test('http:') ? 'http or https' : 'https'} without user, query and fragment`,
    );
  return url.href.replace(/\/+$/, '');
};

/** The longest that a step can be at work, in ms: all of its attempts and the waits between them. */
export type Longest = (step: Step) => number;

/**
 * These formats end a whole run at its deadline, as failed. Here a step that is not required fails alone then, and
 * the run may still succeed: one that can be at work at that time is refused.
 */
export const deadlineRule = (
  { deadline }: Pick<Pipeline, 'deadline'>,
  stages: readonly (readonly Step[])[],
  longest: Longest,
): Rule => {
  const late = new Set<string>();
  let end = 0;
  for (const stage of stages) {
    for (const step of stage) if (end + longest(step) > deadline) late.add(step.name);
    end += Math.max(...stage.map(longest));
  }
  return ({ name, required }) =>
    late.has(name) && !required
      ? [
          `it can still be at work at the deadline of ${formatDuration(deadline)}, and the format fails the whole run then: shorten timeouts and retries, or lengthen the deadline`,
        ]
      : [];
};
