import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import {
  type CallOutcome,
  COOL_DOWN,
  FAILURES_TO_OPEN,
  GONE_FOR,
} from '../../../shared/webhook/breaker';
import { MAX_REMEMBERED } from '../../../shared/webhook/known-targets';
import {
  createTargets,
  MAX_WAIT,
  type Pass,
  type Refusal,
  type TargetsOptions,
} from '../../../shared/webhook/targets';
import { manualClock } from '../../support/manual-clock';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asks for places, and keeps who got in and who was sent away, in their order. The first letter is the target. */
const door = (options: Omit<TargetsOptions, 'clock'> = {}) => {
  const clock = manualClock();
  const start = clock.now();
  const sleeps = new Set<Promise<void>>();
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const slept = clock.sleep(ms, signal);
    sleeps.add(slept);
    const over = () => sleeps.delete(slept);
    slept.then(over, over);
    return slept;
  };
  const targets = createTargets({ ...options, clock: { now: clock.now, sleep } });
  const inside: { readonly name: string; readonly pass: Pass }[] = [];
  const seen: string[] = [];
  const away: { readonly name: string; readonly in: number; readonly gone: boolean }[] = [];
  const enter = async (name: string, more: { rate?: number; signal?: AbortSignal } = {}) => {
    const { rate, signal = new AbortController().signal } = more;
    const entered = Promise.resolve(targets.enter(name.slice(0, 1), { rate, signal })).then(
      (entrance) => {
        if ('at' in entrance) {
          away.push({ name, in: entrance.at - clock.now(), gone: entrance.gone });
          return;
        }
        seen.push(`${name} at ${clock.now() - start}`);
        inside.push({ name, pass: entrance });
      },
      (error) => seen.push(`${name} ${error.code ?? error.name}`),
    );
    await settle();
    return entered;
  };
  return {
    clock,
    targets,
    seen,
    away,
    /** How many wait for their time. */
    bells: () => sleeps.size,
    names: () => inside.map(({ name }) => name),
    enter: async (name: string, more: { rate?: number; signal?: AbortSignal } = {}) => {
      void enter(name, more);
      await settle();
    },
    leave: async (name: string, outcome: CallOutcome = 'answered') => {
      const at = inside.findIndex((one) => one.name === name);
      const [gone] = inside.splice(at, at < 0 ? 0 : 1);
      gone?.pass.leave(outcome);
      await settle();
      return gone?.pass;
    },
  };
};

describe('places', () => {
  test('are as many as there are, and the next gets in when one leaves', async () => {
    const { enter, leave, names } = door({ limit: 2, share: 2 });
    for (const name of ['a1', 'a2', 'a3', 'a4']) await enter(name);
    expect(names()).toEqual(['a1', 'a2']);
    await leave('a1');
    expect(names()).toEqual(['a2', 'a3']);
    await leave('a3');
    await leave('a2');
    expect(names()).toEqual(['a4']);
  });

  test('are 256, and 64 for one target', async () => {
    const { enter, names } = door();
    for (let i = 0; i < 80; i += 1) await enter(`a${i}`);
    expect(names()).toHaveLength(64);
    for (const target of ['b', 'c', 'd'])
      for (let i = 0; i < 70; i += 1) await enter(`${target}${i}`);
    expect(names()).toHaveLength(256);
    await enter('e1');
    expect(names()).toHaveLength(256);
  });

  test('are kept from one target for the others', async () => {
    const { enter, names } = door({ limit: 4, share: 3 });
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1']) await enter(name);
    expect(names()).toEqual(['a1', 'a2', 'a3', 'b1']);
  });

  test('go to the target that holds the fewest, then to who has waited longest', async () => {
    const { enter, leave, names } = door({ limit: 3, share: 3 });
    for (const name of ['a1', 'a2', 'a3', 'a4', 'c1', 'b1', 'b2']) await enter(name);
    for (const name of ['a1', 'a2', 'a3']) await leave(name);
    expect(names()).toEqual(['c1', 'b1', 'a4']);
    await leave('c1');
    expect(names()).toEqual(['b1', 'a4', 'b2']);
  });

  test('are given back once, however often somebody leaves', async () => {
    const { enter, leave, names } = door({ limit: 1, share: 1 });
    for (const name of ['a1', 'a2', 'a3']) await enter(name);
    const pass = await leave('a1');
    pass?.leave('answered');
    await settle();
    expect(names()).toEqual(['a2']);
  });

  test('let everybody in in the end, and never more than there are', async () => {
    const { targets } = door({ limit: 5, share: 3 });
    const signals: AbortSignal[] = [];
    const inside = new Map<string, number>();
    const total = () => [...inside.values()].reduce((sum, count) => sum + count, 0);
    let most = 0;
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const target = `${i % 7}`;
        const { signal } = new AbortController();
        signals.push(signal);
        const pass = (await targets.enter(target, { signal })) as Pass;
        inside.set(target, (inside.get(target) ?? 0) + 1);
        expect(inside.get(target)).toBeLessThanOrEqual(3);
        most = Math.max(most, total());
        await settle();
        inside.set(target, (inside.get(target) ?? 0) - 1);
        pass.leave('answered');
      }),
    );
    expect(most).toBe(5);
    expect(total()).toBe(0);
    expect(signals.flatMap((signal) => getEventListeners(signal, 'abort'))).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN])('cannot be %d', (count) => {
    const clock = manualClock();
    expect(() => createTargets({ limit: count, clock })).toThrow(TypeError);
    expect(() => createTargets({ share: count, clock })).toThrow(TypeError);
  });
});

describe('the signal', () => {
  test('ends a wait, and who was behind moves up', async () => {
    const { enter, leave, names, seen } = door({ limit: 1, share: 1 });
    const abort = new AbortController();
    await enter('a1');
    await enter('a2', { signal: abort.signal });
    await enter('a3');
    abort.abort();
    await settle();
    expect(seen.at(-1)).toBe('a2 aborted');
    await leave('a1');
    expect(names()).toEqual(['a3']);
  });

  test('that has aborted before lets nobody in', async () => {
    const { enter, names, seen } = door();
    await enter('a1', { signal: AbortSignal.abort() });
    expect(seen).toEqual(['a1 aborted']);
    expect(names()).toEqual([]);
  });

  test('that aborts later takes no place away from who is inside', async () => {
    const { enter, names, seen } = door({ limit: 1, share: 1 });
    const abort = new AbortController();
    await enter('a1', { signal: abort.signal });
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    abort.abort();
    await enter('a2');
    expect(names()).toEqual(['a1']);
    expect(seen).toEqual(['a1 at 0']);
  });
});

describe('a target that fails', () => {
  const failing = async (outcome: CallOutcome = 'failed', times = FAILURES_TO_OPEN) => {
    const the = door({ limit: 4, share: 3 });
    for (let i = 0; i < times; i += 1) {
      await the.enter(`a${i}`);
      await the.leave(`a${i}`, outcome);
    }
    return the;
  };

  test('is left alone until it has cooled down, and the others are not', async () => {
    const { enter, names, away } = await failing();
    await enter('a');
    await enter('b');
    expect(names()).toEqual(['b']);
    expect(away).toEqual([{ name: 'a', in: COOL_DOWN, gone: false }]);
  });

  test('is not, as long as it answers', async () => {
    for (const outcome of ['answered', 'unmade'] as const) {
      const { enter, names } = await failing(outcome, 3 * FAILURES_TO_OPEN);
      await enter('a');
      expect(names()).toEqual(['a']);
    }
  });

  test('is tried with one call, and called again when that is answered', async () => {
    const { enter, leave, clock, names, away } = await failing();
    await clock.advance(COOL_DOWN);
    for (const name of ['a1', 'a2']) await enter(name);
    expect(names()).toEqual(['a1']);
    expect(away).toEqual([{ name: 'a2', in: COOL_DOWN, gone: false }]);
    await leave('a1', 'answered');
    for (const name of ['a3', 'a4']) await enter(name);
    expect(names()).toEqual(['a3', 'a4']);
  });

  test('is left alone for longer when that fails too', async () => {
    const { enter, leave, clock, away } = await failing();
    await clock.advance(COOL_DOWN);
    await enter('a1');
    await leave('a1', 'failed');
    await enter('a2');
    expect(away).toEqual([{ name: 'a2', in: 2 * COOL_DOWN, gone: false }]);
  });

  test('is not called by those who waited for a place meanwhile', async () => {
    const { enter, leave, names, away } = await failing('failed', FAILURES_TO_OPEN - 1);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) await enter(name);
    expect(names()).toEqual(['a1', 'a2', 'a3']);
    await leave('a2', 'failed');
    expect(names()).toEqual(['a1', 'a3']);
    expect(away.map(({ name }) => name)).toEqual(['a4', 'a5']);
    // Nor do they hold a place.
    await leave('a1', 'answered');
    for (const name of ['a6', 'a7', 'b1', 'b2']) await enter(name);
    expect(names()).toEqual(['a3', 'a6', 'a7', 'b1']);
  });

  test('is told of at once, also when no place is free', async () => {
    const { enter, away } = await failing();
    for (const name of ['b1', 'b2', 'b3', 'c1', 'c2', 'a1']) await enter(name);
    expect(away).toEqual([{ name: 'a1', in: COOL_DOWN, gone: false }]);
  });

  test('and says that it is gone is not called for long', async () => {
    const { enter, clock, names, away } = await failing('gone', 1);
    await enter('a1');
    expect(away).toEqual([{ name: 'a1', in: GONE_FOR, gone: true }]);
    await clock.advance(GONE_FOR);
    await enter('a2');
    expect(names()).toEqual(['a2']);
  });
});

describe('a rate', () => {
  test('is kept, first come first served, and nobody holds a place while waiting', async () => {
    const { enter, leave, clock, seen } = door({ limit: 2, share: 2 });
    for (const name of ['a1', 'a2', 'a3']) await enter(name, { rate: 2 });
    await enter('b1');
    expect(seen).toEqual(['a1 at 0', 'b1 at 0']);
    await leave('a1');
    await clock.advance(499);
    expect(seen).toHaveLength(2);
    await clock.advance(1);
    expect(seen.at(-1)).toBe('a2 at 500');
    await leave('b1');
    await clock.advance(10_000);
    expect(seen.at(-1)).toBe('a3 at 1000');
  });

  test('is kept also when places were short', async () => {
    const { enter, leave, clock, seen } = door({ limit: 1, share: 1 });
    await enter('b1');
    for (const name of ['a1', 'a2', 'a3']) await enter(name, { rate: 2 });
    await clock.advance(3_000);
    await leave('b1');
    await leave('a1');
    await leave('a2');
    expect(seen).toEqual(['b1 at 0', 'a1 at 3000']);
    await clock.advance(500);
    expect(seen.at(-1)).toBe('a2 at 3500');
  });

  test('sends away who would wait too long, each for a slot of its own', async () => {
    const { enter, clock, seen, away } = door();
    for (let i = 0; i < 14; i += 1) await enter(`a${i}`, { rate: 2 });
    expect(away).toEqual([
      { name: 'a11', in: 5_500, gone: false },
      { name: 'a12', in: 6_000, gone: false },
      { name: 'a13', in: 6_500, gone: false },
    ]);
    await clock.advance(MAX_WAIT);
    expect(seen).toHaveLength(11);
    expect(seen.at(-1)).toBe('a10 at 5000');
    await clock.advance(500);
    await enter('a11', { rate: 2 });
    expect(seen.at(-1)).toBe('a11 at 5500');
  });

  test('of less than one call in the longest wait sends the second one away', async () => {
    const { enter, names, away } = door();
    await enter('a1', { rate: 0.1 });
    await enter('a2', { rate: 0.1 });
    expect(names()).toEqual(['a1']);
    expect(away).toEqual([{ name: 'a2', in: 10_000, gone: false }]);
  });

  test('leaves nothing behind when who waited for it has given up', async () => {
    const { enter, clock, seen, bells } = door();
    const abort = new AbortController();
    await enter('a1', { rate: 1 });
    await enter('a2', { rate: 1, signal: abort.signal });
    expect(bells()).toBe(1);
    abort.abort();
    await settle();
    expect(seen).toEqual(['a1 at 0', 'a2 aborted']);
    expect(bells()).toBe(0);
    await enter('a3', { rate: 1 });
    await clock.advance(1_000);
    expect(seen.at(-1)).toBe('a3 at 1000');
  });

  test('of who has given up does not hold up who is behind and has none', async () => {
    const { enter, seen } = door();
    const abort = new AbortController();
    await enter('a1', { rate: 1 });
    await enter('a2', { rate: 1, signal: abort.signal });
    await enter('a3');
    expect(seen).toEqual(['a1 at 0']);
    abort.abort();
    await settle();
    expect(seen).toEqual(['a1 at 0', 'a2 aborted', 'a3 at 0']);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('cannot be %d', async (rate) => {
    const { enter, seen } = door();
    await enter('a1', { rate });
    expect(seen).toEqual(['a1 TypeError']);
  });
});

describe('memory', () => {
  test('is bounded: of too many targets those called longest ago are forgotten', async () => {
    const clock = manualClock();
    const targets = createTargets({ clock });
    const { signal } = new AbortController();
    const break_ = async (name: string) => {
      for (let i = 0; i < FAILURES_TO_OPEN; i += 1)
        ((await targets.enter(name, { signal })) as Pass).leave('failed');
    };
    const isOpen = async (name: string): Promise<boolean> => {
      const entrance: Pass | Refusal = await targets.enter(name, { signal });
      if ('at' in entrance) return true;
      entrance.leave('unmade');
      return false;
    };
    for (let i = 0; i < MAX_REMEMBERED; i += 1) await break_(`t${i}`);
    expect(await isOpen('t0')).toBe(true);
    expect(await isOpen('t1')).toBe(true);
    await break_('one more');
    expect(await isOpen('t2')).toBe(false);
    expect(await isOpen('t0')).toBe(true);
    expect(await isOpen('one more')).toBe(true);
  });

  test('does not lose count of a target that is being called', async () => {
    const { targets, enter, names } = door({ limit: 2, share: 1 });
    const { signal } = new AbortController();
    await enter('a1');
    for (let i = 0; i < 2 * MAX_REMEMBERED; i += 1)
      ((await targets.enter(`t${i}`, { signal })) as Pass).leave('failed');
    await enter('a2');
    expect(names()).toEqual(['a1']);
  });

  test('does not grow with targets that are well', async () => {
    const { targets } = door();
    const { signal } = new AbortController();
    // If these were kept, the one that is not well would be forgotten for them.
    for (let i = 0; i < FAILURES_TO_OPEN; i += 1)
      ((await targets.enter('ill', { signal })) as Pass).leave('failed');
    for (let i = 0; i < 2 * MAX_REMEMBERED; i += 1)
      ((await targets.enter(`t${i}`, { signal })) as Pass).leave('answered');
    expect(await targets.enter('ill', { signal })).toHaveProperty('at');
  });
});
