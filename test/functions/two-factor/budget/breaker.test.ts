import { describe, expect, test } from '@jest/globals';
import {
  ask,
  COOL_DOWN,
  convert,
  MAX_ROW,
  PROBE_PAUSE,
  PROBES,
  type PrefixBreaker,
  takeBack,
} from '../../../../functions/two-factor/budget/breaker';
import { DAY, HOUR, start, verdictOf, wishOf } from './harness';

const LIMITS = { sends: 50, conversions: 2 };

/** A prefix, and how many of so many messages pass. */
const prefix = () => {
  let breaker: PrefixBreaker | undefined;
  let now = Date.UTC(2026, 0, 1);
  const send = (count: number): number => {
    let passed = 0;
    for (let i = 0; i < count; i++) {
      const asked = ask(breaker, LIMITS, now);
      breaker = asked.value;
      if (asked.result.passes) passed += 1;
    }
    return passed;
  };
  return {
    send,
    convert: (count: number) => {
      for (let i = 0; i < count; i++) breaker = convert(breaker, LIMITS, now);
    },
    takeBack: () => {
      breaker = takeBack(breaker, { at: now, now });
    },
    wait: (ms: number) => {
      now += ms;
    },
    get retryAfter(): number {
      const { result } = ask(breaker, LIMITS, now);
      return result.passes ? 0 : result.retryAfter;
    },
  };
};

describe('a prefix', () => {
  test('that never converts is closed after 50 messages', () => {
    const { send } = prefix();
    expect(send(1_000)).toBe(50);
  });

  test('that converts as it should is not', () => {
    const it = prefix();
    for (let i = 0; i < 50; i++) {
      expect(it.send(20)).toBe(20);
      it.convert(10);
    }
  });

  test('that has converted before is closed after 100 in a row that do not', () => {
    const it = prefix();
    it.send(40);
    it.convert(40);
    expect(it.send(1_000)).toBe(MAX_ROW);
  });

  test('is closed by a slow drip too, as long as it is a day', () => {
    const it = prefix();
    let passed = 0;
    for (let i = 0; i < 52; i++) {
      it.wait(DAY / 100);
      passed += it.send(1);
    }
    expect(passed).toBe(50);
  });

  test('of a few messages a day stays open for ever', () => {
    const it = prefix();
    for (let i = 0; i < 400; i++) {
      it.wait(HOUR);
      expect(it.send(1)).toBe(1);
    }
  });

  test('is tried with a trickle after an hour, and closed for longer when nobody has come', () => {
    const it = prefix();
    it.send(51);
    expect(it.retryAfter).toBe(COOL_DOWN);
    it.wait(COOL_DOWN - 1);
    expect(it.send(1)).toBe(0);
    it.wait(1);
    for (let i = 0; i < PROBES; i++) {
      expect(it.send(100)).toBe(1);
      it.wait(PROBE_PAUSE);
    }
    expect(it.send(100)).toBe(0);
    expect(it.retryAfter).toBe(2 * COOL_DOWN);
  });

  test('is as new when somebody enters a code of the trickle', () => {
    const it = prefix();
    it.send(51);
    it.wait(COOL_DOWN);
    it.send(1);
    it.convert(1);
    expect(it.send(1_000)).toBe(51);
  });

  test('opens again when codes of before are entered late, if they are enough', () => {
    const it = prefix();
    it.send(51);
    it.convert(1);
    expect(it.send(100)).toBe(1);
    it.convert(1);
    expect(it.send(10)).toBe(10);
  });

  test('stays closed when they are not', () => {
    const it = prefix();
    it.send(40);
    it.convert(40);
    it.send(100);
    const few = prefix();
    few.send(20);
    few.convert(1);
    expect(few.send(1_000)).toBe(31);
    expect(few.send(10)).toBe(0);
  });

  test('is not held what was not sent', () => {
    const it = prefix();
    it.send(49);
    for (let i = 0; i < 200; i++) {
      expect(it.send(1)).toBe(1);
      it.takeBack();
    }
    expect(it.send(10)).toBe(1);
  });

  test('has no row of what was not sent', () => {
    const it = prefix();
    it.send(60);
    it.convert(60);
    it.send(60);
    for (let i = 0; i < 2 * MAX_ROW; i++) {
      expect(it.send(1)).toBe(1);
      it.takeBack();
    }
  });

  test('a trickle that did not leave is tried again', () => {
    const it = prefix();
    it.send(51);
    it.wait(COOL_DOWN);
    for (let i = 0; i < 3 * PROBES; i++) {
      expect(it.send(1)).toBe(1);
      it.takeBack();
      it.wait(PROBE_PAUSE);
    }
  });
});

test('a prefix that never converts is refused, its neighbours are not, and the log says so once', async () => {
  const { budgets, lines } = start({ environment: { TWO_FACTOR_PREFIX_HOURLY: '1000' } });
  const bad = { country: 'US', prefix: '+1202555' };
  const good = { country: 'US', prefix: '+1202556' };
  let sent = 0;
  for (let i = 0; i < 200; i++) {
    const grant = await budgets.issue(wishOf({ phone: bad }));
    if (grant.granted) sent += 1;
    else expect(verdictOf(grant)).toBe('prefix');
    expect(await budgets.issue(wishOf({ phone: good }))).toMatchObject({ granted: true });
    await budgets.converted(good);
  }
  expect(sent).toBe(50);
  expect(lines.map(({ message, fields }) => [message, fields])).toEqual([
    ['prefix_breaker_opened', { prefix: '+1202555' }],
  ]);
});
