/** Durations as people write them in configuration. */
const UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `10s` is 10000 (ms); `undefined` when it is not a duration. Units: ms s m h d. */
export const parseDuration = (text: string): number | undefined => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return amount && unit ? Math.round(Number(amount) * (UNIT[unit] as number)) : undefined;
};

/** Whole ms in the largest unit that holds them without a rest: 10000 is `10s`, 1500 is `1500ms`, 0 is `0ms`. */
export const formatDuration = (ms: number): string => {
  const fits = Object.entries(UNIT).findLast(([, size]) => ms > 0 && ms % size === 0);
  const [unit, size] = fits ?? ['ms', 1];
  return `${ms / size}${unit}`;
};
