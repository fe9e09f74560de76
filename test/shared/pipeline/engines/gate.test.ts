import { describe, expect, test } from '@jest/globals';
import { createGate, type Leave } from '../../../../shared/pipeline/engines/gate';

/** Asks for places and keeps who got in, in their order. */
const visitors = (limit: number, share: number) => {
  const gate = createGate({ limit, share });
  const inside: { readonly name: string; readonly leave: Leave }[] = [];
  const seen: string[] = [];
  return {
    seen,
    names: () => inside.map(({ name }) => name),
    enter: async (name: string) => {
      void gate.enter(name.slice(0, 1)).then((leave) => {
        seen.push(name);
        return inside.push({ name, leave });
      });
      await settle();
    },
    leave: async (name: string) => {
      const [gone] = inside.splice(
        inside.findIndex((one) => one.name === name),
        1,
      );
      gone?.leave();
      await settle();
    },
  };
};

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the gate', () => {
  test('lets in as many as there are places, and the next when one leaves', async () => {
    const { enter, leave, names } = visitors(2, 2);
    for (const name of ['a1', 'a2', 'a3', 'a4']) await enter(name);
    expect(names()).toEqual(['a1', 'a2']);
    await leave('a1');
    expect(names()).toEqual(['a2', 'a3']);
    await leave('a3');
    await leave('a2');
    expect(names()).toEqual(['a4']);
  });

  test('keeps places from one target for the others', async () => {
    const { enter, names } = visitors(4, 3);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1']) await enter(name);
    expect(names()).toEqual(['a1', 'a2', 'a3', 'b1']);
  });

  test('gives a free place to the target that holds the fewest, then to who has waited longest', async () => {
    const { enter, leave, seen } = visitors(3, 3);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'c1', 'b1', 'b2']) await enter(name);
    await leave('a1');
    await leave('a2');
    await leave('a3');
    expect(seen.slice(3)).toEqual(['c1', 'b1', 'a4']);
    await leave('c1');
    expect(seen.slice(6)).toEqual(['b2']);
  });

  test('in the end lets everybody in, and never more than there are places', async () => {
    const gate = createGate({ limit: 5, share: 3 });
    const inside = new Map<string, number>();
    const total = () => [...inside.values()].reduce((sum, count) => sum + count, 0);
    let most = 0;
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        const target = `${i % 7}`;
        const leave = await gate.enter(target);
        inside.set(target, (inside.get(target) ?? 0) + 1);
        expect(inside.get(target)).toBeLessThanOrEqual(3);
        most = Math.max(most, total());
        await settle();
        inside.set(target, (inside.get(target) ?? 0) - 1);
        leave();
      }),
    );
    expect(most).toBe(5);
    expect(total()).toBe(0);
  });
});
