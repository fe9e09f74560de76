/** The figures as Markdown, and where they stand in the document. */
import { BARE, NODE_HTTP, STOCK, STOCK_HELLO } from './servers.mjs';

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
const table = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');

export const coldStartTable = (times) => {
  const sorted = Object.entries(times).map(([name, all]) => [name, all.sort((a, b) => a - b)]);
  const median = Object.fromEntries(sorted.map(([name, all]) => [name, at(all, 0.5)]));
  return table([
    ['Server', 'median ms', 'min', 'p90', '÷ node:http', '÷ functions-framework hello'],
    ['---', '---:', '---:', '---:', '---:', '---:'],
    ...sorted.map(([name, all]) => [
      name,
      median[name].toFixed(1),
      all[0].toFixed(1),
      at(all, 0.9).toFixed(1),
      (median[name] / median[NODE_HTTP]).toFixed(2),
      (median[name] / median[STOCK_HELLO]).toFixed(2),
    ]),
    [`${sorted[0][1].length} runs each, interleaved`, '', '', '', '', ''],
  ]);
};

export const throughputTable = (servers) => {
  const least = Object.fromEntries(servers.map(({ name, cpu }) => [name, Math.min(...cpu)]));
  const most = Object.fromEntries(servers.map(({ name, rate }) => [name, Math.max(...rate)]));
  const beside = [NODE_HTTP, BARE, STOCK];
  return table([
    [
      'Server',
      'CPU µs a request',
      '÷ node:http',
      'requests a second',
      ...beside.map((name) => `÷ ${name}`),
    ],
    ['---', '---:', '---:', '---:', ...beside.map(() => '---:')],
    ...servers.map(({ name }) => [
      name,
      least[name].toFixed(1),
      (least[name] / least[NODE_HTTP]).toFixed(2),
      Math.round(most[name]).toLocaleString('en'),
      ...beside.map((other) => (most[name] / most[other]).toFixed(2)),
    ]),
    [`best of ${servers[0].cpu.length} rounds`, '', '', '', ...beside.map(() => '')],
  ]);
};

/** Each table between its own two marks. */
export const inDocument = (text, tables) =>
  Object.entries(tables).reduce((whole, [name, content]) => {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- end -->)`);
    if (!marks.test(whole)) throw new Error(`the document has no place for ${name}`);
    return whole.replace(marks, (_, before, after) => `${before}${content}\n${after}`);
  }, text);
