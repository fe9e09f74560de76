/** What operators ask of a journal. */
import type { Journal } from '../../../shared/pipeline/engines/journal';
import type { RunState } from '../../../shared/pipeline/run';

const DAY = 86_400_000;
const STATES: readonly (RunState | undefined)[] = [
  undefined,
  'running',
  'succeeded',
  'failed',
  'cancelled',
];
const pipeline = 'fan-out';

/** The latencies in ms, each question `times` times and each time another one of its kind. */
export const askJournal = async (
  journal: Journal,
  times: number,
): Promise<Readonly<Record<string, readonly number[]>>> => {
  const now = Date.now();
  /** Evenly spread, the same in every run. */
  const instant = (i: number) => now - Math.round((28 * DAY * i) / times);
  const stateOf = (i: number) => STATES[i % STATES.length];
  const questions: Readonly<Record<string, (i: number) => Promise<object>>> = {
    'runs, the newest 50 of a state or of all': (i) =>
      journal.list({ pipeline, state: stateOf(i) }),
    'runs of an hour, of a state or of all': (i) =>
      journal.list({
        pipeline,
        state: stateOf(i),
        since: instant(i) - DAY / 24,
        until: instant(i),
      }),
    'runs of a state that no run of the hour is in': (i) =>
      journal.list({
        pipeline,
        state: 'running',
        since: instant(i) - 2 * DAY,
        until: instant(i) - DAY,
      }),
    'runs, 500 from anywhere deep in the list': (i) =>
      journal.list({ pipeline, state: stateOf(i), after: `${instant(i)}.1`, limit: 500 }),
    'dead letters, the newest 50': () => journal.deadLetters({ pipeline }),
    'dead letters of a step': () => journal.deadLetters({ pipeline, step: 'third' }),
    'dead letters of a step that has none': () => journal.deadLetters({ pipeline, step: 'first' }),
    'dead letters of a code': () => journal.deadLetters({ pipeline, code: 'refused' }),
    'dead letters of a step and a code that it has not': () =>
      journal.deadLetters({ pipeline, step: 'third', code: 'upstream_timeout' }),
    'dead letters of a code and a step that has none': () =>
      journal.deadLetters({ pipeline, step: 'first', code: 'refused' }),
    'dead letters, 500 from anywhere deep in the list': (i) =>
      journal.deadLetters({ pipeline, after: `${1 + i * 3_000}.third`, limit: 500 }),
  };
  const latencies: Record<string, number[]> = {};
  for (const [name, question] of Object.entries(questions)) {
    const all: number[] = [];
    for (let i = 0; i < times; i++) {
      const started = performance.now();
      await question(i);
      all.push(performance.now() - started);
    }
    latencies[name] = all;
  }
  return latencies;
};
