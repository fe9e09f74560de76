/** The attempts of one passage: when they are made, and when it is told how they ended. */
import { expect, test } from '@jest/globals';
import { createMaking, type Ended } from '../../../../shared/pipeline/engines/restate/making';
import type { Activity } from '../../../../shared/pipeline/machine/underway';
import type { Progress } from '../../../../shared/pipeline/progress';
import { DELIVERED } from './lab';

const PROGRESS: Progress = { state: 'running', results: {}, deadlineAt: '2030-01-01T00:00:00Z' };
const named = (id: string) => ({ id }) as Activity;

const open = (inlineWait = 0) => {
  const made = new Map<string, { end(): void; cut(): void }>();
  const making = createMaking({
    inlineWait,
    perform: ({ id }) =>
      new Promise<readonly Ended[]>((resolve, reject) => {
        made.set(id, {
          end: () => resolve([{ id, attempt: 1, outcome: DELIVERED, at: 0 }]),
          cut: () => reject(new Error('it was cut')),
        });
      }),
  });
  for (const id of ['a', 'b', 'c']) making.begin(named(id), PROGRESS, 0);
  const idsOf = async (told: Promise<readonly Ended[]>) => (await told).map(({ id }) => id);
  return { making, made, idsOf };
};

test('an attempt is made when somebody asks how it ended, or has asked before', async () => {
  const { making, made, idsOf } = open();
  making.end('b');
  expect([...made.keys()]).toEqual([]);
  const told = idsOf(making.ended());
  expect([...made.keys()]).toEqual(['a', 'c']);
  making.begin(named('d'), PROGRESS, 0);
  expect([...made.keys()]).toEqual(['a', 'c', 'd']);
  made.get('d')?.end();
  expect(await told).toEqual(['d']);
});

test('what ends while nobody asks is told at the next question, and once', async () => {
  const { making, made, idsOf } = open();
  const first = idsOf(making.ended());
  made.get('a')?.end();
  expect(await first).toEqual(['a']);
  made.get('c')?.end();
  made.get('b')?.end();
  expect(await idsOf(making.ended())).toEqual(['c', 'b']);
});

test('where attempts follow inline, nothing is told before all have ended', async () => {
  const { making, made, idsOf } = open(1);
  let told: readonly string[] | undefined;
  const asked = idsOf(making.ended()).then((ids) => {
    told = ids;
  });
  made.get('a')?.end();
  made.get('b')?.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told).toBeUndefined();
  made.get('c')?.end();
  await asked;
  expect(told).toEqual(['a', 'b', 'c']);
});

test('when one was cut, the question is refused, though another has ended', async () => {
  const { making, made } = open();
  const told = making.ended();
  made.get('a')?.cut();
  made.get('b')?.end();
  await expect(told).rejects.toThrow('it was cut');
});
