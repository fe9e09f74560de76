/** Loads rows in turn, round by round, so that a disturbance meets all of them. */
import { ask, cpuTimeOf } from './process.mjs';
import { median } from './statistics.mjs';

/**
 * For each row and concurrency the medians over all rounds: { name, at: { [concurrency]: { rate, p50, p99, cpu } } };
 * `rate` in runs a second, `cpu` in µs a run, the rest in ms.
 */
export const measure = async (rows, { concurrencies, rounds, seconds }) => {
  const figures = rows.map((row) => ({ row, at: new Map(concurrencies.map((c) => [c, []])) }));
  for (let round = 0; round <= rounds; round++) {
    console.error(round === 0 ? 'Warming up …' : `Round ${round} of ${rounds} …`);
    for (const concurrency of concurrencies)
      for (const { row, at } of figures) {
        const figure = await load(row, { concurrency, seconds });
        // The first round makes the code hot.
        if (round > 0) at.get(concurrency).push(figure);
      }
  }
  return figures.map(({ row: { name }, at }) => ({
    name,
    at: Object.fromEntries([...at].map(([concurrency, all]) => [concurrency, medians(all)])),
  }));
};

const load = async ({ driver, pids }, question) => {
  const before = cpuTimeOf(pids);
  const { runs, seconds, p50, p99 } = await ask(driver, question);
  return { rate: runs / seconds, p50, p99, cpu: (cpuTimeOf(pids) - before) / runs };
};

const medians = (figures) =>
  Object.fromEntries(
    ['rate', 'p50', 'p99', 'cpu'].map((name) => [name, median(figures.map((one) => one[name]))]),
  );
