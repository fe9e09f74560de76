/** Loads rows in turn, round by round, so that a disturbance meets all of them. */
import { ask, cpuTimeOf } from '../pipelines/process.mjs';
import { median } from '../pipelines/statistics.mjs';

/** In this order: wrong codes are for what was issued last. */
export const OPERATIONS = ['pair', 'issue', 'wrong'];

/**
 * For each row, operation and concurrency the medians over all rounds: { name, of: { [operation]: { [concurrency]:
 * { rate, p50, p99, cpu } } } }; `rate` a second, `cpu` in µs for each, the rest in ms.
 */
export const measure = async (rows, { concurrencies, rounds, seconds }) => {
  const figures = rows.map((row) => {
    const perConcurrency = () => new Map(concurrencies.map((c) => [c, []]));
    return { row, of: new Map(OPERATIONS.map((operation) => [operation, perConcurrency()])) };
  });
  const turn = async (concurrency, seconds, take) => {
    for (const { row, of } of figures)
      for (const operation of OPERATIONS) {
        const figure = await load(row, { operation, concurrency, seconds });
        take?.(of.get(operation).get(concurrency), figure);
      }
  };
  console.error('Warming up …');
  // Much at once, for as long as a round takes: the code becomes hot by requests, not by time.
  await turn(Math.max(...concurrencies), seconds * concurrencies.length);
  for (let round = 1; round <= rounds; round++) {
    console.error(`Round ${round} of ${rounds} …`);
    for (const concurrency of concurrencies)
      await turn(concurrency, seconds, (all, figure) => all.push(figure));
  }
  const mediansOf = (all) => Object.fromEntries([...all].map(([c, one]) => [c, medians(one)]));
  return figures.map(({ row: { name }, of }) => ({
    name,
    of: Object.fromEntries([...of].map(([operation, all]) => [operation, mediansOf(all)])),
  }));
};

const load = async ({ driver, pids, forget }, question) => {
  if (question.operation !== 'wrong') await forget();
  const before = cpuTimeOf(pids);
  const { runs, seconds, p50, p99 } = await ask(driver, question);
  console.error(
    question.operation,
    question.concurrency,
    runs,
    seconds.toFixed(2),
    ((cpuTimeOf(pids) - before) / runs).toFixed(0),
    p50.toFixed(2),
    p99.toFixed(2),
  );
  return { rate: runs / seconds, p50, p99, cpu: (cpuTimeOf(pids) - before) / runs };
};

const medians = (figures) =>
  Object.fromEntries(
    ['rate', 'p50', 'p99', 'cpu'].map((name) => [name, median(figures.map((one) => one[name]))]),
  );
