/** The figures as Markdown. */
const table = (rows) => rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
const percent = (part) => `${(100 * part).toFixed(2)} %`;

export const speedTable = ({ speeds }) =>
  table([
    [
      'Mode',
      'shards',
      'M lookups/CPU s',
      'first table, CPU ms',
      'a table',
      'one more shard',
      'first million keys, CPU ms',
    ],
    ['---', '---:', '---:', '---:', '---:', '---:', '---:'],
    ...speeds.map(({ mode, count, rate, first, build, change, opening }) => [
      mode,
      count,
      ...[rate, first, build, change, opening].map((figure) => figure.toFixed(1)),
    ]),
  ]);

export const evennessTable = ({ evenness }) =>
  table([
    ['Mode', 'max ÷ mean, median', 'most', 'one more', 'one less', 'one twice as heavy'],
    ['---', '---:', '---:', '---:', '---:', '---:'],
    ...evenness.map(({ mode, median, most, add, remove, reweight }) => [
      mode,
      median.toFixed(3),
      most.toFixed(3),
      ...[add, remove, reweight].map(
        ({ moved, collateral }) => `${percent(moved)} (${percent(collateral)})`,
      ),
    ]),
  ]);

/** The median of all sets, and the most. */
const ofSets = (all, member, shown) => {
  const sorted = all.map((one) => one[member]).sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map(shown);
};
const times = (figure) => figure.toFixed(2);
const tenths = (part) => `${(100 * part).toFixed(1)} %`;

export const zipfTable = (modes, bound) =>
  table([
    ['Mode', 'bound', 'max ÷ mean, median', 'most', 'off their shard, median', 'most'],
    ['---', '---:', '---:', '---:', '---:', '---:'],
    ...modes.flatMap(({ mode, plain, bounded }) => [
      [mode, 'none', ...ofSets(plain, 'maxByMean', times), ...ofSets(plain, 'off', tenths)],
      [mode, bound, ...ofSets(bounded, 'maxByMean', times), ...ofSets(bounded, 'off', tenths)],
      ['what must be off', '', '', '', ...ofSets(plain, 'above', tenths)],
    ]),
  ]);
