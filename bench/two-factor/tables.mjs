/** The figures of two-factor as Markdown. */
import { ms, table } from '../pipelines/tables.mjs';
import { PAIRS } from './rows.mjs';

const HEADS = {
  pair: ['Issue, and verify the code', 'pairs/s', 'CPU µs a pair'],
  issue: ['Issue', 'a second', 'CPU µs'],
  wrong: ['Verify a wrong code', 'a second', 'CPU µs'],
};

export const operationTable = (figures, operation) => {
  const concurrencies = Object.keys(figures[0].of[operation]);
  const [title, rate, cpu] = HEADS[operation];
  return table([
    [title, ...concurrencies.flatMap((c) => [`${rate}, c = ${c}`, 'p50 / p99 ms', cpu])],
    ['---', ...concurrencies.flatMap(() => ['---:', '---:', '---:'])],
    ...figures.map(({ name, of }) => [
      name,
      ...concurrencies.flatMap((c) => {
        const { rate, p50, p99, cpu } = of[operation][c];
        return [
          Math.round(rate).toLocaleString('en'),
          `${ms(p50)} / ${ms(p99)}`,
          Math.round(cpu).toLocaleString('en'),
        ];
      }),
    ]),
  ]);
};

export const ratiosTable = (figures) => {
  const concurrencies = Object.keys(figures[0].of.pair);
  const of = Object.fromEntries(figures.map((one) => [one.name, one.of]));
  const ratio = (operation, what, [ours, theirs], c) =>
    (of[ours][operation][c][what] / of[theirs][operation][c][what]).toFixed(2);
  const at = (name) => concurrencies.map((c) => `${name}, c = ${c}`);
  return table([
    ['', '÷', ...at('pairs/s'), ...at('CPU a pair')],
    ['---', '---', ...concurrencies.flatMap(() => ['---:', '---:'])],
    ...PAIRS.map((pair) => [
      ...pair,
      ...concurrencies.map((c) => ratio('pair', 'rate', pair, c)),
      ...concurrencies.map((c) => ratio('pair', 'cpu', pair, c)),
    ]),
  ]);
};
