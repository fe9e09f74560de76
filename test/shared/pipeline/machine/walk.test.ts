/** Whatever happens to a run, in whatever order: the rules of walk.ts hold. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { choices, graphs, walk } from './walk';

test('no walk through any graph breaks a rule, and each ends', () => {
  fc.assert(
    fc.property(graphs, choices, (pipeline, numbers) => {
      const { progress } = walk(pipeline, numbers);
      expect(progress.state).not.toBe('running');
    }),
    { numRuns: 4_000 },
  );
}, 60_000);

test('the walks meet everything often enough for this to mean something', () => {
  const met = new Map<string, number>();
  const samples = fc.sample(fc.tuple(graphs, choices), { numRuns: 1_000, seed: 1 });
  for (const [pipeline, numbers] of samples) {
    const { progress, passages, seen } = walk(pipeline, numbers);
    for (const what of [progress.state, `passages ${Math.min(passages, 3)}`, ...seen])
      met.set(what, (met.get(what) ?? 0) + 1);
  }
  const wanted = [
    ...['succeeded', 'failed', 'cancelled', 'passages 1', 'passages 2', 'passages 3'],
    ...['begun', 'delivered', 'dead', 'again', 'postponed', 'due', 'signalled', 'undo', 'replay'],
    ...['nothing_to_replay', 'replay_blocked'],
  ];
  expect(wanted.filter((what) => (met.get(what) ?? 0) < 30)).toEqual([]);
});
