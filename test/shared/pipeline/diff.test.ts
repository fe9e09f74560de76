import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { conflicts, diffGraphs, type GraphChange } from '../../../shared/pipeline/diff';
import { loadPipeline } from '../../../shared/pipeline/load';
import type { Pipeline } from '../../../shared/pipeline/pipeline';
import type { Results, StepResult } from '../../../shared/pipeline/run';

const make = (steps: object, fields: object = {}): Pipeline => {
  const { pipeline, mistakes } = loadPipeline({
    file: 'demo.yaml',
    text: JSON.stringify({
      name: 'demo',
      summary: 'A demo.',
      input: 'demo.schema.json',
      ...fields,
      steps,
    }),
    resolve: () => '{ "type": "object" }',
  });
  expect(mistakes).toEqual([]);
  return pipeline as Pipeline;
};

const X = { function: 'x' };
const BASE = { a: X, b: { ...X, after: ['a'] }, c: { ...X, after: ['b'] } };

const diff = (steps: object, fields?: object): readonly GraphChange[] =>
  diffGraphs(make(BASE), make(steps, fields));

const PENDING: StepResult = { state: 'pending', attempts: 0 };
const DONE: StepResult = { state: 'succeeded', attempts: 1 };
const SKIPPED: StepResult = { state: 'skipped', reason: 'condition', attempts: 0 };
const TRIED: StepResult = { state: 'running', attempts: 2 };

describe('diffGraphs', () => {
  test('finds nothing between two of the same, however they are written', () => {
    expect(diff(BASE)).toEqual([]);
    expect(diff({ c: BASE.c, b: BASE.b, a: BASE.a })).toEqual([]);
    const two = { a: X, b: X, c: { ...X, after: ['a', 'b'], expose: ['/x', '/y'] } };
    const turned = { ...two, c: { ...X, after: ['b', 'a'], expose: ['/y', '/x'] } };
    expect(diffGraphs(make(two), make(turned))).toEqual([]);
  });

  test.each([
    [{ timeout: '1s' }, ['timeout']],
    [{ function: 'y' }, ['target']],
    [{ when: '/x', required: false }, ['required', 'when']],
    [
      { function: 'z', input: { x: '/x' }, delay: '1s', rate: 1 },
      ['delay', 'input', 'rate', 'target'],
    ],
    [{ undo: { function: 'y' } }, ['undo']],
    [{ retry: { jitter: 0 }, expose: ['/x'] }, ['expose', 'retry']],
  ])('names the fields of a step that have changed: %j', (fields, names) => {
    expect(diff({ ...BASE, c: { ...BASE.c, ...fields } })).toEqual([
      { step: 'c', change: 'changed', fields: names },
    ]);
  });

  test('names what was added, removed and moved, and what waits for that', () => {
    expect(diff({ new: X, a: { ...X, after: ['new'] }, c: { ...X, after: ['a'] } })).toEqual([
      { step: 'new', change: 'added', before: ['a', 'c'] },
      { step: 'a', change: 'changed', fields: ['after'], before: ['c'] },
      { step: 'c', change: 'changed', fields: ['after'], before: [] },
      { step: 'b', change: 'removed' },
    ]);
  });

  test('names the fields of the pipeline itself', () => {
    expect(
      diff(BASE, { on: { type: 'a' }, deadline: '1h', retention: '1d', callers: 'admin' }),
    ).toEqual([
      { step: '', change: 'changed', fields: ['callers', 'deadline', 'on', 'retention'] },
    ]);
    expect(diff(BASE, { emits: { type: 'a' } })).toEqual([
      { step: 'emits', change: 'added', before: [] },
    ]);
  });

  test('tells of more that is read of an answer, not of less', () => {
    const reads = { ...BASE, c: { ...BASE.c, input: { id: 'a#/id' } } };
    const inC: GraphChange = { step: 'c', change: 'changed', fields: ['input'] };
    expect(diff(reads)).toEqual([{ step: 'a', change: 'changed', fields: ['keep'] }, inC]);
    expect(diffGraphs(make(reads), make(BASE))).toEqual([inC]);
  });
});

describe('conflicts', () => {
  const found = (steps: object, results: Results, fields?: object) =>
    conflicts(diff(steps, fields), results).map(({ step, change }) => `${change} ${step}`);

  const without = ({ b: _, ...rest }: typeof BASE) => ({ ...rest, c: { ...X, after: ['a'] } });

  test('has none while nothing has begun', () => {
    const steps = { new: X, a: { function: 'y', after: ['new'] } };
    expect(found(steps, {})).toEqual([]);
    expect(found(steps, { a: PENDING, b: PENDING, c: SKIPPED })).toEqual([]);
  });

  test.each<[string, StepResult]>([
    ['has succeeded', DONE],
    ['is tried', TRIED],
    ['has begun to wait', { state: 'running', attempts: 0 }],
    ['has failed', { state: 'failed', attempts: 5 }],
    ['was called off', { state: 'cancelled', attempts: 0 }],
    ['was tried and waits to be replayed', { state: 'pending', attempts: 3 }],
    ['was tried and skipped', { state: 'skipped', attempts: 1 }],
  ])('are what is taken from a step that %s', (_, result) => {
    const results = { a: DONE, b: result, c: PENDING };
    expect(found(without(BASE), results)).toEqual(['removed b']);
    for (const fields of [{ function: 'y' }, { input: { x: '/x' } }, { after: [] }])
      expect(found({ ...BASE, b: { ...BASE.b, ...fields } }, results)).toEqual(['changed b']);
    for (const fields of [{ timeout: '1s' }, { retry: { attempts: 1 } }, { expose: ['/x'] }])
      expect(found({ ...BASE, b: { ...BASE.b, ...fields } }, results)).toEqual([]);
  });

  test('are none of what has not begun, whatever it is', () => {
    const results = { a: DONE, b: PENDING, c: SKIPPED };
    expect(found(without(BASE), results)).toEqual([]);
    expect(found({ ...BASE, b: { function: 'y' }, d: X }, results)).toEqual([]);
    expect(found(BASE, { a: DONE, b: DONE, c: DONE }, { deadline: '1h' })).toEqual([]);
  });

  test('are what is put before a step that has begun, however far before', () => {
    const results = { a: SKIPPED, b: DONE, c: PENDING };
    const late = { ...BASE, new: X, a: { ...X, after: ['new'] } };
    expect(found(late, results)).toEqual(['added new', 'changed a']);
    expect(found({ ...BASE, new: X, c: { ...X, after: ['b', 'new'] } }, results)).toEqual([]);
    expect(found({ ...BASE, new: { ...X, after: ['c'] } }, results)).toEqual([]);
  });

  test('are answers of which more is read than was kept', () => {
    const reads = { ...BASE, c: { ...BASE.c, input: { id: 'a#/id' } } };
    expect(found(reads, { a: DONE, b: PENDING, c: PENDING })).toEqual(['changed a']);
    expect(found(reads, { a: PENDING, b: PENDING, c: PENDING })).toEqual([]);
  });

  test('are changes of an undo that has begun', () => {
    const from = { a: { ...X, undo: { function: 'y' } } };
    const changes = diffGraphs(make(from), make({ a: { ...X, undo: { function: 'z' } } }));
    const undone = (attempts: number): Results => ({
      a: { ...DONE, undo: { state: 'running', attempts } },
    });
    expect(conflicts(changes, { a: DONE })).toEqual([]);
    expect(conflicts(changes, undone(0))).toEqual([]);
    expect(conflicts(changes, undone(1))).toEqual(changes);
  });

  test('are never of a step that only shares its name with what every object has', () => {
    const changes: readonly GraphChange[] = [{ step: 'constructor', change: 'removed' }];
    expect(conflicts(changes, {})).toEqual([]);
  });
});

test('no change between any two graphs means that their steps are the same', () => {
  const graphs = fc
    .array(
      fc.tuple(
        fc.constantFrom('x', 'y'),
        fc.constantFrom(undefined, '1s'),
        fc.array(fc.nat({ max: 3 }), { maxLength: 2 }),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((rows) =>
      Object.fromEntries(
        rows.map(([to, timeout, after], i) => [
          `s${i}`,
          {
            function: to,
            timeout,
            after: [...new Set(after.filter((n) => n < i))].map((n) => `s${n}`),
          },
        ]),
      ),
    );
  fc.assert(
    fc.property(graphs, graphs, (one, other) => {
      const [from, to] = [make(one), make(other)];
      const plain = ({ steps }: Pipeline) =>
        steps
          .map((step) => JSON.stringify({ ...step, after: [...step.after].sort() }))
          .sort()
          .join();
      expect(diffGraphs(from, to).length === 0).toBe(plain(from) === plain(to));
      expect(diffGraphs(from, from)).toEqual([]);
      const changed = diffGraphs(from, to).map(({ step, change }) => `${step} ${change}`);
      const back = diffGraphs(to, from).map(({ step, change }) => `${step} ${change}`);
      const turn = (text: string) =>
        text.replace(/added|removed/, (word) => (word === 'added' ? 'removed' : 'added'));
      expect(back.map(turn).sort()).toEqual([...changed].sort());
    }),
    { numRuns: 200 },
  );
});
