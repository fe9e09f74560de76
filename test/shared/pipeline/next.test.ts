import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, isPresent, next } from '../../../shared/pipeline/next';
import { STEP_DEFAULTS, type Step } from '../../../shared/pipeline/pipeline';
import type { Results, StepResult, StepState } from '../../../shared/pipeline/run';

const step = (name: string, fields: Partial<Step> = {}): Step => ({
  name,
  target: { function: name },
  after: [],
  required: true,
  expose: [],
  keep: [],
  ...STEP_DEFAULTS,
  ...fields,
});

const results = (states: Record<string, StepState>): Results =>
  Object.fromEntries(Object.entries(states).map(([name, state]) => [name, { state, attempts: 0 }]));

const webhook = { webhook: 'CRM_URL', secret: 'WEBHOOK_SECRET' };

describe('decide', () => {
  test('skips what its condition excludes, and leaves the rest pending', () => {
    const steps = [step('a'), step('b', { when: '/phone' }), step('c', { when: '/mail' })];
    expect(decide({ steps }, { phone: '1' }, () => true)).toEqual({
      a: { state: 'pending', attempts: 0 },
      b: { state: 'pending', attempts: 0 },
      c: { state: 'skipped', reason: 'condition', attempts: 0 },
    });
  });

  test.each([
    [undefined, false],
    [null, false],
    [false, false],
    ['', false],
    [[], false],
    [{}, false],
    [0, true],
    [-0, true],
    [true, true],
    [' ', true],
    ['false', true],
    [[null], true],
    [{ a: null }, true],
  ])('takes %j for present: %s', (value, present) => {
    expect(isPresent(value)).toBe(present);
    const steps = [step('a', { when: '/field' })];
    const input = value === undefined ? {} : { field: value };
    expect(decide({ steps }, input, () => true).a?.state).toBe(present ? 'pending' : 'skipped');
  });

  test('finds nothing that every object inherits', () => {
    const steps = [step('a', { when: '/constructor' }), step('constructor')];
    expect(decide({ steps }, {}, () => true)).toEqual({
      a: { state: 'skipped', reason: 'condition', attempts: 0 },
      constructor: { state: 'pending', attempts: 0 },
    });
  });

  test('skips a webhook that has no URL, unless it is required: that one must fail its run', () => {
    const steps = [step('a', { target: webhook, required: false }), step('b', { target: webhook })];
    const asked: unknown[] = [];
    const configured = (target: unknown) => asked.push(target) === 0;
    expect(decide({ steps }, {}, configured)).toEqual({
      a: { state: 'skipped', reason: 'not_configured', attempts: 0 },
      b: { state: 'pending', attempts: 0 },
    });
    expect(asked).toEqual([webhook]);
  });

  test('gives the condition as the reason where both hold', () => {
    const steps = [step('a', { target: webhook, required: false, when: '/x' })];
    expect(decide({ steps }, {}, () => false).a).toMatchObject({ reason: 'condition' });
  });
});

describe('next', () => {
  const diamond = {
    steps: [
      step('a'),
      step('b', { after: ['a'] }),
      step('c', { after: ['a'], required: false }),
      step('d', { after: ['b'] }),
      step('e', { required: false, after: ['b', 'c'] }),
    ],
  };

  test('starts at once all that wait for nothing', () => {
    const steps = [step('a'), step('b'), step('c', { after: ['a'] })];
    expect(next({ steps }, {})).toEqual({ start: ['a', 'b'], skip: {}, isLost: false });
  });

  test('starts a step when all before it have ended: succeeded, skipped, or failed and not required', () => {
    expect(next(diamond, results({ a: 'succeeded', b: 'running' })).start).toEqual(['c']);
    expect(next(diamond, results({ a: 'succeeded', b: 'succeeded', c: 'running' })).start).toEqual([
      'd',
    ]);
    expect(next(diamond, results({ a: 'skipped', b: 'skipped', c: 'failed' })).start).toEqual([
      'd',
      'e',
    ]);
    expect(
      next(diamond, results({ a: 'succeeded', b: 'succeeded', c: 'cancelled' })).start,
    ).toEqual(['d', 'e']);
  });

  test('starts nothing twice', () => {
    expect(next(diamond, results({ a: 'running' }))).toEqual({
      start: [],
      skip: {},
      isLost: false,
    });
  });

  test.each(['failed', 'cancelled'] as const)(
    'starts nothing after a required step has %s, and skips all that has not started',
    (state) => {
      expect(next(diamond, results({ a: 'succeeded', b: state, c: 'running' }))).toEqual({
        start: [],
        skip: { d: 'upstream', e: 'upstream' },
        isLost: true,
      });
    },
  );

  test('waits for what runs before a failed run ends', () => {
    const failed = { a: 'succeeded', b: 'failed', d: 'skipped', e: 'skipped' } as const;
    expect(next(diamond, results({ ...failed, c: 'running' }))).toEqual({
      start: [],
      skip: {},
      isLost: true,
    });
    expect(next(diamond, results({ ...failed, c: 'succeeded' }))).toEqual({
      start: [],
      skip: {},
      isLost: true,
      outcome: 'failed',
    });
  });

  test('succeeds when all have ended and no required one failed', () => {
    const ended = {
      a: 'succeeded',
      b: 'skipped',
      c: 'failed',
      d: 'succeeded',
      e: 'cancelled',
    } as const;
    expect(next(diamond, results(ended))).toEqual({
      start: [],
      skip: {},
      isLost: false,
      outcome: 'succeeded',
    });
  });

  test('reads a step called constructor by its own result only', () => {
    expect(next({ steps: [step('constructor')] }, {}).start).toEqual(['constructor']);
  });
});

interface Script {
  readonly steps: readonly Step[];
  readonly fails: Readonly<Record<string, boolean>>;
  readonly lasts: Readonly<Record<string, number>>;
  readonly given: Readonly<Record<string, boolean>>;
}

/** A graph that `check` would take, with what happens in it: which steps fail, how long each lasts, which are wanted. */
const scripts: fc.Arbitrary<Script> = fc
  .array(
    fc.record({
      after: fc.array(fc.nat(), { maxLength: 4 }),
      required: fc.boolean(),
      fails: fc.boolean(),
      lasts: fc.integer({ min: 1, max: 6 }),
      given: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((drafts) => {
    const steps: Step[] = [];
    drafts.forEach(({ after, required }, i) => {
      const before = i === 0 ? [] : [...new Set(after.map((n) => steps[n % i] as Step))];
      const isRequired = required && before.every((other) => other.required);
      steps.push(
        step(`s${i}`, {
          after: before.map(({ name }) => name),
          required: isRequired,
          when: `/s${i}`,
        }),
      );
    });
    const read = <T>(of: (draft: (typeof drafts)[number]) => T) =>
      Object.fromEntries(drafts.map((draft, i) => [`s${i}`, of(draft)]));
    return {
      steps,
      fails: read(({ fails }) => fails),
      lasts: read(({ lasts }) => lasts),
      given: read(({ given }) => given),
    };
  });

interface End {
  readonly states: Readonly<Record<string, string>>;
  readonly outcome: string;
}

/**
 * The model: no deciding step by step. When everything would start and end if nothing failed the run gives the instant of
 * the first required failure; what would start from then on is skipped, all else ends as scripted.
 */
const model = ({ steps, fails, lasts, given }: Script): End => {
  const endOf = new Map<string, number>();
  const startOf = new Map<string, number>();
  for (const { name, after } of steps) {
    const start = Math.max(0, ...after.map((other) => endOf.get(other) as number));
    startOf.set(name, start);
    // What is not wanted has ended before anything begins.
    endOf.set(name, given[name] ? start + (lasts[name] as number) : 0);
  }
  const broken = steps.filter(({ name, required }) => required && given[name] && fails[name]);
  const brokenAt = Math.min(
    Number.POSITIVE_INFINITY,
    ...broken.map(({ name }) => endOf.get(name) as number),
  );
  const states = steps.map(({ name }) => {
    if (!given[name]) return [name, 'condition'];
    if ((startOf.get(name) as number) >= brokenAt) return [name, 'upstream'];
    return [name, fails[name] ? 'failed' : 'succeeded'];
  });
  return {
    states: Object.fromEntries(states),
    outcome: brokenAt < Number.POSITIVE_INFINITY ? 'failed' : 'succeeded',
  };
};

/** Carries a run through by `next` alone, on a clock that jumps from end to end. */
const carryThrough = (
  { steps, fails, lasts, given }: Script,
  shuffle: (names: string[]) => string[],
): End => {
  const pipeline = { steps };
  let current: Record<string, StepResult> = { ...decide(pipeline, given, () => true) };
  const endsAt = new Map<string, number>();
  const started = new Set<string>();
  for (let now = 0; ; now = Math.min(...endsAt.values())) {
    for (const [name, at] of endsAt)
      if (at <= now) {
        current[name] = { state: fails[name] ? 'failed' : 'succeeded', attempts: 1 };
        endsAt.delete(name);
      }
    // The order of the members must not matter.
    current = Object.fromEntries(
      shuffle(Object.keys(current)).map((name) => [name, current[name] as StepResult]),
    );
    const { start, skip, outcome } = next(pipeline, current);
    for (const name of start) {
      if (started.has(name)) throw new Error(`${name} was started twice`);
      const { after } = steps.find((other) => other.name === name) as Step;
      for (const other of after)
        if (['pending', 'running'].includes(current[other]?.state ?? ''))
          throw new Error(`${name} was started before ${other} ended`);
      started.add(name);
      current[name] = { state: 'running', attempts: 1 };
      endsAt.set(name, now + (lasts[name] as number));
    }
    for (const [name, reason] of Object.entries(skip)) {
      if (current[name]?.state !== 'pending')
        throw new Error(`${name} was skipped after it had started`);
      current[name] = { state: 'skipped', reason, attempts: 0 };
    }
    if (outcome !== undefined) {
      if (endsAt.size > 0) throw new Error('the run ended before its steps');
      const states = Object.entries(current).map(([name, { state, reason }]) => [
        name,
        reason ?? state,
      ]);
      return { states: Object.fromEntries(states), outcome };
    }
    if (endsAt.size === 0) throw new Error('nothing runs and nothing ends');
  }
};

describe('any run of any graph', () => {
  test('ends, starts no step before those it waits for, and ends each step as the model says', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        expect(carryThrough(script, (names) => names)).toEqual(model(script));
      }),
      { numRuns: 3_000 },
    );
  });

  test('does not depend on the order in which results are kept', () => {
    fc.assert(
      fc.property(scripts, fc.infiniteStream(fc.nat()), (script, numbers) => {
        const shuffle = (names: string[]) => {
          const ranked = names.map((name) => [numbers.next().value as number, name] as const);
          return ranked.sort(([a], [b]) => a - b).map(([, name]) => name);
        };
        expect(carryThrough(script, shuffle)).toEqual(model(script));
      }),
      { numRuns: 1_000 },
    );
  });

  test('meets both outcomes and every end often enough for this to mean something', () => {
    const seen = new Map<string, number>();
    for (const script of fc.sample(scripts, { numRuns: 1_000, seed: 1 })) {
      const { states, outcome } = model(script);
      for (const key of [outcome, ...new Set(Object.values(states))])
        seen.set(`${key}`, (seen.get(key) ?? 0) + 1);
    }
    for (const key of ['failed', 'succeeded', 'condition', 'upstream'])
      expect(seen.get(key)).toBeGreaterThan(100);
  });
});
