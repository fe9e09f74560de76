import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Outcome } from '../../../functions/shard-router/choice';
import {
  type Circuit,
  checked,
  mayProbe,
  phaseOf,
  probing,
  restOf,
  settled,
  WELL,
} from '../../../functions/shard-router/circuit';

const LIMITS = { failures: 3, openFor: 10_000, checkFor: 0, probeFor: 60_000 };
const NOW = 1_000_000;

const request = (circuit: Circuit, outcome: Outcome, now = NOW, limits = LIMITS): Circuit =>
  settled(circuit, { outcome, period: circuit.period, probe: false }, limits, now);
const probe = (circuit: Circuit, outcome: Outcome, now: number): Circuit =>
  settled(circuit, { outcome, period: circuit.period, probe: true }, LIMITS, now);
const ended = (outcomes: readonly Outcome[], from = WELL): Circuit =>
  outcomes.reduce((circuit, outcome) => request(circuit, outcome), from);
const phase = (circuit: Circuit, now = NOW) => phaseOf(circuit, LIMITS, now);

const OPEN = ended(['failed', 'failed', 'failed']);
const LATER = NOW + LIMITS.openFor;

describe('a closed circuit', () => {
  test('opens with the last of so many failures in a row', () => {
    expect(phase(ended(['failed', 'failed']))).toBe('closed');
    expect(phase(OPEN)).toBe('open');
    expect(restOf(OPEN, LIMITS, NOW + 1)).toBe(LIMITS.openFor - 1);
  });

  test('counts anew after an answer, and not after a client that left', () => {
    expect(phase(ended(['failed', 'failed', 'answered', 'failed', 'failed']))).toBe('closed');
    expect(phase(ended(['failed', 'failed', 'left', 'failed']))).toBe('open');
  });

  test('is the same object while all is well, so that health costs nothing', () => {
    expect(request(WELL, 'answered')).toBe(WELL);
    expect(request(WELL, 'left')).toBe(WELL);
    expect(checked(WELL, true, LIMITS, NOW)).toBe(WELL);
  });

  test('is opened by active checks in a row, although requests are answered meanwhile', () => {
    let circuit = WELL;
    for (let n = 0; n < LIMITS.failures; n += 1) {
      expect(phase(circuit)).toBe('closed');
      circuit = checked(request(circuit, 'answered'), false, LIMITS, NOW);
    }
    expect(phase(circuit)).toBe('open');
  });

  test('is not opened by failed checks between which one succeeded, nor kept from opening by one', () => {
    const twice = checked(checked(WELL, false, LIMITS, NOW), false, LIMITS, NOW);
    expect(phase(checked(checked(twice, true, LIMITS, NOW), false, LIMITS, NOW))).toBe('closed');
    const failing = checked(ended(['failed', 'failed']), true, LIMITS, NOW);
    expect(phase(request(failing, 'failed'))).toBe('open');
  });
});

describe('an open circuit', () => {
  test('is tried when its time is over, and not before', () => {
    expect(mayProbe(OPEN, LIMITS, LATER - 1)).toBe(false);
    expect(mayProbe(OPEN, LIMITS, LATER)).toBe(true);
    expect(phase(OPEN, LATER)).toBe('half-open');
    expect(mayProbe(WELL, LIMITS, LATER)).toBe(false);
  });

  test('is neither closed nor kept open by what began before it opened', () => {
    const late = { period: WELL.period, probe: false };
    for (const outcome of ['answered', 'failed', 'left'] as const)
      expect(settled(OPEN, { ...late, outcome }, LIMITS, NOW + 5_000)).toBe(OPEN);
  });

  test('takes no word of a request that was sent to it all the same', () => {
    for (const outcome of ['answered', 'failed', 'left'] as const) {
      expect(request(OPEN, outcome)).toBe(OPEN);
      // It was to decide, but has lost its place before it began.
      expect(probe(OPEN, outcome, LATER)).toBe(OPEN);
    }
    const tried = probing(OPEN, LATER);
    expect(request(tried, 'answered', LATER)).toBe(tried);
  });

  test('takes no word of an active check before its time is over', () => {
    expect(checked(OPEN, true, LIMITS, LATER - 1)).toBe(OPEN);
    expect(checked(OPEN, false, LIMITS, LATER - 1)).toBe(OPEN);
  });

  test('is not open for ever when the clock is set back', () => {
    const back = NOW - 3_600_000;
    expect(phase(OPEN, back)).toBe('half-open');
    expect(mayProbe(OPEN, LIMITS, back)).toBe(true);
    expect(mayProbe(probing(OPEN, LATER), LIMITS, back)).toBe(true);
    expect(phase(OPEN, NOW - 1_000)).toBe('open');
  });
});

describe('a half-open circuit', () => {
  const tried = probing(OPEN, LATER);

  test('lets one request decide at a time', () => {
    expect(mayProbe(tried, LIMITS, LATER)).toBe(false);
    expect(phase(probe(tried, 'answered', LATER))).toBe('closed');
    expect(probe(tried, 'answered', LATER)).toMatchObject({ failures: 0, misses: 0 });
    const again = probe(tried, 'failed', LATER + 7);
    expect(restOf(again, LIMITS, LATER + 7)).toBe(LIMITS.openFor);
    expect(mayProbe(again, LIMITS, LATER + 7 + LIMITS.openFor)).toBe(true);
  });

  test('has its place back from a request whose client left', () => {
    const free = probe(tried, 'left', LATER + 5);
    expect(phase(free, LATER + 5)).toBe('half-open');
    expect(mayProbe(free, LIMITS, LATER + 5)).toBe(true);
  });

  test('gives up a request that never ends, and hears nothing of it any more', () => {
    const end = LATER + LIMITS.probeFor;
    expect(mayProbe(tried, LIMITS, end - 1)).toBe(false);
    expect(mayProbe(tried, LIMITS, end)).toBe(true);
    const second = probing(tried, end);
    const late = { period: tried.period, probe: true };
    for (const outcome of ['answered', 'failed', 'left'] as const)
      expect(settled(second, { ...late, outcome }, LIMITS, end)).toBe(second);
  });

  test('is decided by an active check, also over the head of a request', () => {
    const well = checked(tried, true, LIMITS, LATER);
    expect(phase(well, LATER)).toBe('closed');
    const late = { outcome: 'failed', period: tried.period, probe: true } as const;
    expect(settled(well, late, LIMITS, LATER)).toBe(well);
    const ill = checked(tried, false, LIMITS, LATER);
    expect(restOf(ill, LIMITS, LATER)).toBe(LIMITS.openFor);
    expect(settled(ill, { ...late, outcome: 'answered' }, LIMITS, LATER)).toBe(ill);
  });

  test('is left to active checks for their time, then a request may decide', () => {
    const limits = { ...LIMITS, checkFor: 7_000 };
    expect(mayProbe(OPEN, limits, LATER + 6_999)).toBe(false);
    expect(mayProbe(OPEN, limits, LATER + 7_000)).toBe(true);
  });
});

/** Many requests at once, each of which learns its fate at any time. */
describe('whatever happens in whatever order', () => {
  type Step =
    | { readonly do: 'begin' }
    | { readonly do: 'end'; readonly which: number; readonly outcome: Outcome }
    | { readonly do: 'check'; readonly healthy: boolean }
    | { readonly do: 'wait'; readonly ms: number };

  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: 'begin' as const }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        which: fc.nat(),
        outcome: fc.constantFrom<Outcome>('answered', 'failed', 'failed', 'left'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('check' as const), healthy: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.constantFrom(0, 1, 4_000, 10_000, 30_000),
      }),
    },
  );

  test('a circuit opens only after failures in its own period, and one request at a time decides', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let circuit = WELL;
        let now = NOW;
        const flights: { period: number; probe: boolean; at: number }[] = [];
        /** Since it last closed: how the requests of this time ended, and the checks. */
        let failures = 0;
        let misses = 0;
        for (const one of steps) {
          const before = phaseOf(circuit, LIMITS, now);
          if (one.do === 'wait') now += one.ms;
          else if (one.do === 'begin') {
            if (before === 'closed')
              flights.push({ period: circuit.period, probe: false, at: now });
            else if (mayProbe(circuit, LIMITS, now)) {
              circuit = probing(circuit, now);
              flights.push({ period: circuit.period, probe: true, at: now });
            }
          } else if (one.do === 'check') {
            misses = one.healthy ? 0 : misses + 1;
            circuit = checked(circuit, one.healthy, LIMITS, now);
          } else {
            const [flight] = flights.splice(one.which % Math.max(flights.length, 1), 1);
            if (flight === undefined) continue;
            const isOld = flight.period !== circuit.period;
            const next = settled(circuit, { ...flight, outcome: one.outcome }, LIMITS, now);
            if (isOld) expect(next).toBe(circuit);
            else if (before === 'closed' && one.outcome === 'failed') failures += 1;
            else if (before === 'closed' && one.outcome === 'answered') failures = 0;
            circuit = next;
          }
          const phaseNow = phaseOf(circuit, LIMITS, now);
          if (before === 'closed' && phaseNow !== 'closed')
            expect(Math.max(failures, misses)).toBe(LIMITS.failures);
          if (before === 'closed' && phaseNow === 'closed')
            expect(Math.max(failures, misses)).toBeLessThan(LIMITS.failures);
          // Out of the open state the time leads, and nothing else.
          if (before === 'open' && one.do !== 'wait') expect(phaseNow).toBe('open');
          if (before !== 'closed') {
            failures = 0;
            misses = 0;
          }
          expect(
            flights.filter(
              ({ probe: decides, period, at }) =>
                decides && period === circuit.period && now < at + LIMITS.probeFor,
            ).length,
          ).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
