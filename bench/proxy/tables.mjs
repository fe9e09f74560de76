/** The figures as Markdown. */
import { NGINX } from './proxies.mjs';

const table = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
const least = (figures, name) => Math.min(...figures.map((one) => one[name]));

export const proxyTable = (proxies) => {
  const rows = proxies.map(({ name, figures }) => ({
    name,
    cpu: least(figures, 'cpu'),
    rate: Math.max(...figures.map(({ rate }) => rate)),
    p99: least(figures, 'p99'),
  }));
  const nginx = rows.find(({ name }) => name === NGINX) ?? rows[0];
  return table([
    ['In between', 'CPU µs a request', '÷ nginx', 'requests a second', '÷ nginx', 'p99 ms'],
    ['---', '---:', '---:', '---:', '---:', '---:'],
    ...rows.map(({ name, cpu, rate, p99 }) => [
      name,
      cpu.toFixed(1),
      (cpu / nginx.cpu).toFixed(2),
      Math.round(rate).toLocaleString('en'),
      (rate / nginx.rate).toFixed(2),
      p99.toFixed(1),
    ]),
    [`best of ${proxies[0].figures.length} rounds`, '', '', '', '', ''],
  ]);
};

export const bulkTable = (rows) =>
  table([
    ['Through the router', 'more memory, MiB', 'seconds', 'CPU seconds'],
    ['---', '---:', '---:', '---:'],
    ...rows.map(({ what, grown, seconds, cpu }) => [
      what,
      grown.toFixed(1),
      seconds.toFixed(2),
      cpu.toFixed(2),
    ]),
  ]);
