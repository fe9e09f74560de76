/** The figures of the pipelines as Markdown. */
import { IDEAL } from './failing-step.mjs';
import { RUNS } from './journal.mjs';
import * as rows from './rows.mjs';
import { median, quantile } from './statistics.mjs';

export const table = (lines) => lines.map((line) => `| ${line.join(' | ')} |`).join('\n');

/** What each row is compared with. */
const BESIDE = {
  [rows.HOST_LOCAL]: [rows.HOST_PROMISE_ALL],
  [rows.LOCAL]: [rows.PROMISE_ALL, rows.BULLMQ, rows.DBOS],
  [rows.LOCAL_BARE]: [rows.PROMISE_ALL_BARE],
  [rows.RESTATE_HTTP2]: [rows.DBOS],
};

export const ms = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0));

export const enginesTable = (figures) => {
  const concurrencies = Object.keys(figures[0].at);
  return table([
    [
      'Five webhooks at once',
      ...concurrencies.flatMap((c) => [`runs/s, c = ${c}`, 'p50 / p99 ms', 'CPU ms a run']),
    ],
    ['---', ...concurrencies.flatMap(() => ['---:', '---:', '---:'])],
    ...figures.map(({ name, at }) => [
      name,
      ...concurrencies.flatMap((c) => [
        Math.round(at[c].rate).toLocaleString('en'),
        `${ms(at[c].p50)} / ${ms(at[c].p99)}`,
        (at[c].cpu / 1000).toFixed(2),
      ]),
    ]),
  ]);
};

export const ratiosTable = (figures) => {
  const concurrencies = Object.keys(figures[0].at);
  const of = Object.fromEntries(figures.map(({ name, at }) => [name, at]));
  const pairs = Object.entries(BESIDE).flatMap(([name, others]) =>
    others.filter((other) => of[name] && of[other]).map((other) => [name, other]),
  );
  return table([
    ['Runs a second', '÷', ...concurrencies.map((c) => `c = ${c}`)],
    ['---', '---', ...concurrencies.map(() => '---:')],
    ...pairs.map(([name, other]) => [
      name,
      other,
      ...concurrencies.map((c) => (of[name][c].rate / of[other][c].rate).toFixed(2)),
    ]),
  ]);
};

export const listsTable = ({ lists }) =>
  table([
    [`Of ${(RUNS.finished + RUNS.open).toLocaleString('en')} runs`, 'p50 ms', 'p99 ms', 'most'],
    ['---', '---:', '---:', '---:'],
    ...Object.entries(lists).map(([name, times]) => [
      name,
      ms(median(times)),
      ms(quantile(times, 0.99)),
      ms(Math.max(...times)),
    ]),
  ]);

export const journalTable = ({ restarts, sweep }) => {
  const firsts = restarts.map(({ first }) => first);
  const alls = restarts.map(({ all }) => all);
  const line = (name, times) => [name, ms(median(times)), ms(Math.max(...times))];
  return table([
    ['', 'median ms', 'most'],
    ['---', '---:', '---:'],
    line('kill -9, from the start to the first webhook that is called', firsts),
    line(`the same, to the last of ${RUNS.open.toLocaleString('en')} open runs taken up`, alls),
    [
      `longest turn while ${sweep.removed.toLocaleString('en')} expired runs go, in ${sweep.seconds.toFixed(1)} s`,
      '',
      ms(sweep.longest),
    ],
    ['the same without them', '', ms(sweep.usual)],
  ]);
};

export const failingStepTable = (results) =>
  table([
    ['Ideal', `${IDEAL} ms`, '÷ ideal', 'calls of each healthy webhook', 'of the failing one'],
    ['---', '---:', '---:', '---:', '---:'],
    ...results.map(({ name, times, healthy, failing }) => [
      name,
      `${Math.round(median(times))} ms`,
      (median(times) / IDEAL).toFixed(2),
      healthy,
      failing,
    ]),
  ]);
