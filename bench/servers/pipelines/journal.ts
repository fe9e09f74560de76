/**
 * A journal of the local engine with a million runs, and what is asked of it. Each is a process of its own, and prints
 * its result as JSON:
 *
 *   node journal.cjs seed FILE OPTIONS   makes it: { finished, expired, open }, as JSON
 *   node journal.cjs lists FILE          the latencies of lists in ms: { name: [ms, …] }
 *   node journal.cjs sweep FILE          removes the expired ones while others run: { removed, seconds, longest, usual },
 *                                        the longest turn of the event loop in ms, then and as long without it
 */
import { openJournal } from '../../../shared/pipeline/engines/journal';
import { openLocal, runOnce } from './engine';
import { askJournal } from './journal-questions';
import { type SeedOptions, seed } from './journal-seed';

/** Runs under way at once while expired ones are removed. */
const CONCURRENCY = 16;
/** How often each question is asked. */
const TIMES = 200;

const lists = async (file: string): Promise<unknown> => {
  const journal = await openJournal(file);
  const latencies = await askJournal(journal, TIMES);
  await journal.close();
  return latencies;
};

const sweep = async (file: string): Promise<unknown> => {
  const { engine, journal } = await openLocal(file, async () => ({ verdict: 'delivered' }));
  let isOver = false;
  const worker = async () => {
    while (!isOver) await runOnce(engine);
  };
  const going = Promise.all(Array.from({ length: CONCURRENCY }, worker));
  const started = performance.now();
  let removed = 0;
  const longest = await longestTurn(async () => {
    removed = await journal.sweep(Date.now());
  });
  const seconds = (performance.now() - started) / 1000;
  const usual = await longestTurn(
    () => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
  );
  isOver = true;
  await going;
  await engine.close(new AbortController().signal);
  return { removed, seconds, longest, usual };
};

const longestTurn = async (work: () => Promise<unknown>): Promise<number> => {
  let longest = 0;
  let last = performance.now();
  let isOver = false;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isOver = true;
  return longest;
};

const TASKS: Readonly<Record<string, (file: string, options: string) => Promise<unknown>>> = {
  seed: async (file, options) => seed(file, JSON.parse(options) as SeedOptions),
  lists,
  sweep,
};

const [task = '', file = '', options = ''] = process.argv.slice(2);
void TASKS[task]?.(file, options).then((result) =>
  process.stdout.write(`${JSON.stringify(result ?? null)}\n`, () => process.exit()),
);
