import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  ask,
  type Breaker,
  type CallOutcome,
  CLOSED,
  COOL_DOWN,
  FAILURES_TO_OPEN,
  GONE_FOR,
  MAX_COOL_DOWN,
  tell,
} from '../../../shared/webhook/breaker';

const NOW = 1_000_000;
const call = (outcome: CallOutcome) => ({ outcome, probe: false });
const probe = (outcome: CallOutcome) => ({ outcome, probe: true });
const OUTCOMES: readonly CallOutcome[] = ['answered', 'failed', 'gone', 'unmade'];

const through = (outcomes: readonly CallOutcome[], from: Breaker = CLOSED, now = NOW): Breaker =>
  outcomes.reduce((breaker, outcome) => tell(breaker, call(outcome), now), from);

const failures = (count: number) => Array.from({ length: count }, () => 'failed' as const);
const OPEN = through(failures(FAILURES_TO_OPEN));

/** Lets the next probe through and tells how it ended. */
const tried = (breaker: Breaker, outcome: CallOutcome, now: number): Breaker => {
  const decision = ask(breaker, now);
  if (!decision.passes || !decision.probe) throw new Error('no probe passes');
  return tell(decision.breaker, probe(outcome), now);
};

describe('a closed breaker', () => {
  test('lets calls pass until so many in a row have failed', () => {
    expect(ask(CLOSED, NOW)).toEqual({ passes: true, probe: false, breaker: CLOSED });
    expect(ask(through(failures(FAILURES_TO_OPEN - 1)), NOW).passes).toBe(true);
    expect(ask(OPEN, NOW)).toEqual({ passes: false, at: NOW + COOL_DOWN, gone: false });
  });

  test('forgets failures with any answer, and not with a call that was never made', () => {
    const almost = failures(FAILURES_TO_OPEN - 1);
    expect(through([...almost, 'answered', ...almost]).state).toBe('closed');
    expect(through([...almost, 'answered'])).toEqual(CLOSED);
    expect(through([...almost, 'unmade'])).toEqual(through(almost));
    expect(through([...almost, 'unmade', 'failed']).state).toBe('open');
  });
});

describe('an open breaker', () => {
  test('lets nothing pass until it has cooled down, then one call only', () => {
    expect(ask(OPEN, NOW + COOL_DOWN - 1)).toMatchObject({ passes: false, at: NOW + COOL_DOWN });
    const decision = ask(OPEN, NOW + COOL_DOWN);
    expect(decision).toMatchObject({ passes: true, probe: true });
    const { breaker } = decision as { breaker: Breaker };
    const later = NOW + COOL_DOWN + 7;
    expect(ask(breaker, later)).toEqual({ passes: false, at: later + COOL_DOWN, gone: false });
  });

  test('closes with the answer to that call', () => {
    expect(tried(OPEN, 'answered', NOW + COOL_DOWN)).toEqual(CLOSED);
  });

  test('cools down for twice as long each time that the call fails, up to a cap', () => {
    const waits: number[] = [];
    let breaker = OPEN;
    let now = NOW;
    for (let i = 0; i < 8; i += 1) {
      const { at } = ask(breaker, now) as { at: number };
      waits.push(at - now);
      now = at;
      breaker = tried(breaker, 'failed', now);
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000]);
    expect(waits.at(-1)).toBe(MAX_COOL_DOWN);
    // From the start again, once it has been well.
    const reopened = through(failures(FAILURES_TO_OPEN), tried(breaker, 'answered', now + 60_000));
    expect(ask(reopened, NOW)).toMatchObject({ at: NOW + COOL_DOWN });
  });

  test('tries again at once when that call was not made', () => {
    const breaker = tried(OPEN, 'unmade', NOW + COOL_DOWN);
    expect(ask(breaker, NOW + COOL_DOWN)).toMatchObject({ passes: true, probe: true });
    expect(tried(breaker, 'failed', NOW + COOL_DOWN)).toMatchObject({ trips: 2 });
  });

  test('hears of calls that began before only that the target lives', () => {
    expect(through(['failed', 'failed', 'unmade'], OPEN)).toBe(OPEN);
    expect(through(['answered'], OPEN)).toEqual(CLOSED);
    const { breaker } = ask(OPEN, NOW + COOL_DOWN) as { breaker: Breaker };
    expect(through(['failed', 'unmade'], breaker)).toBe(breaker);
    expect(through(['answered'], breaker)).toEqual(CLOSED);
  });
});

describe('a target that is gone', () => {
  const GONE = through(['gone']);

  test('is left alone at once, for long, and said to be gone', () => {
    expect(ask(GONE, NOW)).toEqual({ passes: false, at: NOW + GONE_FOR, gone: true });
    expect(ask(through(['gone'], OPEN), NOW)).toMatchObject({ at: NOW + GONE_FOR, gone: true });
  });

  test('is not called back by what it answered before', () => {
    expect(through(['answered', 'failed', 'unmade'], GONE)).toBe(GONE);
    const { breaker } = ask(GONE, NOW + GONE_FOR) as { breaker: Breaker };
    expect(through(['answered'], breaker)).toBe(breaker);
  });

  test('is tried again with one call, which decides', () => {
    const later = NOW + GONE_FOR;
    expect(tried(GONE, 'answered', later)).toEqual(CLOSED);
    expect(ask(tried(GONE, 'gone', later), later)).toMatchObject({ at: later + GONE_FOR });
    expect(ask(tried(GONE, 'failed', later), later)).toMatchObject({ gone: false });
  });
});

test('whatever happens, a probe passes in the end, and never two at once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...OUTCOMES), fc.nat(100_000)), { maxLength: 100 }),
      (steps) => {
        let breaker = CLOSED;
        let now = NOW;
        for (const [outcome, wait] of steps) {
          now += wait;
          const decision = ask(breaker, now);
          if (decision.passes) {
            if (decision.probe) expect(ask(decision.breaker, now + 1).passes).toBe(false);
            breaker = tell(decision.breaker, { outcome, probe: decision.probe }, now);
          } else expect(decision.at).toBeGreaterThan(now);
        }
        expect(ask(breaker, now + GONE_FOR).passes).toBe(true);
      },
    ),
  );
});
