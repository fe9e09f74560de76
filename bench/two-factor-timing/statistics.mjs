/** What samples of time tell of who they are of. */

export const shuffle = (list) => {
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
  }
  return shuffled;
};

const sorted = (times) => [...times].sort((a, b) => a - b);
const quantile = (ordered, part) => ordered[Math.floor((ordered.length - 1) * part)];

/** How probable it is that one of `b` took longer than one of `a`: 0.5 is a coin. */
const areaUnderCurve = (a, b) => {
  const all = [...a.map((time) => [time, 0]), ...b.map((time) => [time, 1])];
  all.sort(([x], [y]) => x - y);
  let ranks = 0;
  for (const [i, [, isB]] of all.entries()) if (isB) ranks += i + 1;
  return (ranks - (b.length * (b.length + 1)) / 2) / (a.length * b.length);
};

/** A table of all kinds beside `baseline`, and the widest gap between two medians, ms. */
export const compare = (times, baseline) => {
  const medians = [];
  const rows = Object.entries(times).map(([kind, samples]) => {
    const ordered = sorted(samples);
    const median = quantile(ordered, 0.5);
    medians.push(median);
    const gap = median - quantile(sorted(times[baseline]), 0.5);
    const area = areaUnderCurve(times[baseline], samples);
    return [
      kind,
      samples.length,
      median.toFixed(3),
      quantile(ordered, 0.05).toFixed(3),
      quantile(ordered, 0.95).toFixed(3),
      gap.toFixed(3),
      Math.max(area, 1 - area).toFixed(3),
    ];
  });
  const head = ['user', 'answers', 'median, ms', '5 %', '95 %', 'gap, ms', 'told apart'];
  const table = [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
  return { table, widest: Math.max(...medians) - Math.min(...medians) };
};
