/**
 * A run in words: all that its page says of it. Pure.
 *
 * The page says it twice: the server once, when it is asked, and the browser at each change. `describeRun` goes along as
 * its own text, so it may use its parameters and nothing else from outside of itself.
 */
import type { Run, SkipReason, StepState, UndoResult } from '../pipeline/run';

/** What the page knows beside the run. */
export interface RunFacts {
  /** Digest of the graph that is drawn. */
  readonly graph: string;
  readonly steps: Readonly<Record<string, StepFacts>>;
  readonly words: RunWords;
}

export interface StepFacts {
  /** How often it is tried at most. */
  readonly attempts: number;
  /** Whether its failure fails the run. */
  readonly required: boolean;
  /** How long it waits for an answer, ms. Absent: it calls, and waits for nobody. */
  readonly wait?: number;
}

export interface RunWords {
  readonly states: Readonly<Record<StepState, string>>;
  readonly reasons: Readonly<Record<SkipReason, string>>;
  readonly undo: Readonly<Record<UndoResult['state'], string>>;
  /** A sentence for a failure code, alone, with a status (`refused 429`) or the class of it (`refused 4`). */
  readonly errors: Readonly<Record<string, string>>;
}

/** Every text may be empty. */
export interface StepTexts {
  readonly state: string;
  readonly why: string;
  readonly attempts: string;
  /** What comes at that instant, ISO 8601. */
  readonly next?: { readonly text: string; readonly at: string };
  readonly took: string;
  readonly error: string;
  readonly meaning: string;
  readonly undo: string;
  readonly generation: string;
  readonly output: string;
  /** For the drawing, which has little room. */
  readonly note: string;
  /** What can be asked of it now. */
  readonly order: 'replay' | 'answer' | '';
}

export interface RunTexts {
  readonly state: string;
  readonly summary: string;
  readonly took: string;
  /** In one of these words, what can be asked of the run now. */
  readonly order: 'replay' | 'cancel' | '';
  readonly steps: Readonly<Record<string, StepTexts>>;
  /** What was asked of it, oldest first. */
  readonly history: readonly {
    readonly what: string;
    readonly by: string;
    readonly at: string;
    readonly reason: string;
  }[];
}

export type DescribeRun = (run: Run, facts: RunFacts) => RunTexts;

export const describeRun: DescribeRun = (run, { steps: facts, words }) => {
  const { state, cancelled, replays = [] } = run;
  const all = Object.entries(run.steps);
  const named = (...states: readonly StepState[]) =>
    all.filter(([, step]) => states.includes(step.state)).map(([name]) => name);
  const waiting = named('running').filter((name) => facts[name]?.wait !== undefined);

  const duration = (from: string, to: string): string => {
    const ms = Math.max(0, Date.parse(to) - Date.parse(from));
    if (ms < 1_000) return `${ms} ms`;
    if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
    const [days, hours, minutes, seconds] = [
      Math.floor(ms / 86_400_000),
      Math.floor(ms / 3_600_000) % 24,
      Math.floor(ms / 60_000) % 60,
      Math.floor(ms / 1_000) % 60,
    ];
    if (days > 0) return `${days} d ${hours} h`;
    return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds} s`;
  };

  const summarize = (): string => {
    if (state === 'cancelled') return `Called off by ${cancelled?.by ?? 'somebody'}.`;
    if (state === 'failed') {
      const failed = named('failed')
        .filter((name) => facts[name]?.required)
        .join(', ');
      return failed ? `Failed at ${failed}.` : 'Out of time before every step was done.';
    }
    if (state === 'succeeded')
      return [
        [
          `${named('succeeded').length} of ${all.length} steps done`,
          ...(named('skipped').length > 0 ? [`${named('skipped').length} skipped`] : []),
          ...(named('failed').length > 0
            ? [`optional ones failed: ${named('failed').join(', ')}`]
            : []),
        ].join(', '),
        '.',
      ].join('');
    if (cancelled) return 'Called off: what is under way may end, and what can be undone is.';
    if (all.some(([, { undo }]) => undo?.state === 'pending' || undo?.state === 'running'))
      return 'A required step has failed: what was done is being undone.';
    const ended = all.length - named('pending', 'running').length;
    return `${waiting.length > 0 ? `Waits for an answer: ${waiting.join(', ')}. ` : ''}${ended} of ${all.length} steps have ended.`;
  };

  const describeStep = (name: string, step: Run['steps'][string]): StepTexts => {
    const { reason, attempts, startedAt, endedAt, nextAttemptAt, undo, generation } = step;
    const error = step.state === 'succeeded' ? undefined : step.error;
    const { attempts: most = 0, wait } = facts[name] ?? {};
    const isWaiting = step.state === 'running' && wait !== undefined;
    const codeOf = ({ code, status }: { readonly code: string; readonly status?: number }) =>
      status === undefined ? code : `${code} ${status}`;
    const meaningOf = ({ code, status = 0 }: { readonly code: string; readonly status?: number }) =>
      words.errors[`${code} ${status}`] ??
      words.errors[`${code} ${Math.floor(status / 100)}`] ??
      words.errors[code] ??
      '';
    const isMissing = step.state === 'skipped' && (reason === 'upstream' || reason === 'deadline');
    const isWanted = step.state === 'failed' || step.state === 'cancelled' || isMissing || undo;
    return {
      state: words.states[step.state],
      why: reason ? words.reasons[reason] : isWaiting ? 'waits for an answer' : '',
      attempts: attempts > 0 ? `${attempts} of ${most}` : '',
      ...(nextAttemptAt !== undefined && {
        next: { text: attempts > 0 ? 'next try' : 'begins', at: nextAttemptAt },
      }),
      ...(isWaiting &&
        startedAt !== undefined && {
          next: {
            text: 'time is up',
            at: new Date(Date.parse(startedAt) + wait).toISOString(),
          },
        }),
      took: startedAt !== undefined && endedAt !== undefined ? duration(startedAt, endedAt) : '',
      error: error ? codeOf(error) : '',
      meaning: error ? meaningOf(error) : '',
      undo: undo
        ? [
            `Its effect: ${words.undo[undo.state]}`,
            ...(undo.attempts > 1 ? [`after ${undo.attempts} attempts`] : []),
            ...(undo.error && undo.state !== 'succeeded' ? [codeOf(undo.error)] : []),
          ].join(', ')
        : '',
      generation:
        generation === undefined ? '' : `Sent anew, under the key of generation ${generation}`,
      output: step.output === undefined ? '' : JSON.stringify(step.output, undefined, 2),
      note: [
        ...(reason ? [words.reasons[reason]] : []),
        ...(error ? [codeOf(error)] : []),
        ...(attempts > 1 ? [`${attempts} attempts`] : []),
        ...(undo ? [words.undo[undo.state]] : []),
      ].join(' · '),
      order: isWaiting ? 'answer' : state !== 'running' && isWanted ? 'replay' : '',
    };
  };

  return {
    state,
    summary: summarize(),
    took: run.endedAt === undefined ? '' : duration(run.createdAt, run.endedAt),
    order: state !== 'running' ? 'replay' : cancelled ? '' : 'cancel',
    steps: Object.fromEntries(all.map(([name, step]) => [name, describeStep(name, step)])),
    history: [
      ...replays.map(({ steps, resend, ...rest }) => ({
        what:
          steps.length === 0
            ? 'Undone once more'
            : `Replayed${resend ? ', sent anew' : ''}: ${steps.join(', ')}`,
        ...rest,
      })),
      ...(cancelled ? [{ what: 'Cancelled', ...cancelled }] : []),
    ]
      .map(({ what, by, at, reason }) => ({ what, by, at, reason }))
      .sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
  };
};
